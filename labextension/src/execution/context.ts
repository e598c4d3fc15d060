/** What all views of one run share: its store, and what people may do. */
import { createContext, useContext, useMemo, useSyncExternalStore } from "react";
import type { Ack, Breakpoint, Command } from "../protocol/messages";
import { type NodeState, type RunState, untouched } from "./state";
import type { RunStore } from "./store";

/** A command about this run; who it is about is added. */
type OnRun<C> = C extends { execution_id: string } ? Omit<C, "execution_id"> : never;
export type RunCommand = OnRun<Command>;

export interface RunView {
  readonly store: RunStore;
  /** Null when nobody can be spoken to: the run is only looked at. */
  readonly ask: ((command: RunCommand) => Promise<Ack>) | null;
}

export const RunContext = createContext<RunView | null>(null);

export function useRunView(): RunView {
  const view = useContext(RunContext);
  if (view === null) throw new Error("this view stands outside of a RunContext");
  return view;
}

/** A part of the run's state; what `read` gives must be the same object while nothing changes. */
export function useRun<T>(read: (state: RunState) => T): T {
  const { store } = useRunView();
  return useSyncExternalStore(store.subscribe, () => read(store.get()));
}

export function useNode(label: string): NodeState {
  const nothing = useMemo(() => untouched(label), [label]);
  return useRun((state) => state.nodes.get(label)) ?? nothing;
}

/** The breakpoints with the one before a node set or taken away. */
export function toggled(breakpoints: readonly Breakpoint[], node: string): Breakpoint[] {
  const rest = breakpoints.filter((each) => each.node !== node);
  return rest.length < breakpoints.length ? rest : [...rest, { node }];
}
