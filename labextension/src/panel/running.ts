/** Runs among Jupyter's running sessions. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IRunningSessionManagers, type IRunningSessions } from "@jupyterlab/running";
import { Signal } from "@lumino/signaling";
import { asked, OPEN_RUN } from "./commands";
import { dipeoIcon } from "./icons";
import { goesOn, nameOfRun, type RunLine } from "./runs/line";
import { IDipeo, NAME } from "./service";
import { CANCEL } from "./steering";

export const running: JupyterFrontEndPlugin<void> = {
  id: `${NAME}:running`,
  description: "Lists runs that go on among the running sessions.",
  autoStart: true,
  requires: [IDipeo],
  optional: [IRunningSessionManagers],
  activate: (app, dipeo: IDipeo, managers: IRunningSessionManagers | null) => {
    managers?.add(new RunningRuns(app, dipeo));
  },
};

class RunningRuns implements IRunningSessions.IManager {
  readonly name: string;
  readonly shutdownLabel: string;
  readonly shutdownAllLabel: string;
  readonly shutdownAllConfirmationText: string;
  readonly runningChanged = new Signal<this, void>(this);
  readonly #app: JupyterFrontEnd;
  readonly #dipeo: IDipeo;
  #shown = "";

  constructor(app: JupyterFrontEnd, dipeo: IDipeo) {
    const { trans } = dipeo;
    this.#app = app;
    this.#dipeo = dipeo;
    this.name = trans.__("Runs of Diagrams");
    this.shutdownLabel = trans.__("Cancel");
    this.shutdownAllLabel = trans.__("Cancel All");
    this.shutdownAllConfirmationText = trans.__("All runs that go on end for good.");
    dipeo.runs.subscribe(() => this.#changed());
  }

  refreshRunning(): void {
    this.#dipeo.refresh();
  }

  running(): IRunningSessions.IRunningItem[] {
    return this.#lines.map((line) => ({
      icon: () => dipeoIcon,
      label: () => nameOfRun(line),
      labelTitle: () => `${line.id}\n${line.status}`,
      detail: () => line.status,
      open: () => void this.#app.commands.execute(OPEN_RUN, { execution_id: line.id }),
      shutdown: () => void this.#app.commands.execute(CANCEL.command, { execution_id: line.id }),
    }));
  }

  shutdownAll(): void {
    for (const { id } of this.#lines) void asked(() => this.#dipeo.connection.ask(CANCEL.say(id)));
  }

  get #lines(): RunLine[] {
    return this.#dipeo.runs.get().lines.filter(goesOn);
  }

  /** Not at each token: the whole section is drawn anew. */
  #changed(): void {
    const shown = this.#lines.map((line) => `${line.id} ${line.name} ${line.status}`).join("\n");
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.runningChanged.emit();
  }
}
