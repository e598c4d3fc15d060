/** Which runs of a list are shown. */
import type { RunStatus } from "../../execution/state";
import { nameOfRun, type RunLine } from "./line";

export type Choice = "all" | "open" | RunStatus;
export const CHOICES: readonly Choice[] = [
  "all",
  "open",
  "running",
  "waiting",
  "paused",
  "completed",
  "failed",
  "cancelled",
];

/** All words must be somewhere in its name, its id, its status or the nodes it waits for. */
export function fitting(lines: readonly RunLine[], text: string, choice: Choice): RunLine[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return lines.filter((line) => {
    const said = [nameOfRun(line), line.id, line.status, ...line.waitingFor]
      .join(" ")
      .toLowerCase();
    return isChosen(line.status, choice) && words.every((word) => said.includes(word));
  });
}

function isChosen(status: RunStatus, choice: Choice): boolean {
  if (choice === "all") return true;
  if (choice !== "open") return status === choice;
  return status !== "completed" && status !== "failed" && status !== "cancelled";
}
