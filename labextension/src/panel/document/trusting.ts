/** A file may have come from elsewhere: people are asked before it does more than a sandbox gives. */
import { Dialog, showDialog } from "@jupyterlab/apputils";
import type { TranslationBundle } from "@jupyterlab/translation";
import { Widget } from "@lumino/widgets";
import { type Connection, RefusedError } from "../../protocol/connection";
import type { Ack, AskedPower, ExecuteDiagram } from "../../protocol/messages";

/** Runs the diagram; null when it asks for something that people will not have. */
export async function runTrusted(
  connection: Connection,
  trans: TranslationBundle,
  command: ExecuteDiagram,
): Promise<Ack | null> {
  const foreign = { ...command, foreign: true };
  try {
    return await connection.ask(foreign);
  } catch (error) {
    if (!(error instanceof RefusedError) || error.powers.length === 0) throw error;
    const answer = await askTrust(trans, error.powers);
    if (answer === null) return null;
    const granted = error.powers.map((power) => power.digest);
    return connection.ask({ ...foreign, granted, remember: answer === "always" });
  }
}

async function askTrust(
  trans: TranslationBundle,
  powers: readonly AskedPower[],
): Promise<"once" | "always" | null> {
  const { button } = await showDialog({
    title: trans.__("This diagram asks for more than a sandbox gives"),
    body: new Powers(trans, powers),
    defaultButton: 0,
    buttons: [
      Dialog.cancelButton({ label: trans.__("Do Not Run") }),
      Dialog.warnButton({
        label: trans.__("Always, Until It Changes"),
        accept: true,
        actions: ["always"],
      }),
      Dialog.okButton({ label: trans.__("Run Once"), actions: ["once"] }),
    ],
  });
  if (!button.accept) return null;
  return button.actions.includes("always") ? "always" : "once";
}

class Powers extends Widget {
  constructor(trans: TranslationBundle, powers: readonly AskedPower[]) {
    super();
    this.addClass("dipeo-powers");
    const first = document.createElement("p");
    first.textContent = trans.__(
      "It is a file, and may have come from anywhere. Look at it first.",
    );
    const list = document.createElement("ul");
    for (const power of powers) {
      const item = document.createElement("li");
      const node = document.createElement("strong");
      node.textContent = power.node;
      const file = power.file ? ` (${power.file}${power.line ? `:${power.line}` : ""})` : "";
      const hint = document.createElement("small");
      hint.textContent = power.hint;
      item.append(node, `${file} ${power.says}. `, hint);
      list.append(item);
    }
    this.node.append(first, list);
  }
}
