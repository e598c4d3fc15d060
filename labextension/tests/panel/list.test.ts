import { beforeEach, expect, test } from "vitest";
import { RunList } from "../../src/panel/runs/list";
import type { ExecutionSummary, Usage } from "../../src/protocol/messages";

function summary(change: Partial<ExecutionSummary> = {}): ExecutionSummary {
  const usual = { execution_id: "exec_1", name: "Tea", status: "completed", started: 1, events: 9 };
  return { ...usual, ...change } as ExecutionSummary;
}

let list: RunList;
beforeEach(() => {
  list = new RunList();
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
  list.list([summary({ execution_id: "exec_2" })]);
  list.tell(summary({ status: "running" }));
  const running = list.find("exec_1")?.status;
  list.tell(summary());

  expect([running, list.find("exec_1")?.status]).toEqual(["running", "completed"]);
});

test("a list that is older than what was told since changes nothing", () => {
  list.tell(summary({ status: "running" }));
  list.list([summary({ status: "pending", events: 2 })]);

  expect(list.find("exec_1")?.status).toBe("running");
});

test("what the next server lists counts, whatever was told before", () => {
  list.tell(summary({ status: "running" }));
  list.beginAgain();
  list.list([summary({ status: "paused", events: 2 })]);

  expect(list.find("exec_1")?.status).toBe("paused");
});

test("a run that has begun since the list was made stays", () => {
  list.tell(summary({ status: "running" }));
  list.list([]);

  expect(list.get().lines.map((line) => line.id)).toEqual(["exec_1"]);
});

test("a run that the server has forgotten leaves the list", () => {
  list.list([summary()]);
  list.list([]);

  expect(list.get().lines).toEqual([]);
});

test("the cost that is known is kept when the server does not tell it", () => {
  list.tell(summary({ usage: { nano_usd: 5 } as Usage }));
  list.list([summary()]);

  expect(list.find("exec_1")?.usage?.nano_usd).toBe(5);
});

test("trouble is told until it is over", () => {
  const heard: (string | null)[] = [];
  list.subscribe(() => heard.push(list.get().problem));
  list.trouble("The server is away.");
  list.trouble("The server is away.");
  list.trouble(null);

  expect(heard).toEqual(["The server is away.", null]);
});
