/** Opens the text of a diagram beside its picture. */
import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { DiagramDocument } from "./widget";

interface Cursor {
  setCursorPosition(position: { line: number; column: number }): void;
  revealPosition(position: { line: number; column: number }): void;
  focus(): void;
}
/** What of Lab's text editor is needed. */
interface TextDocument {
  readonly content?: { readonly editor?: Cursor };
  readonly revealed?: Promise<unknown>;
}

/** With a `line` (from 1), the cursor is put there. */
export async function editText(
  app: JupyterFrontEnd,
  document: DiagramDocument,
  line: unknown,
): Promise<void> {
  const opened: TextDocument | undefined = await app.commands.execute("docmanager:open", {
    path: document.context.path,
    factory: "Editor",
    options: { mode: "split-right", ref: document.id },
  });
  await opened?.revealed;
  const editor = opened?.content?.editor;
  if (typeof line !== "number" || !editor) return;
  const position = { line: line - 1, column: 0 };
  editor.setCursorPosition(position);
  editor.revealPosition(position);
  editor.focus();
}
