/** Opens runs in the main area, and has them open again after a reload. */
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette, MainAreaWidget, WidgetTracker } from "@jupyterlab/apputils";
import { chooseRun } from "./choose";
import { CATEGORY, ON_RUN, OPEN_RUN, runOf } from "./commands";
import { dipeoIcon } from "./icons";
import { RunContent } from "./run-view";
import { nameOfRun, shortId } from "./runs/line";
import { IDipeo, NAME } from "./service";

type RunWidget = MainAreaWidget<RunContent>;

export const openRun: JupyterFrontEndPlugin<void> = {
  id: `${NAME}:open-run`,
  description: "Shows a run in the main area.",
  autoStart: true,
  requires: [IDipeo],
  optional: [ILabShell, ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    dipeo: IDipeo,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
  ) => {
    const tracker = new WidgetTracker<RunWidget>({ namespace: "dipeo-run" });
    const open = (id: string): RunWidget => {
      const before = tracker.find((each) => each.content.executionId === id);
      const widget = before ?? made(dipeo, id);
      if (!before) void tracker.add(widget);
      // Notebook 7 has room for one document in a page, and shows the rest beside it.
      if (labShell) labShell.add(widget, "main", { mode: dipeo.placeOfRuns() });
      else app.shell.add(widget, "right");
      app.shell.activateById(widget.id);
      return widget;
    };
    app.commands.addCommand(OPEN_RUN, {
      label: dipeo.trans.__("Open Run"),
      icon: dipeoIcon,
      describedBy: ON_RUN,
      execute: async (args) => {
        const id =
          args.execution_id ??
          (runOf(app, dipeo, args) ?? (await chooseRun(dipeo, () => true)))?.id;
        return typeof id === "string" ? open(id) : undefined;
      },
    });
    palette?.addItem({ command: OPEN_RUN, category: CATEGORY });
    void restorer?.restore(tracker, {
      command: OPEN_RUN,
      args: (widget) => ({ execution_id: widget.content.executionId }),
      name: (widget) => widget.content.executionId,
    });
  },
};

function made(dipeo: IDipeo, id: string): RunWidget {
  const widget = new MainAreaWidget({ content: new RunContent(dipeo, id) });
  widget.id = `dipeo-run-${id}`;
  widget.title.icon = dipeoIcon;
  widget.title.closable = true;
  widget.toolbar.hide();
  const name = (): void => {
    const line = dipeo.runs.find(id);
    widget.title.label = line ? nameOfRun(line) : shortId(id);
    widget.title.caption = `${widget.title.label}\n${id}${line ? `\n${line.status}` : ""}`;
  };
  name();
  widget.disposed.connect(dipeo.runs.subscribe(name));
  return widget;
}
