/** All runs of this user, newest first: as the server lists them, and as those that go on tell. */
import { advance } from "../../execution/fold";
import { isOver, NOTHING, type RunState } from "../../execution/state";
import { nextFrame, type Schedule } from "../../execution/store";
import type { EventFrame, ExecutionSummary } from "../../protocol/messages";
import { lineOfState, lineOfSummary, type RunLine } from "./line";

/** `problem` says why what is shown may be old, in words. */
export interface Runs {
  readonly lines: readonly RunLine[];
  readonly known: boolean;
  readonly problem: string | null;
}

interface Told {
  state: RunState;
  origin: string | null;
}

export class RunList {
  #runs: Runs = { lines: [], known: false, problem: null };
  readonly #lines = new Map<string, RunLine>();
  readonly #told = new Map<string, Told>();
  readonly #listeners = new Set<() => void>();
  readonly #schedule: Schedule;
  #scheduled = false;

  constructor(schedule: Schedule = nextFrame) {
    this.#schedule = schedule;
  }

  readonly get = (): Runs => this.#runs;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  find(id: string): RunLine | undefined {
    return this.#lines.get(id);
  }

  /** The server has listed its runs; what a run tells itself is newer. */
  readonly list = (summaries: readonly ExecutionSummary[]): void => {
    const listed = new Set(summaries.map((each) => each.execution_id));
    for (const id of this.#lines.keys()) if (!listed.has(id)) this.#forget(id);
    for (const summary of summaries) {
      const { execution_id: id } = summary;
      const told = this.#told.get(id);
      if (told && told.state.seq >= summary.events) continue;
      const line = lineOfSummary(summary);
      const usage = line.usage ?? this.#lines.get(id)?.usage ?? null;
      this.#lines.set(id, { ...line, usage });
    }
    this.#show({ known: true });
  };

  /** Whoever is there now has the last word: the server may be another one, that holds no run. */
  readonly beginAgain = (): void => this.#told.clear();

  /** Runs have gone on. */
  readonly take = (entries: readonly EventFrame[]): void => {
    for (const [id, fresh] of perRun(entries)) this.#advance(id, fresh);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      this.#show({});
    });
  };

  readonly trouble = (problem: string | null): void => {
    if (problem !== this.#runs.problem) this.#show({ problem });
  };

  #advance(id: string, entries: readonly EventFrame[]): void {
    const told = this.#told.get(id) ?? { state: NOTHING, origin: null };
    const [first] = entries;
    if (first?.type === "execution_started") {
      Object.assign(told, { state: NOTHING, origin: first.payload.origin?.execution_id ?? null });
    }
    const fresh = entries.filter((entry) => entry.seq > told.state.seq);
    // Who comes in the middle cannot tell what a run has come to.
    if (!fresh.length || (told.state === NOTHING && fresh[0]?.seq !== 1)) return;
    told.state = advance(told.state, fresh);
    this.#lines.set(id, lineOfState(id, told.state, told.origin));
    if (isOver(told.state)) this.#told.delete(id);
    else this.#told.set(id, told);
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

/** Parts of a run (`exec_…/label`) are seen in the whole; pieces of answers change no line. */
function perRun(entries: readonly EventFrame[]): Map<string, EventFrame[]> {
  const runs = new Map<string, EventFrame[]>();
  for (const entry of entries) {
    if (entry.type === "token_delta" || entry.execution_id.includes("/")) continue;
    const before = runs.get(entry.execution_id);
    if (before) before.push(entry);
    else runs.set(entry.execution_id, [entry]);
  }
  return runs;
}
