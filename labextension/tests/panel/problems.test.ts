import { expect, test } from "vitest";
import { fatalOf, placed, worstFirst } from "../../src/panel/document/problems";
import type { AskedPower, Problem } from "../../src/protocol/messages";

function problem(severity: Problem["severity"] & string, line: number): Problem {
  return { code: "x", message: `${severity} ${line}`, severity, line };
}

test("errors come before warnings before hints, and in the order of the lines", () => {
  const mixed = [
    problem("hint", 1),
    problem("error", 9),
    problem("warning", 2),
    problem("error", 3),
  ];

  expect(worstFirst(mixed).map((each) => each.message)).toEqual([
    "error 3",
    "error 9",
    "warning 2",
    "hint 1",
  ]);
});

test("only an error keeps a diagram from being run", () => {
  expect(fatalOf([problem("warning", 1), problem("hint", 2)])).toBeUndefined();
  expect(fatalOf([problem("hint", 2), { code: "x", message: "no severity" }])?.message).toBe(
    "no severity",
  );
});

test("a power stands where the hint for it stands, and one in another file at its own line", () => {
  const power: AskedPower = { code: "runs_shell", node: "tell", says: "", hint: "", digest: "a" };
  const hints = [3, 4].map((line) => ({ code: "runs_shell", message: "", node: `${line}`, line }));
  const place = placed([...hints, { code: "runs_shell", message: "", node: "tell", line: 5 }]);

  expect(place(power).line).toBe(5);
  expect(place({ ...power, file: "a.yaml", line: 9 }).line).toBe(9);
  expect(place({ ...power, node: "save" }).line).toBe(null);
});
