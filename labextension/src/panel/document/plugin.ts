/** Diagram files: shown as pictures, and run. Opening one runs nothing. */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette, WidgetTracker } from "@jupyterlab/apputils";
import type { DocumentRegistry } from "@jupyterlab/docregistry";
import { CommandToolbarButton } from "@jupyterlab/ui-components";
import { CATEGORY } from "../commands";
import { dipeoIcon } from "../icons";
import { IDipeo, NAME } from "../service";
import { addCommands, EDIT_TEXT, RUN_DIAGRAM, RUN_PAUSED, RUN_WITH } from "./commands";
import { FACTORY, FILE_TYPE, fileType } from "./type";
import { type DiagramDocument, DiagramFactory } from "./widget";

export const diagramDocument: JupyterFrontEndPlugin<void> = {
  id: `${NAME}:document`,
  description: "Shows diagram files as pictures.",
  autoStart: true,
  requires: [IDipeo],
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    dipeo: IDipeo,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
  ) => {
    const tracker = new WidgetTracker<DiagramDocument>({ namespace: "dipeo-diagrams" });
    app.docRegistry.addFileType(fileType(dipeo.trans));
    addCommands(app, dipeo, tracker);
    const factory = factoryFor(app, dipeo);
    factory.widgetCreated.connect((_, widget) => {
      widget.title.icon = dipeoIcon;
      widget.context.pathChanged.connect(() => void tracker.save(widget));
      void tracker.add(widget);
    });
    app.docRegistry.addWidgetFactory(factory as DocumentRegistry.WidgetFactory);
    for (const command of [RUN_DIAGRAM, RUN_WITH, RUN_PAUSED])
      palette?.addItem({ command, category: CATEGORY });
    void restorer?.restore(tracker, {
      command: "docmanager:open",
      args: (widget) => ({ path: widget.context.path, factory: FACTORY }),
      name: (widget) => widget.context.path,
    });
  },
};

function factoryFor({ commands }: JupyterFrontEnd, dipeo: IDipeo): DiagramFactory {
  const { trans } = dipeo;
  const tools = {
    [RUN_DIAGRAM]: trans.__("Run"),
    [RUN_WITH]: trans.__("With Inputs…"),
    [RUN_PAUSED]: trans.__("Step by Step"),
    [EDIT_TEXT]: trans.__("Edit Text"),
  };
  const options: DocumentRegistry.IWidgetFactoryOptions<DiagramDocument> = {
    name: FACTORY,
    label: trans.__("Diagram"),
    modelName: "text",
    fileTypes: [FILE_TYPE],
    defaultFor: [FILE_TYPE],
    toolbarFactory: ({ context }) =>
      Object.entries(tools).map(([id, label]) => ({
        name: id,
        widget: new CommandToolbarButton({ commands, id, label, args: { path: context.path } }),
      })),
  };
  return new DiagramFactory(options, dipeo, (path, line) => {
    void commands.execute(EDIT_TEXT, { path, line });
  });
}
