/** What can be done with a diagram file. */
import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { WidgetTracker } from "@jupyterlab/apputils";
import { editIcon, runIcon } from "@jupyterlab/ui-components";
import type { ReadonlyPartialJSONObject } from "@lumino/coreutils";
import { asked } from "../commands";
import { stepIcon } from "../icons";
import type { IDipeo } from "../service";
import { askInputs } from "./ask-inputs";
import { begin } from "./begin";
import { editText } from "./edit-text";
import type { DiagramDocument } from "./widget";

export const RUN_DIAGRAM = "dipeo:run-diagram";
export const RUN_WITH = "dipeo:run-diagram-with-inputs";
export const RUN_PAUSED = "dipeo:run-diagram-paused";
export const EDIT_TEXT = "dipeo:edit-text";

type Args = ReadonlyPartialJSONObject;

const PATH = { type: "string", description: "A file that is open; else the one in front." };
const INPUTS = { type: "object", description: "Inputs of the run, by name." };
const ON_FILE = { args: { type: "object", properties: { path: PATH, inputs: INPUTS } } };
const ON_TEXT = { args: { type: "object", properties: { path: PATH, line: { type: "number" } } } };

export function addCommands(
  app: JupyterFrontEnd,
  dipeo: IDipeo,
  tracker: WidgetTracker<DiagramDocument>,
): void {
  const { trans } = dipeo;
  const meant = ({ path }: Args): DiagramDocument | null =>
    (path ? tracker.find((each) => each.context.path === path) : tracker.currentWidget) ?? null;
  const isEnabled = (args: Args): boolean => meant(args) !== null;
  const run = (paused: boolean) => async (args: Args) => {
    const document = meant(args);
    if (document) await asked(() => begin(app, dipeo, document.context, args.inputs, paused));
  };
  app.commands.addCommand(RUN_DIAGRAM, {
    label: trans.__("Run Diagram"),
    caption: trans.__("Run the diagram as it is here, saved or not"),
    icon: runIcon,
    describedBy: ON_FILE,
    isEnabled,
    execute: run(false),
  });
  app.commands.addCommand(RUN_WITH, {
    label: trans.__("Run Diagram with Inputs…"),
    caption: trans.__("Say what the run begins with, and run the diagram"),
    icon: runIcon,
    describedBy: ON_FILE,
    isEnabled,
    execute: async (args) => {
      const document = meant(args);
      if (!document) return;
      await asked(async () => {
        const inputs = await askInputs(trans, document.context.path);
        if (inputs) await begin(app, dipeo, document.context, inputs, false);
      });
    },
  });
  app.commands.addCommand(RUN_PAUSED, {
    label: trans.__("Run Diagram Step by Step"),
    caption: trans.__("Begin a run that waits for its first step"),
    icon: stepIcon,
    describedBy: ON_FILE,
    isEnabled,
    execute: run(true),
  });
  app.commands.addCommand(EDIT_TEXT, {
    label: trans.__("Edit Text"),
    caption: trans.__("Open the text of the diagram beside its picture"),
    icon: editIcon,
    describedBy: ON_TEXT,
    isEnabled,
    execute: async (args) => {
      const document = meant(args);
      if (document) await editText(app, document, args.line);
    },
  });
}
