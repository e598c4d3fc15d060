/** The commands of runs, for the palette, menus, shortcuts, and whoever else calls them. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { Clipboard, Dialog, ICommandPalette, Notification, showDialog } from "@jupyterlab/apputils";
import type { CommandRegistry } from "@lumino/commands";
import type { ReadonlyPartialJSONObject } from "@lumino/coreutils";
import { chooseRun } from "./choose";
import { nameOfRun, type RunLine } from "./runs/line";
import { IDipeo, NAME } from "./service";
import { STEERING, type Steering } from "./steering";

export const CATEGORY = "DiPeO";
export const OPEN_RUN = "dipeo:open-run";
export const FORK_RUN = "dipeo:fork-run";
export const COPY_ID = "dipeo:copy-run-id";
export const COPY_ATTACH = "dipeo:copy-attach";

export const ON_RUN = {
  args: {
    type: "object",
    properties: {
      execution_id: { type: "string", description: "The run; without it, people choose one." },
    },
  },
} as const;

/** Milliseconds that people may need to read what went wrong. */
const LONG = 10_000;

type Args = ReadonlyPartialJSONObject;

export const runCommands: JupyterFrontEndPlugin<void> = {
  id: `${NAME}:commands`,
  description: "Commands about runs: pause, resume, step, cancel, fork, copy.",
  autoStart: true,
  requires: [IDipeo],
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, dipeo: IDipeo, palette: ICommandPalette | null) => {
    const { commands } = app;
    for (const each of STEERING) commands.addCommand(each.command, steering(app, dipeo, each));
    commands.addCommand(FORK_RUN, forking(app, dipeo));
    commands.addCommand(
      COPY_ID,
      copying(app, dipeo, dipeo.trans.__("Copy Id"), (id) => id),
    );
    commands.addCommand(
      COPY_ATTACH,
      copying(app, dipeo, dipeo.trans.__("Copy Python for This Run"), attaching),
    );
    const told = [...STEERING.map((each) => each.command), FORK_RUN];
    for (const command of told) palette?.addItem({ command, category: CATEGORY });
  },
};

/** Python that takes up a run in a notebook. */
export function attaching(id: string): string {
  return `import dipeo_jupyter as dipeo\n\nrun = dipeo.attach("${id}")\nrun`;
}

/** The run that is meant: by the arguments, else the one under the mouse of a context menu. */
export function runOf(app: JupyterFrontEnd, dipeo: IDipeo, args: Args): RunLine | undefined {
  const id = args.execution_id ?? idUnderMouse(app);
  return typeof id === "string" ? dipeo.runs.find(id) : undefined;
}

function idUnderMouse(app: JupyterFrontEnd): string | undefined {
  return app.contextMenuHitTest((node) => node.dataset.run !== undefined)?.dataset.run;
}

/** The same, or one that people choose among those that fit. */
async function oneRun(
  app: JupyterFrontEnd,
  dipeo: IDipeo,
  args: Args,
  fits: (line: RunLine) => boolean = () => true,
): Promise<RunLine | undefined> {
  return runOf(app, dipeo, args) ?? (await chooseRun(dipeo, fits));
}

function steering(app: JupyterFrontEnd, dipeo: IDipeo, each: Steering): Command {
  return {
    label: dipeo.trans.__(each.label),
    icon: each.icon,
    describedBy: ON_RUN,
    isEnabled: (args) => {
      const line = runOf(app, dipeo, args);
      return line ? each.meaningful(line) : dipeo.runs.get().lines.some(each.meaningful);
    },
    execute: async (args) => {
      const line = await oneRun(app, dipeo, args, each.meaningful);
      if (!line || (each.final && !(await isMeant(dipeo, [line])))) return;
      await asked(() => dipeo.connection.ask(each.say(line.id)));
    },
  };
}

function forking(app: JupyterFrontEnd, dipeo: IDipeo): Command {
  return {
    label: dipeo.trans.__("Fork"),
    caption: dipeo.trans.__("Start a new run that takes over what this one has done"),
    describedBy: ON_RUN,
    isEnabled: () => dipeo.runs.get().lines.length > 0,
    execute: async (args) => {
      const line = await oneRun(app, dipeo, args);
      if (!line) return;
      const ack = await asked(() =>
        dipeo.connection.ask({ type: "fork_execution", execution_id: line.id }),
      );
      if (ack?.execution_id)
        await app.commands.execute(OPEN_RUN, { execution_id: ack.execution_id });
    },
  };
}

function copying(
  app: JupyterFrontEnd,
  dipeo: IDipeo,
  label: string,
  words: (id: string) => string,
): Command {
  return {
    label,
    describedBy: ON_RUN,
    execute: async (args) => {
      const line = await oneRun(app, dipeo, args);
      if (line) Clipboard.copyToSystem(words(line.id));
    },
  };
}

/** Whether people really want to end runs for good. */
export async function isMeant(dipeo: IDipeo, lines: readonly RunLine[]): Promise<boolean> {
  const { trans } = dipeo;
  const names = lines.map(nameOfRun).join(", ");
  const { button } = await showDialog({
    title: trans.__("Cancel the run?"),
    body: trans.__("%1 ends for good. A paused run can be gone on with at any time.", names),
    buttons: [
      Dialog.cancelButton({ label: trans.__("Let it be") }),
      Dialog.warnButton({ label: trans.__("Cancel the Run") }),
    ],
  });
  return button.accept;
}

/** Do something; what went wrong is told in the corner of the page. */
export async function asked<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    Notification.error(error instanceof Error ? error.message : String(error), { autoClose: LONG });
    return undefined;
  }
}

type Command = CommandRegistry.ICommandOptions;
