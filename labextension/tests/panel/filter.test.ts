import { expect, test } from "vitest";
import { type Choice, fitting } from "../../src/panel/runs/filter";
import type { RunLine } from "../../src/panel/runs/line";

function line(id: string, change: Partial<RunLine>): RunLine {
  const usual = { name: null, status: "completed", started: 0, usage: null, origin: null } as const;
  return { id, waitingFor: [], ...usual, ...change };
}

const LINES = [
  line("exec_1", { name: "Debate on tea" }),
  line("exec_2", { name: "Launch", status: "waiting", waitingFor: ["approve"] }),
  line("exec_3", { status: "failed" }),
];

function shown(text: string, choice: Choice): string[] {
  return fitting(LINES, text, choice).map((each) => each.id);
}

test.each<[string, Choice, string[]]>([
  ["", "all", ["exec_1", "exec_2", "exec_3"]],
  ["TEA deb", "all", ["exec_1"]],
  ["approve", "all", ["exec_2"]],
  ["exec_3", "all", ["exec_3"]],
  ["coffee", "all", []],
  ["", "open", ["exec_2"]],
  ["", "failed", ["exec_3"]],
  ["tea", "failed", []],
])("the words %o and the choice %o show %o", (text, choice, ids) => {
  expect(shown(text, choice)).toEqual(ids);
});
