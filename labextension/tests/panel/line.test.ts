import { expect, test } from "vitest";
import { lineOfSummary, nameOfRun, shortId } from "../../src/panel/runs/line";
import type { ExecutionSummary } from "../../src/protocol/messages";

const summary = {
  execution_id: "exec_01ABCDEFGHJKMNPQ",
  name: null,
  status: "failed",
  started: 2,
  events: 3,
  origin: "exec_0",
} as ExecutionSummary;

test("a run without a name is known by the ends of its id", () => {
  expect(nameOfRun(lineOfSummary(summary))).toBe("exec_…JKMNPQ");
});

test("a short id stays whole", () => {
  expect(shortId("exec_1")).toBe("exec_1");
});

test("a line has what its run has come to", () => {
  const found = { status: "failed", origin: "exec_0", waitingFor: [], started: 2000 };

  expect(lineOfSummary(summary)).toMatchObject(found);
});
