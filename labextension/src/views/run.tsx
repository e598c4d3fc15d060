/** A run as people look at it and steer it: the same in a notebook and in a panel. */
import { useCallback, useMemo, useState } from "react";
import type { Layout } from "../diagram/layout";
import { Place } from "../diagram/place";
import { type Selection, SelectionContext } from "../diagram/selection";
import {
  RunContext,
  type RunView as Shared,
  toggled,
  useRun,
  useRunView,
} from "../execution/context";
import { questions } from "../execution/derive";
import { isOver, nameOf } from "../execution/state";
import type { Complain } from "./controls";
import { Conversation } from "./conversation";
import { Divider } from "./divider";
import { Heading } from "./heading";
import { Inspector } from "./inspector";
import { escapes, KEYS } from "./keys";
import { Present } from "./present";
import { QuestionForm } from "./question";
import { Tabs } from "./tabs";
import { Timeline } from "./timeline";

interface RunViewProps extends Shared {
  /** Where the parts of the diagram stand, if that is known. */
  readonly layout: Layout | null;
  /** Take all the height there is, and not what the diagram needs. */
  readonly fill?: boolean;
}

export function RunView({ store, ask, layout, fill = false }: RunViewProps) {
  const shared = useMemo(() => ({ store, ask }), [store, ask]);
  return (
    <RunContext.Provider value={shared}>
      <Whole layout={layout} fill={fill} />
    </RunContext.Provider>
  );
}

function Whole({ layout, fill }: { layout: Layout | null; fill: boolean }) {
  const diagram = useRun((state) => state.diagram);
  const [problem, complain] = useState<string | null>(null);
  const selection = useSelection(complain);
  const { selected, select } = selection;
  if (diagram === null) return <p className="dipeo-run">Nothing is known of this run yet.</p>;
  return (
    <SelectionContext.Provider value={selection}>
      <section
        {...KEYS}
        onKeyDown={escapes(selected, () => select(null))}
        className={`dipeo-run${fill ? " is-filling" : ""}`}
        aria-label={`Run of ${diagram.name ?? "a diagram"}`}
      >
        <Heading diagram={diagram} problem={problem} complain={complain} />
        <Place diagram={diagram} layout={layout} fill={fill} />
        {fill && <Divider />}
        <Questions />
        {selected === null ? (
          <Panel />
        ) : (
          <Inspector key={selected} label={selected} close={() => select(null)} />
        )}
      </section>
    </SelectionContext.Provider>
  );
}

function Panel() {
  const [tab, choose] = useState("Now");
  const end = useRun((state) => (state.recorded === "failed" ? "Error" : "Result"));
  const over = useRun(isOver);
  const messages = useRun((state) => state.messages.size);
  return (
    <Tabs
      label="Run"
      chosen={tab}
      choose={choose}
      tabs={[
        { name: over ? end : "Now", view: () => <Present /> },
        { name: "Conversation", badge: messages || undefined, view: () => <Conversation /> },
        { name: "Timeline", view: () => <Timeline /> },
      ]}
    />
  );
}

function Questions() {
  const state = useRun((whole) => whole);
  return questions(state).map((asked) => (
    <QuestionForm key={nameOf(asked.node, asked.activation)} asked={asked} />
  ));
}

function useSelection(complain: Complain): Selection {
  const { store, ask } = useRunView();
  const over = useRun(isOver);
  const [selected, select] = useState<string | null>(null);
  const toggle = useCallback(
    (label: string) => {
      const breakpoints = toggled(store.get().breakpoints, label);
      ask?.({ type: "set_breakpoints", breakpoints }).then(
        () => complain(null),
        (error: Error) => complain(error.message),
      );
    },
    [store, ask, complain],
  );
  const toggleBreakpoint = ask === null || over ? null : toggle;
  return useMemo(() => ({ selected, select, toggleBreakpoint }), [selected, toggleBreakpoint]);
}
