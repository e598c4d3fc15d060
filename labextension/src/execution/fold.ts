/** A run's state is the sum of its entries: `advance` is the only way it changes, and it is pure. */
import type { EventFrame, ExecutionEdited, ExecutionStarted } from "../protocol/messages";
import { Draft } from "./draft";
import { type Activation, latest, NOTHING, nameOf, type RunState } from "./state";

/** The state after some more entries, all of which follow those before. */
export function advance(state: RunState, entries: readonly EventFrame[]): RunState {
  const last = entries.at(-1);
  if (last === undefined) return state;
  const draft = new Draft(state);
  for (const entry of entries) apply(draft, entry);
  return draft.done(last);
}

export function fold(entries: readonly EventFrame[]): RunState {
  return advance(NOTHING, entries);
}

function apply(draft: Draft, entry: EventFrame): void {
  const { run } = draft;
  switch (entry.type) {
    case "execution_started":
      run.recorded = "running";
      run.began = Date.parse(entry.timestamp);
      run.breakpoints = entry.payload.breakpoints;
      run.thread = entry.payload.thread ?? null;
      run.budget = entry.payload.budget ?? null;
      beginWith(draft, entry.payload);
      break;
    case "execution_edited":
      beginAgain(draft, entry.payload);
      break;
    case "execution_resumed":
      run.recorded = "running";
      [run.pause, run.error, run.ended] = [null, null, null];
      run.budget = entry.payload.budget ?? run.budget;
      for (const label of run.gaveUp) draft.takeBack(label);
      run.gaveUp = [];
      break;
    case "execution_recovered":
      for (const node of run.nodes.values()) {
        const firing = latest(node);
        const name = firing && nameOf(firing.node, firing.number);
        if (name && entry.payload.repeated.includes(name))
          draft.amend(node.label, { log: [], text: "" });
      }
      break;
    case "execution_paused":
      run.recorded = "paused";
      run.pause = { type: entry.type, ...entry.payload };
      for (const label of entry.payload.interrupted) draft.takeBack(label);
      break;
    case "breakpoints_set":
      run.breakpoints = entry.payload.breakpoints;
      break;
    case "execution_completed":
      run.recorded = "completed";
      run.outputs = entry.payload.outputs;
      run.ended = Date.parse(entry.timestamp);
      break;
    case "execution_failed":
      run.recorded = "failed";
      run.error = entry.payload.error;
      run.ended = Date.parse(entry.timestamp);
      break;
    case "execution_cancelled":
      cancel(draft);
      run.ended = Date.parse(entry.timestamp);
      break;
    default:
      applyToNode(draft, entry);
  }
}

function applyToNode(draft: Draft, entry: EventFrame): void {
  switch (entry.type) {
    case "node_started":
      draft.begin(firing(entry));
      break;
    case "node_progress": {
      const log = latest(draft.node(entry.payload.node))?.log ?? [];
      draft.amend(entry.payload.node, { log: [...log, entry.payload.message] });
      break;
    }
    case "token_delta": {
      const text = latest(draft.node(entry.payload.node))?.text ?? "";
      draft.amend(entry.payload.node, { text: text + entry.payload.text });
      break;
    }
    case "node_completed":
      complete(draft, entry);
      break;
    case "node_failed": {
      const { node, activation, error, outputs, duration_ms: duration, usage } = entry.payload;
      const failed = {
        status: "failed",
        error,
        outputs: outputs ?? {},
        duration,
        usage: usage ?? null,
      } as const;
      draft.amend(node, failed, { question: null });
      if (outputs === null) draft.run.gaveUp = [...draft.run.gaveUp, node];
      if (usage) draft.spend(node, activation, usage, true);
      break;
    }
    case "effect_completed":
      if (entry.payload.usage) {
        draft.spend(entry.payload.node, entry.payload.activation, entry.payload.usage, false);
      }
      break;
    case "node_skipped":
      draft.change(entry.payload.node, { skipped: true });
      break;
    case "input_required":
      draft.change(entry.payload.node, { question: entry.payload.question });
      break;
    case "input_received":
      draft.change(entry.payload.node, { question: null });
      break;
    case "node_paused":
      draft.change(entry.payload.node, { held: true });
      break;
    case "node_resumed":
      draft.change(entry.payload.node, { held: false });
      break;
    case "skip_requested":
      if (latest(draft.node(entry.payload.node))?.status === "running") {
        draft.takeBack(entry.payload.node);
      }
      break;
    default: // what tells of the run but changes nothing that is shown here
  }
}

function complete(draft: Draft, entry: EventFrame & { type: "node_completed" }): void {
  const { node, activation, outputs, person, messages, seen, usage, cached } = entry.payload;
  const said = messages.map((message) => message.id);
  const status = cached ? "cached" : "completed";
  const duration = entry.payload.duration_ms;
  draft.amend(
    node,
    { status, outputs, person, said, seen, usage, duration, text: "" },
    { question: null },
  );
  draft.say(messages);
  if (usage) draft.spend(node, activation, usage, true);
}

function firing(entry: EventFrame & { type: "node_started" }): Activation {
  return {
    node: entry.payload.node,
    number: entry.payload.activation,
    order: entry.seq,
    started: Date.parse(entry.timestamp),
    status: "running",
    inputs: entry.payload.inputs,
    outputs: {},
    person: null,
    said: [],
    seen: [],
    usage: null,
    error: null,
    duration: null,
    log: [],
    text: "",
  };
}

function beginWith(draft: Draft, event: Pick<ExecutionStarted, "diagram" | "before">): void {
  // What was saved of a very large one may leave it out.
  draft.run.diagram = event.diagram ?? draft.run.diagram;
  draft.beginWith(event.before);
}

/** The run is gone through again from its beginning; nothing has happened in it yet. */
function beginAgain(draft: Draft, event: Omit<ExecutionEdited, "type">): void {
  const { run } = draft;
  const held = [...run.nodes.values()].filter((node) => node.held);
  draft.forget();
  for (const { label } of held) draft.change(label, { held: true });
  run.recorded = "paused";
  run.pause = {
    type: "execution_paused",
    interrupted: [],
    reason: "edited",
    at: null,
    message: null,
  };
  [run.outputs, run.error, run.ended] = [{}, null, null];
  run.gaveUp = [];
  beginWith(draft, event);
}

function cancel(draft: Draft): void {
  draft.run.recorded = "cancelled";
  for (const node of [...draft.run.nodes.values()]) {
    draft.change(node.label, { question: null });
    if (latest(node)?.status === "running") draft.amend(node.label, { status: "cancelled" });
  }
}
