/** The list of runs, at the left. */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { ReactWidget } from "@jupyterlab/ui-components";
import type { Message } from "@lumino/messaging";
import { CATEGORY } from "./commands";
import { dipeoIcon } from "./icons";
import { RunsView } from "./runs-view";
import { IDipeo, NAME } from "./service";

export const SHOW_RUNS = "dipeo:show-runs";
/** Runs that no process of this server holds tell nothing by themselves. */
const AGAIN = 15_000;

export const sidebar: JupyterFrontEndPlugin<void> = {
  id: `${NAME}:sidebar`,
  description: "Lists all runs at the side.",
  autoStart: true,
  requires: [IDipeo],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    dipeo: IDipeo,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
  ) => {
    const panel = new RunsPanel(app, dipeo);
    app.shell.add(panel, "left", { rank: 650, type: "DiPeO" });
    restorer?.add(panel, panel.id);
    app.commands.addCommand(SHOW_RUNS, {
      label: dipeo.trans.__("Show Runs"),
      icon: dipeoIcon,
      describedBy: { args: { type: "object", properties: {} } },
      execute: () => app.shell.activateById(panel.id),
    });
    palette?.addItem({ command: SHOW_RUNS, category: CATEGORY });
  },
};

class RunsPanel extends ReactWidget {
  readonly #app: JupyterFrontEnd;
  readonly #dipeo: IDipeo;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(app: JupyterFrontEnd, dipeo: IDipeo) {
    super();
    this.#app = app;
    this.#dipeo = dipeo;
    this.id = "dipeo-runs";
    this.title.icon = dipeoIcon;
    this.title.caption = dipeo.trans.__("Runs of diagrams");
    this.addClass("dipeo-lab");
    this.addClass("dipeo-side");
    this.#timer = setInterval(() => this.isVisible && dipeo.refresh(), AGAIN);
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", this.title.caption);
  }

  protected override render() {
    return <RunsView dipeo={this.#dipeo} commands={this.#app.commands} />;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.#dipeo.refresh();
  }

  override dispose(): void {
    clearInterval(this.#timer);
    super.dispose();
  }
}
