/** How frames get to an engine and back. What they say is the same on every way. */
import type { CommandFrame, EventFrame, ServerFrame } from "./messages";

export interface Hearing {
  /** Frames have come, in their order. */
  frames(frames: readonly ServerFrame[]): void;
  /** The other side can be heard and spoken to, for the first time or again. */
  up(): void;
}

export interface Transport {
  open(hearing: Hearing): void;
  /** False when nobody can be spoken to now; `up` tells when that has changed. */
  send(frame: CommandFrame): boolean;
  close(): void;
}

const REPLIES = new Set(["ack", "error", "connected", "relayed", "end_of_events", "standing"]);

export function isEvent(frame: ServerFrame): frame is EventFrame {
  return !REPLIES.has(frame.type) && frame.seq !== undefined;
}
