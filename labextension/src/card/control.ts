/** The kernel's control channel: it is heard there even while a cell keeps the kernel busy. */
/** What of JupyterLab's connection to a kernel is needed. */
export interface KernelConnection {
  readonly clientId: string;
  readonly username: string;
  sendControlMessage(message: unknown, expectReply: boolean, disposeOnDone: boolean): unknown;
}

/** A widget that has a name there. */
export interface Speaker {
  /** JupyterLab's has the kernel; that of other pages may not. */
  readonly widget_manager?: { readonly kernel?: KernelConnection | null };
  get(name: "control"): string;
}

const KIND = "dipeo_card";

/** Say something there; false where the page or the kernel has no such way. */
export function sayByControl(model: Speaker, said: unknown): boolean {
  const card = model.get("control");
  const kernel = model.widget_manager?.kernel;
  if (!card || !kernel?.sendControlMessage) return false;
  const header = {
    msg_id: `${card}-${Math.random().toString(36).slice(2)}`,
    msg_type: KIND,
    session: kernel.clientId,
    username: kernel.username,
    date: new Date().toISOString(),
    version: "5.3",
  };
  const content = { card, said };
  const rest = { channel: "control", parent_header: {}, metadata: {}, buffers: [] };
  kernel.sendControlMessage({ header, content, ...rest }, false, true);
  return true;
}
