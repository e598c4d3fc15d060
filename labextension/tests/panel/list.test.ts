import { beforeEach, expect, test } from "vitest";
import { RunList } from "../../src/panel/runs/list";
import type { EventFrame, ExecutionSummary } from "../../src/protocol/messages";
import { entriesOf } from "../golden";

const entries = entriesOf("debate");
const id = entries[0]?.execution_id as string;

function summary(change: Partial<ExecutionSummary> = {}): ExecutionSummary {
  const usual = { execution_id: "exec_1", name: "Tea", status: "completed", started: 1, events: 9 };
  return { ...usual, ...change } as ExecutionSummary;
}

let list: RunList;
beforeEach(() => {
  list = new RunList((callback) => callback());
});

test("what the server lists stands there newest first", () => {
  list.list([summary(), summary({ execution_id: "exec_2", started: 2 })]);

  expect(list.get().lines.map((line) => line.id)).toEqual(["exec_2", "exec_1"]);
});

test("nothing is known before the server has listed its runs", () => {
  const before = list.get().known;
  list.list([]);

  expect([before, list.get().known]).toEqual([false, true]);
});

test("a run that goes on changes its own line", () => {
  list.take(entries.slice(0, 3));
  const running = list.get().lines[0]?.status;
  list.take(entries.slice(3));

  expect([running, list.get().lines[0]?.status]).toEqual(["running", "completed"]);
});

test("a line tells what its run has taken so far", () => {
  list.take(entries.slice(0, 7));

  expect(list.find(id)?.usage?.input_tokens).toBeGreaterThan(0);
});

test("a list that is older than what a run has told changes nothing", () => {
  list.take(entries.slice(0, -1));
  const before = list.find(id);
  list.list([summary({ execution_id: id, status: "pending", events: 2 })]);

  expect(list.find(id)).toEqual(before);
});

test("what the next server lists counts, whatever was told before", () => {
  list.take(entries.slice(0, 4));
  list.beginAgain();
  list.list([summary({ execution_id: id, status: "paused", events: 2 })]);

  expect(list.find(id)?.status).toBe("paused");
});

test("what is told again from the beginning counts once", () => {
  list.take(entries);
  const once = list.find(id);
  list.take(entries);

  expect(list.find(id)).toEqual(once);
});

test("a run that the server has forgotten leaves the list", () => {
  list.list([summary()]);
  list.list([]);

  expect(list.get().lines).toEqual([]);
});

test("the cost that a run has told is kept when the server lists it", () => {
  list.take(entries);
  const { usage } = list.find(id) ?? {};
  list.list([summary({ execution_id: id, events: entries.length })]);

  expect(list.find(id)?.usage).toEqual(usage);
});

test("pieces of answers change no line, and parts of runs have none", () => {
  const [first] = entries as [EventFrame];
  list.take([{ ...first, execution_id: `${id}/part` }]);
  const delta = { node: "for", activation: 1, text: "a" };
  list.take([{ ...first, type: "token_delta", payload: delta } as EventFrame]);

  expect(list.get().lines).toEqual([]);
});

test("whoever comes in the middle of a run tells nothing of it", () => {
  list.take(entries.slice(3));

  expect(list.get().lines).toEqual([]);
});

test("trouble is told until it is over", () => {
  const heard: (string | null)[] = [];
  list.subscribe(() => heard.push(list.get().problem));
  list.trouble("The server is away.");
  list.trouble("The server is away.");
  list.trouble(null);

  expect(heard).toEqual(["The server is away.", null]);
});
