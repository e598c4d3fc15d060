/** What views read off a state. */
import type { Diagram, Edge, JsonValue, Message, Question } from "../protocol/messages";
import {
  type Activation,
  latest,
  type NodeState,
  type NodeStatus,
  nameOf,
  type RunState,
  untouched,
} from "./state";

export const DEFAULT_HANDLE = "default";

/** All firings, in the order in which they began. */
export function firings(state: RunState): Activation[] {
  const all = [...state.nodes.values()].flatMap((node) => node.activations);
  return all.sort((left, right) => left.order - right.order);
}

export function nodeOf(state: RunState, label: string): NodeState {
  return state.nodes.get(label) ?? untouched(label);
}

/** Whether a process goes on with the run, so that time counts. */
export function goesOn(state: RunState): boolean {
  return state.recorded === "running" && !state.asleep;
}

/** How a node stands: what was at work when the process ended stands still. */
export function standing(state: RunState, node: NodeState): NodeStatus {
  return state.asleep && node.status === "running" ? "paused" : node.status;
}

/** The value handed on: by the default handle, else by the one that was taken. */
export function outputOf(activation: Activation): JsonValue | undefined {
  const { outputs } = activation;
  return Object.hasOwn(outputs, DEFAULT_HANDLE)
    ? outputs[DEFAULT_HANDLE]
    : Object.values(outputs)[0];
}

export type EdgeState = "idle" | "flowing" | "live" | "dead";

/** Whether a value has come along an edge, will not come, or is just being worked on. */
export function edgeState(state: RunState, edge: Edge): EdgeState {
  const source = state.nodes.get(edge.source);
  const last = source?.activations.findLast((each) => each.status !== "running");
  if (last === undefined) return source?.skipped ? "dead" : "idle";
  if (last.status === "cancelled") return "idle";
  if (!Object.hasOwn(last.outputs, edge.source_handle ?? DEFAULT_HANDLE)) return "dead";
  const target = latest(state.nodes.get(edge.target));
  if (target === undefined) return state.nodes.get(edge.target)?.skipped ? "dead" : "live";
  const works = goesOn(state) && target.status === "running" && target.order > last.order;
  return works ? "flowing" : "live";
}

export interface Asked {
  readonly node: string;
  readonly activation: number;
  readonly question: Question;
}

/** The open questions, in the diagram's order. */
export function questions(state: RunState): Asked[] {
  return labelsOf(state.diagram, state).flatMap((label) => {
    const node = state.nodes.get(label);
    const firing = latest(node);
    const question = node?.question;
    return question && firing ? [{ node: label, activation: firing.number, question }] : [];
  });
}

/** The labels of all nodes, drawn ones first. */
export function labelsOf(diagram: Diagram | null, state: RunState): string[] {
  const drawn = (diagram?.nodes ?? []).map((node) => node.label);
  return [...new Set([...drawn, ...state.nodes.keys()])];
}

/** Where a paused run stands (`before argue[2]`), or else why; null when it goes on. */
export function stoppedAt(state: RunState): string | null {
  if (state.asleep && state.recorded === "running") return "closed";
  if (state.status !== "paused") return null;
  return state.pause === null ? "held" : (state.pause.at ?? state.pause.reason);
}

export interface Progress {
  readonly settled: number;
  readonly all: number;
}

/** How many nodes have fired or been left out, of how many. */
export function progress(state: RunState, diagram: Diagram): Progress {
  const labels = (diagram.nodes ?? []).map((node) => node.label);
  const settled = labels.filter((label) => {
    const node = state.nodes.get(label);
    return node !== undefined && (node.skipped || latest(node)?.duration != null);
  });
  return { settled: settled.length, all: labels.length };
}

/** Firings that say something right now. */
export function speaking(state: RunState): Activation[] {
  return firings(state).filter((each) => each.status === "running" && each.text !== "");
}

export interface Heard {
  readonly message: Message;
  /** Whether the person was shown it in this turn, or had known it before and was not. */
  readonly forgotten: boolean;
}

/** What a person was shown in a firing, and between it what it had known once and was not shown. */
export function heardIn(state: RunState, activation: Activation): Heard[] {
  const shown = new Set(activation.seen);
  const known = new Set(
    firings(state)
      .filter((each) => each.person === activation.person && each.order < activation.order)
      .flatMap((each) => [...each.seen, ...each.said]),
  );
  return [...state.messages.values()]
    .filter((message) => shown.has(message.id) || known.has(message.id))
    .map((message) => ({ message, forgotten: !shown.has(message.id) }));
}

export function firingName(activation: Activation): string {
  return nameOf(activation.node, activation.number);
}
