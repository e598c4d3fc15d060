/** Firings as bars on a line of time, tokens or dollars. */
import { firingName, firings, nodeOf } from "../execution/derive";
import { type Activation, isOver, type NodeStatus, type RunState } from "../execution/state";
import { costOf, shortNumber, shortTime, tokensOf } from "../execution/usage";

export type Measure = "time" | "tokens" | "cost";

/** `from` and `length` are shares of the whole, between 0 and 1. */
export interface Bar {
  readonly name: string;
  readonly node: string;
  readonly status: NodeStatus;
  readonly from: number;
  readonly length: number;
  readonly words: string;
}
export interface Row {
  readonly node: string;
  readonly bars: readonly Bar[];
  /** What all of them have taken. */
  readonly total: string;
}
export interface Chart {
  readonly rows: readonly Row[];
  readonly whole: string;
  /** What the beginning, the quarters and the end stand for. */
  readonly scale: readonly string[];
}

const QUARTERS = [0, 0.25, 0.5, 0.75, 1];

/** A firing that has begun is at work, or waits. */
function standing(state: RunState, firing: Activation): NodeStatus {
  return firing.status === "running" ? nodeOf(state, firing.node).status : firing.status;
}

interface Span {
  readonly from: number;
  readonly length: number;
}

/** A row for each node that has fired, in the order of their first firings. */
export function chartOf(state: RunState, measure: Measure, now: number): Chart {
  const all = firings(state);
  const spans = measure === "time" ? inTime(state, now) : addedUp(state, measure);
  const ends = spans.map((span) => span.from + span.length);
  const whole = Math.max(...ends, 0);
  const rows = new Map<string, Bar[]>();
  const totals = new Map<string, number>();
  for (const [index, firing] of all.entries()) {
    const { from, length } = spans[index] as Span;
    const share = { from: whole ? from / whole : 0, length: whole ? length / whole : 0 };
    const words = told(measure, length);
    const bar = {
      name: firingName(firing),
      node: firing.node,
      status: standing(state, firing),
      words,
      ...share,
    };
    rows.set(firing.node, [...(rows.get(firing.node) ?? []), bar]);
    totals.set(firing.node, (totals.get(firing.node) ?? 0) + length);
  }
  return {
    rows: [...rows].map(([node, bars]) => ({
      node,
      bars,
      total: totalOf(measure, totals.get(node) ?? 0),
    })),
    whole: told(measure, whole),
    scale: QUARTERS.map((share) => told(measure, share * whole)),
  };
}

function inTime(state: RunState, now: number): Span[] {
  const all = firings(state);
  const start = Math.min(...all.map((each) => each.started));
  const open = isOver(state) ? (state.ended ?? now) : now;
  return all.map((each) => ({
    from: each.started - start,
    length: each.duration ?? Math.max(0, open - each.started),
  }));
}

/** One behind the other: what has come before is where the next begins. */
function addedUp(state: RunState, measure: "tokens" | "cost"): Span[] {
  let from = 0;
  return firings(state).map(({ usage }) => {
    const length =
      usage === null ? 0 : measure === "tokens" ? tokensOf(usage) : (usage.nano_usd ?? 0);
    const span = { from, length };
    from += length;
    return span;
  });
}

/** Nothing of what took nothing that one could tell. */
function totalOf(measure: Measure, length: number): string {
  return length < 1 ? "" : told(measure, length);
}

function told(measure: Measure, length: number): string {
  if (measure === "time") return shortTime(length);
  return measure === "tokens" ? `${shortNumber(length)} tok` : costOf({ nano_usd: length });
}
