/** One line on the whole run: how it stands, how far it is, what it has taken. */
import { Mark } from "../diagram/node";
import { useRun } from "../execution/context";
import { goesOn, progress, stoppedAt } from "../execution/derive";
import { useNow } from "../execution/now";
import type { RunState } from "../execution/state";
import { costOf, shortNumber, shortTime, tokensOf } from "../execution/usage";
import type { Diagram } from "../protocol/messages";
import { type Complain, Controls } from "./controls";

interface HeadingProps {
  readonly diagram: Diagram;
  readonly problem: string | null;
  readonly complain: Complain;
}

export function Heading({ diagram, problem, complain }: HeadingProps) {
  const status = useRun((state) => state.status);
  const standing = useRun(standingOf);
  return (
    <header className="dipeo-heading">
      <div className="dipeo-title">
        <Mark status={status} />
        <b title={diagram.name ?? undefined}>{diagram.name ?? "Run"}</b>
        <span role="status" className="dipeo-standing" title={standing}>
          {standing}
        </span>
      </div>
      <Counters diagram={diagram} />
      <Controls complain={complain} />
      <Bar diagram={diagram} />
      {problem && (
        <p className="dipeo-wrong" role="alert">
          {problem}
        </p>
      )}
    </header>
  );
}

const WHY: Record<string, string> = {
  asked: "",
  steps: "after a step",
  edited: "after a change",
  budget: "· the budget is used up",
  journal: "· it cannot be written down",
  closed: "· its process has ended",
  held: "· a node is held",
};

/** `paused before argue[2]` */
function standingOf(state: RunState): string {
  const where = stoppedAt(state) ?? "";
  const ending = state.status === "paused" && atWork(state).join(", ");
  return [state.status, WHY[where] ?? where, ending && `· ${ending} still at work`]
    .filter(Boolean)
    .join(" ");
}

/** Who ends what they have begun, though nothing new begins. */
function atWork({ nodes, pause, asleep }: RunState): string[] {
  if (asleep || pause?.reason === "closed") return [];
  return [...nodes.values()].filter((each) => each.status === "running").map(({ label }) => label);
}

function Counters({ diagram }: { diagram: Diagram }) {
  const usage = useRun((state) => state.usage);
  const done = useRun((state) => counted(state, diagram));
  const began = useRun((state) => state.began);
  const ended = useRun((state) => state.ended);
  const now = useNow(useRun(goesOn));
  const asleep = useRun((state) => state.asleep);
  return (
    <div className="dipeo-counters">
      <span title="Nodes that are done">
        {done}
        <span className="dipeo-unit"> nodes</span>
      </span>
      {tokensOf(usage) > 0 && (
        <span title="Tokens, in and out">{shortNumber(tokensOf(usage))} tok</span>
      )}
      {usage.calls > 0 && <span title="Cost so far">{costOf(usage)}</span>}
      {began !== null && !asleep && (
        <span title="Time">{shortTime(Math.max(0, (ended ?? now) - began))}</span>
      )}
    </div>
  );
}

function counted(state: RunState, diagram: Diagram): string {
  const { settled, all } = progress(state, diagram);
  return `${settled}/${all}`;
}

function Bar({ diagram }: { diagram: Diagram }) {
  const share = useRun((state) => {
    const { settled, all } = progress(state, diagram);
    return state.recorded === "completed" || !all ? 1 : settled / all;
  });
  const kind = useRun((state) => state.status);
  return (
    <div
      className={`dipeo-bar is-${kind}`}
      role="progressbar"
      aria-label="Progress"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
    >
      <i style={{ transform: `scaleX(${share})` }} />
    </div>
  );
}
