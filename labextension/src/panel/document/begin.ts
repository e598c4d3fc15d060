/** Begins a run of a diagram file, and shows it. */
import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { ExecuteDiagram, JsonValue } from "../../protocol/messages";
import { OPEN_RUN } from "../commands";
import type { IDipeo } from "../service";
import { type Drawing, given } from "./drawing";
import { fatalOf } from "./problems";
import { runTrusted } from "./trusting";

type Json = { [key: string]: JsonValue };

/** It works in the folder of the file. Raises an error when the diagram cannot be run. */
export async function begin(
  app: JupyterFrontEnd,
  { connection, trans }: IDipeo,
  context: DocumentRegistry.Context,
  inputs: unknown,
  paused: boolean,
): Promise<void> {
  await context.ready; // a command may come before the file is read
  const text = given(context);
  // As an object the diagram has a name, which its text may lack.
  const { result } = await connection.ask({ type: "draw_diagram", ...text });
  const { diagram, problems } = result as unknown as Drawing;
  const fatal = fatalOf(problems);
  if (fatal) throw new Error(trans.__("This diagram cannot be run: %1", fatal.message));
  const command: ExecuteDiagram = {
    type: "execute_diagram",
    diagram: diagram as unknown as Json,
    folder: text.folder,
    inputs: (inputs ?? {}) as Json,
    paused,
  };
  const ack = await runTrusted(connection, trans, command, problems);
  if (ack) await app.commands.execute(OPEN_RUN, { execution_id: ack.execution_id ?? "" });
}
