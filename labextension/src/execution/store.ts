/** Holds a run's state for the views, and tells them of changes at most once a frame. */
import type { Diagram, EventFrame } from "../protocol/messages";
import { advance } from "./fold";
import { isOver, NOTHING, type RunState } from "./state";

/** Calls back soon, and not more often than a page is painted. */
export type Schedule = (callback: () => void) => void;

const LATEST = 250;
/** A page that nobody looks at is not painted; what comes is taken in all the same. */
export const nextFrame: Schedule = (callback) => {
  const once = (): void => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    callback();
  };
  const frame = requestAnimationFrame(once);
  const timer = setTimeout(once, LATEST);
};

export class RunStore {
  #state: RunState;
  #waiting: EventFrame[] = [];
  #scheduled = false;
  readonly #listeners = new Set<() => void>();
  readonly #schedule: Schedule;

  /** `diagram` is what is run, as long as no entry has said so. */
  constructor(
    entries: readonly EventFrame[] = [],
    diagram: Diagram | null = null,
    schedule: Schedule = nextFrame,
  ) {
    this.#state = advance({ ...NOTHING, diagram }, entries);
    this.#schedule = schedule;
  }

  /** The state as it is shown; the same object until something has changed. */
  readonly get = (): RunState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Take in entries; the views hear of them with the next frame. */
  readonly take = (entries: readonly EventFrame[]): void => {
    this.#waiting.push(...entries);
    if (this.#scheduled || !this.#waiting.length) return;
    this.#scheduled = true;
    this.#schedule(() => this.flush());
  };

  /** Nobody goes on with the run, until entries tell otherwise. */
  readonly rest = (): void => {
    this.flush();
    if (isOver(this.#state)) return;
    const status = this.#state.status === "running" ? "paused" : this.#state.status;
    this.#set({ ...this.#state, asleep: true, status });
  };

  flush(): void {
    this.#scheduled = false;
    const entries = this.#waiting;
    this.#waiting = [];
    if (!entries.length) return;
    this.#set(advance(this.#state, entries));
  }

  #set(state: RunState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
