/** What can be asked of a run from a list: when it makes sense, and what is said for it. */
import type { LabIcon } from "@jupyterlab/ui-components";
import { runIcon, stopIcon } from "@jupyterlab/ui-components";
import type { Command } from "../protocol/messages";
import { pauseIcon, stepIcon } from "./icons";
import { goesOn, isFinished, type RunLine } from "./runs/line";

export interface Steering {
  readonly command: string;
  /** Untranslated. */
  readonly label: string;
  readonly icon: LabIcon;
  readonly meaningful: (line: RunLine) => boolean;
  readonly say: (execution_id: string) => Command;
  /** It cannot be undone, and is asked about first. */
  readonly final?: boolean;
}

export const PAUSE: Steering = {
  command: "dipeo:pause-run",
  label: "Pause",
  icon: pauseIcon,
  meaningful: goesOn,
  say: (execution_id) => ({ type: "pause_execution", execution_id }),
};
export const RESUME: Steering = {
  command: "dipeo:resume-run",
  label: "Resume",
  icon: runIcon,
  meaningful: (line) => line.status === "paused" || line.status === "failed",
  say: (execution_id) => ({ type: "resume_execution", execution_id }),
};
export const STEP: Steering = {
  command: "dipeo:step-run",
  label: "Step",
  icon: stepIcon,
  meaningful: (line) => line.status === "paused",
  say: (execution_id) => ({ type: "step_execution", execution_id }),
};
export const CANCEL: Steering = {
  command: "dipeo:cancel-run",
  label: "Cancel Run…",
  icon: stopIcon,
  meaningful: (line) => !isFinished(line),
  say: (execution_id) => ({ type: "cancel_execution", execution_id }),
  final: true,
};

export const STEERING: readonly Steering[] = [PAUSE, RESUME, STEP, CANCEL];
