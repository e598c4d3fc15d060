import { expect, test } from "vitest";
import { fold } from "../../src/execution/fold";
import { lineOfState, nameOfRun, shortId } from "../../src/panel/runs/line";
import { entriesOf } from "../golden";

test("a run without a name is known by the ends of its id", () => {
  const line = { ...lineOfState("exec_01ABCDEFGHJKMNPQ", fold([]), null), name: null };

  expect(nameOfRun(line)).toBe("exec_…JKMNPQ");
});

test("a short id stays whole", () => {
  expect(shortId("exec_1")).toBe("exec_1");
});

test("a line has what its run has come to", () => {
  const line = lineOfState("exec_1", fold(entriesOf("failing")), "exec_0");

  expect(line).toMatchObject({ status: "failed", origin: "exec_0", waitingFor: [] });
});
