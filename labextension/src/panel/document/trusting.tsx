/** A file may have come from elsewhere: people are asked before it does more than a sandbox gives. */
import { Dialog, showDialog } from "@jupyterlab/apputils";
import type { TranslationBundle } from "@jupyterlab/translation";
import { type Connection, RefusedError } from "../../protocol/connection";
import type { Ack, AskedPower, ExecuteDiagram, Problem } from "../../protocol/messages";
import { Powers } from "../../views/powers";
import words from "../../views/trust.json";
import { placed } from "./problems";

/**
 * Runs the diagram; null when it asks for something that people will not have. The `problems` of
 * its text have the lines, for each of its powers is a hint there.
 */
export async function runTrusted(
  connection: Connection,
  trans: TranslationBundle,
  command: ExecuteDiagram,
  problems: readonly Problem[],
): Promise<Ack | null> {
  const foreign = { ...command, foreign: true };
  try {
    return await connection.ask(foreign);
  } catch (error) {
    if (!(error instanceof RefusedError) || error.powers.length === 0) throw error;
    const answer = await askTrust(trans, error.powers.map(placed(problems)));
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
    title: trans.__(words.asks),
    body: (
      <div className="dipeo-lab dipeo-trust-dialog">
        <p>{trans.__(words.isFile)}</p>
        <Powers powers={powers} />
        <p className="dipeo-note">{trans.__(words.remembered)}</p>
      </div>
    ),
    defaultButton: 0,
    buttons: [
      Dialog.cancelButton({ label: trans.__(words.no) }),
      Dialog.warnButton({ label: trans.__(words.always), accept: true, actions: ["always"] }),
      Dialog.okButton({ label: trans.__(words.once), actions: ["once"] }),
    ],
  });
  if (!button.accept) return null;
  return button.actions.includes("always") ? "always" : "once";
}
