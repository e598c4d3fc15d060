/** Makes a diagram file that already does something. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { IDefaultFileBrowser } from "@jupyterlab/filebrowser";
import { ILauncher } from "@jupyterlab/launcher";
import { asked, CATEGORY } from "./commands";
import { FACTORY } from "./document/type";
import { EXAMPLE } from "./example";
import { dipeoIcon } from "./icons";
import { IDipeo, NAME } from "./service";

export const NEW_DIAGRAM = "dipeo:new-diagram";

export const newDiagram: JupyterFrontEndPlugin<void> = {
  id: `${NAME}:new-diagram`,
  description: "Makes a new diagram, from the launcher and the palette.",
  autoStart: true,
  requires: [IDipeo],
  optional: [ILauncher, ICommandPalette, IDefaultFileBrowser],
  activate: (
    app: JupyterFrontEnd,
    { trans }: IDipeo,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    browser: IDefaultFileBrowser | null,
  ) => {
    app.commands.addCommand(NEW_DIAGRAM, {
      label: (args) => (args.isPalette ? trans.__("New Diagram") : trans.__("DiPeO Diagram")),
      caption: trans.__("Make an agent workflow that runs without a key, to be changed"),
      icon: dipeoIcon,
      describedBy: {
        args: {
          type: "object",
          properties: { cwd: { type: "string", description: "The folder it is made in." } },
        },
      },
      execute: (args) =>
        asked(async () => {
          const path = String(args.cwd ?? browser?.model.path ?? "");
          const file = await made(app, path);
          return app.commands.execute("docmanager:open", { path: file, factory: FACTORY });
        }),
    });
    launcher?.add({ command: NEW_DIAGRAM, category: trans.__("Other"), rank: 1 });
    palette?.addItem({ command: NEW_DIAGRAM, category: CATEGORY, args: { isPalette: true } });
  },
};

async function made(app: JupyterFrontEnd, path: string): Promise<string> {
  const { contents } = app.serviceManager;
  const file = await contents.newUntitled({ path, type: "file", ext: ".light.yaml" });
  await contents.save(file.path, { type: "file", format: "text", content: EXAMPLE });
  return file.path;
}
