import { describe, expect, test } from "vitest";
import { firings, goesOn, labelsOf, nodeOf, standing, stoppedAt } from "../../src/execution/derive";
import { advance, fold } from "../../src/execution/fold";
import { NOTHING, type NodeState, nameOf, type RunState } from "../../src/execution/state";
import { RunStore } from "../../src/execution/store";
import { plus } from "../../src/execution/usage";
import type { EventFrame } from "../../src/protocol/messages";
import { entriesOf, JOURNALS, stateOf } from "../golden";

/** A state as `tests/golden/states.py` writes it down. */
function told(state: RunState): unknown {
  const labels = labelsOf(state.diagram, state);
  const asked = labels.flatMap((label) => {
    const { question } = nodeOf(state, label);
    return question ? [[label, question.prompt]] : [];
  });
  return {
    status: state.status,
    stopped_at: stoppedAt(state),
    outputs: state.outputs,
    error: state.error?.message ?? null,
    breakpoints: state.breakpoints.map((each) => each.node),
    questions: Object.fromEntries(asked),
    messages: [...state.messages.keys()],
    usage: state.usage,
    spent: Object.fromEntries(state.spent),
    nodes: Object.fromEntries(labels.map((label) => [label, nodeOf(state, label).status])),
    activations: firings(state).map((each) => ({
      name: nameOf(each.node, each.number),
      status: each.status,
      outputs: each.outputs,
      person: each.person,
      seen: each.seen,
      usage: each.usage && plus(each.usage, {}),
      error: each.error?.message ?? null,
      log: each.log,
    })),
  };
}

describe.each(JOURNALS)("the journal %s", (journal) => {
  const entries = entriesOf(journal);

  test("adds up to what Python makes of it, half way and at the end", () => {
    const half = fold(entries.slice(0, Math.floor(entries.length / 2)));

    expect({ half: told(half), whole: told(fold(entries)) }).toEqual(stateOf(journal));
  });

  test("adds up to the same however it is cut into pieces", () => {
    const bitwise = entries.reduce((state, entry) => advance(state, [entry]), NOTHING);

    expect(bitwise).toEqual(fold(entries));
  });

  test("leaves the state before as it was", () => {
    const before = fold(entries.slice(0, 5));
    const copy = structuredClone(told(before));
    advance(before, entries.slice(5));

    expect(told(before)).toEqual(copy);
  });
});

test("a run that nobody goes on with stands, until more is told of it", () => {
  const entries = entriesOf("launch");
  const place = entries.findIndex((each) => each.type === "node_completed");
  const store = new RunStore(entries.slice(0, place), null, (callback) => callback());
  store.rest();
  const asleep = store.get();
  store.take(entries.slice(place, place + 1));

  expect([asleep.status, stoppedAt(asleep), asleep.recorded]).toEqual([
    "paused",
    "closed",
    "running",
  ]);
  expect([store.get().status, store.get().asleep]).toEqual(["running", false]);
});

test("what was at work when the process ended stands still", () => {
  const entries = entriesOf("launch");
  const place = entries.findIndex((each) => each.type === "node_started");
  const store = new RunStore(entries.slice(0, place + 1), null, (callback) => callback());
  const node = () => [...store.get().nodes.values()].find((each) => each.status === "running");
  const before = node() as NodeState;
  expect([standing(store.get(), before), goesOn(store.get())]).toEqual(["running", true]);

  store.rest();

  expect(node()).toBe(before);
  expect([standing(store.get(), before), goesOn(store.get())]).toEqual(["paused", false]);
});

test("a run that is over does not fall asleep", () => {
  const store = new RunStore(entriesOf("launch"));
  const before = store.get();
  store.rest();

  expect(store.get()).toBe(before);
});

test("what did not change is the same object afterwards", () => {
  const entries = entriesOf("launch");
  const before = fold(entries.slice(0, -1));

  expect(nodeOf(advance(before, entries.slice(-1)), "draft")).toBe(nodeOf(before, "draft"));
});

test("pieces of an answer add up, and are gone when it is there", () => {
  const entries = entriesOf("launch");
  const place = entries.findIndex(
    (each) => each.type === "node_started" && each.payload.node === "draft",
  );
  const started = fold(entries.slice(0, place + 1));
  const said = advance(started, [delta("Dear "), delta("reader")]);
  const done = fold(entries);

  expect(nodeOf(said, "draft").activations[0]?.text).toBe("Dear reader");
  expect(nodeOf(done, "draft").activations.map((each) => each.text)).toEqual(["", ""]);
});

test("an unknown entry of a later version changes nothing", () => {
  const before = fold(entriesOf("launch"));
  const later = { ...entriesOf("launch")[0], type: "of_tomorrow", seq: before.seq + 1 };

  const after = advance(before, [later as unknown as EventFrame]);

  expect(told(after)).toEqual(told(before));
});

function delta(text: string): EventFrame {
  return {
    type: "token_delta",
    payload: { node: "draft", activation: 1, text },
    timestamp: "2026-01-01T00:00:00Z",
    execution_id: "exec_1",
    seq: 9,
  };
}
