/** A state that is being advanced: what is touched is copied once, all the rest is shared. */
import type { EventFrame, Message, Usage } from "../protocol/messages";
import {
  type Activation,
  latest,
  type NodeState,
  type NodeStatus,
  nameOf,
  type RunState,
  type RunStatus,
  untouched,
} from "./state";
import { plus, tokensOf } from "./usage";

type Open<T> = { -readonly [K in keyof T]: T[K] };

export class Draft {
  readonly run: Open<RunState>;
  readonly #nodes: Map<string, NodeState>;
  #messages: Map<string, Message> | null = null;
  #spent: Map<string, Required<Usage>> | null = null;

  constructor(from: RunState) {
    this.#nodes = new Map(from.nodes);
    this.run = { ...from, nodes: this.#nodes };
  }

  node(label: string): NodeState {
    return this.#nodes.get(label) ?? untouched(label);
  }

  change(label: string, changes: Partial<NodeState>): void {
    const node = { ...this.node(label), ...changes };
    this.#nodes.set(label, { ...node, status: shownStatus(node) });
  }

  forget(): void {
    this.#nodes.clear();
  }

  begin(activation: Activation): void {
    const { activations } = this.node(activation.node);
    this.change(activation.node, { activations: [...activations, activation] });
  }

  /** Change the latest firing of a node, and what is asked of people there. */
  amend(label: string, changes: Partial<Activation>, more: Partial<NodeState> = {}): void {
    const { activations } = this.node(label);
    const last = activations.at(-1);
    if (last === undefined) return;
    this.change(label, {
      ...more,
      activations: [...activations.slice(0, -1), { ...last, ...changes }],
    });
  }

  /** A firing was interrupted: it will start again, and has not happened. */
  takeBack(label: string): void {
    const { activations } = this.node(label);
    this.change(label, { activations: activations.slice(0, -1), question: null });
  }

  /** All is gone through from the beginning, with what had been said before. */
  beginWith(before: readonly Message[]): void {
    this.run.messages = this.#messages = new Map();
    this.run.spent = this.#spent = new Map();
    this.say(before);
  }

  say(messages: readonly Message[]): void {
    this.run.messages = this.#messages ??= new Map(this.run.messages);
    for (const message of messages) this.#messages.set(message.id, message);
  }

  /** Count a call when it is done; what else a firing has taken, when that ends. */
  spend(node: string, activation: number, usage: Usage, whole: boolean): void {
    const name = nameOf(node, activation);
    const before = this.run.spent.get(name);
    const rest = whole && before ? plus(usage, before, -1) : plus(usage, {});
    if (whole && rest.calls <= 0 && tokensOf(rest) <= 0) return;
    this.run.usage = plus(this.run.usage, rest);
    this.run.spent = this.#spent ??= new Map(this.run.spent);
    this.#spent.set(name, plus(before ?? {}, rest));
  }

  done(entry: EventFrame): RunState {
    this.run.seq = entry.seq;
    this.run.asleep = false;
    this.run.status = this.#shown();
    return this.run;
  }

  #shown(): RunStatus {
    if (this.run.recorded !== "running") return this.run.recorded;
    let [running, asked, held] = [0, 0, false];
    for (const node of this.#nodes.values()) {
      held ||= node.held;
      if (latest(node)?.status !== "running") continue;
      running++;
      if (node.question) asked++;
    }
    if (running && running === asked) return "waiting";
    return held && !running ? "paused" : "running";
  }
}

function shownStatus(node: NodeState): NodeStatus {
  const last = latest(node);
  if (node.held && last?.status !== "running") return "paused";
  if (last === undefined) return node.skipped ? "skipped" : "pending";
  return last.status === "running" && node.question ? "waiting" : last.status;
}
