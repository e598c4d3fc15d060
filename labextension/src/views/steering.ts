/** What may be done with a run at this moment. */
import type { RunCommand } from "../execution/context";
import { isOver, type RunState } from "../execution/state";

export interface Wish {
  readonly name: string;
  readonly title: string;
  /** The `d` of its sign, on a grid of 16 by 16. */
  readonly path: string;
  readonly command: RunCommand;
  readonly meaningful: (state: RunState) => boolean;
}

/** Whether nothing can be done with it any more; one that failed can be taken up again. */
export function isFinal(state: RunState): boolean {
  return state.recorded === "completed" || state.recorded === "cancelled";
}

function stands(state: RunState): boolean {
  return state.recorded === "paused" || (state.asleep && state.recorded === "running");
}

export const WISHES: readonly Wish[] = [
  {
    name: "Pause",
    title: "Pause: start nothing new",
    path: "M5.5 3.5v9M10.5 3.5v9",
    command: { type: "pause_execution" },
    meaningful: (state) => state.recorded === "running" && !state.asleep,
  },
  {
    name: "Resume",
    title: "Resume: go on",
    path: "M5 3.2v9.6L12.5 8z",
    command: { type: "resume_execution" },
    meaningful: (state) => stands(state) || state.recorded === "failed",
  },
  {
    name: "Step",
    title: "Step: let one node through",
    path: "M3.5 3.2v9.6L10 8zM12.5 3.5v9",
    command: { type: "step_execution" },
    meaningful: stands,
  },
  {
    name: "Stop",
    title: "Stop: end the run for good",
    path: "M4 4h8v8H4z",
    command: { type: "cancel_execution" },
    meaningful: (state) => state.recorded !== "pending" && !isOver(state),
  },
];
