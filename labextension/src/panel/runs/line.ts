/** A run in one line, as lists show it. */
import type { RunStatus } from "../../execution/state";
import type { ExecutionSummary, Usage } from "../../protocol/messages";

/** `started` is in milliseconds; `usage` is null as long as nobody has told. */
export interface RunLine {
  readonly id: string;
  readonly name: string | null;
  readonly status: RunStatus;
  readonly started: number;
  readonly usage: Usage | null;
  readonly waitingFor: readonly string[];
  readonly origin: string | null;
}

export function lineOfSummary(summary: ExecutionSummary): RunLine {
  return {
    id: summary.execution_id,
    name: summary.name,
    status: summary.status,
    started: summary.started * 1000,
    usage: summary.usage ?? null,
    waitingFor: summary.waiting_for ?? [],
    origin: summary.origin ?? null,
  };
}

/** What a run is called, which may have no name. */
export function nameOfRun(line: RunLine): string {
  return line.name ?? shortId(line.id);
}

/** `exec_01J9Z3…`: enough of it to be told apart from others by eye. */
export function shortId(id: string): string {
  return id.length > 16 ? `${id.slice(0, 5)}…${id.slice(-6)}` : id;
}

export function goesOn(line: RunLine): boolean {
  return line.status === "running" || line.status === "waiting" || line.status === "pending";
}

export function isFinished(line: RunLine): boolean {
  return line.status === "completed" || line.status === "failed" || line.status === "cancelled";
}
