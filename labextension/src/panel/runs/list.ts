/** All runs of this user, newest first: as the server lists them, and as it tells of those that go on. */
import type { ExecutionSummary } from "../../protocol/messages";
import { isFinished, lineOfSummary, type RunLine } from "./line";

/** `problem` says why what is shown may be old, in words. */
export interface Runs {
  readonly lines: readonly RunLine[];
  readonly known: boolean;
  readonly problem: string | null;
}

export class RunList {
  #runs: Runs = { lines: [], known: false, problem: null };
  readonly #lines = new Map<string, RunLine>();
  /** How far the runs are that the server tells of, in entries. */
  readonly #told = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  readonly get = (): Runs => this.#runs;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  find(id: string): RunLine | undefined {
    return this.#lines.get(id);
  }

  /** The server has listed its runs; what it has told of one since is newer. */
  readonly list = (summaries: readonly ExecutionSummary[]): void => {
    const listed = new Set(summaries.map((each) => each.execution_id));
    for (const id of this.#lines.keys()) if (!listed.has(id)) this.#forget(id);
    for (const summary of summaries) this.#take(summary);
    this.#show({ known: true });
  };

  /** Whoever is there now has the last word: the server may be another one, that holds no run. */
  readonly beginAgain = (): void => this.#told.clear();

  /** A run stands like this now. */
  readonly tell = (summary: ExecutionSummary): void => {
    const { execution_id: id } = summary;
    this.#take(summary);
    if (isFinished(lineOfSummary(summary))) this.#told.delete(id);
    else this.#told.set(id, summary.events);
    this.#show({});
  };

  readonly trouble = (problem: string | null): void => {
    if (problem !== this.#runs.problem) this.#show({ problem });
  };

  #take(summary: ExecutionSummary): void {
    const { execution_id: id } = summary;
    if ((this.#told.get(id) ?? 0) > summary.events) return;
    const line = lineOfSummary(summary);
    const usage = line.usage ?? this.#lines.get(id)?.usage ?? null;
    this.#lines.set(id, { ...line, usage });
  }

  #forget(id: string): void {
    if (this.#told.has(id)) return; // it has begun since
    this.#lines.delete(id);
  }

  #show(change: Partial<Runs>): void {
    const lines = [...this.#lines.values()].sort((left, right) => right.started - left.started);
    this.#runs = { ...this.#runs, ...change, lines };
    for (const listener of this.#listeners) listener();
  }
}
