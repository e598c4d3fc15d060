import { expect, test } from "vitest";
import { edgeState, heardIn, nodeOf, progress, questions } from "../../src/execution/derive";
import { fold } from "../../src/execution/fold";
import type { Diagram } from "../../src/protocol/messages";
import { chartOf } from "../../src/views/chart";
import { unknownTo } from "../../src/views/known";
import { WISHES } from "../../src/views/steering";
import { entriesOf } from "../golden";

const ENTRIES = entriesOf("launch");
const RUN = fold(ENTRIES);
const DIAGRAM = RUN.diagram as Diagram;

function until(type: string, node?: string) {
  const place = ENTRIES.findLastIndex(
    (each) => each.type === type && (!node || (each.payload as { node?: string }).node === node),
  );
  return fold(ENTRIES.slice(0, place + 1));
}

test("a chart has a row for each node, and bars that fit", () => {
  const { rows } = chartOf(RUN, "time", 0);
  const bars = rows.flatMap((row) => row.bars);

  expect(rows.map((row) => row.node)).not.toContain("archived");
  expect(rows.find((row) => row.node === "draft")?.bars.map((each) => each.name)).toEqual([
    "draft[1]",
    "draft[2]",
  ]);
  expect(bars.every((bar) => bar.from >= 0 && bar.from + bar.length <= 1.0001)).toBe(true);
});

test("tokens and dollars are added up to the whole", () => {
  for (const measure of ["tokens", "cost"] as const) {
    const { rows, whole } = chartOf(RUN, measure, 0);
    const sum = rows.flatMap((row) => row.bars).reduce((all, bar) => all + bar.length, 0);

    expect([sum, whole]).toEqual([expect.closeTo(1), measure === "cost" ? "$0.0041" : "7.5k tok"]);
  }
});

test("a row tells what all its firings took, and nothing when that was nothing", () => {
  const { rows, scale } = chartOf(RUN, "cost", 0);
  const totals = Object.fromEntries(rows.map(({ node, total }) => [node, total]));

  expect(totals).toMatchObject({ draft: "$0.0015", enough: "" });
  expect(scale).toEqual(["$0.00", "$0.0010", "$0.0021", "$0.0031", "$0.0041"]);
});

test("a chart of nothing is empty", () => {
  expect(chartOf(fold([]), "time", 0)).toMatchObject({ rows: [], whole: "0 ms" });
});

test("the branch that was taken is live, the other one dead", () => {
  const states = (DIAGRAM.edges ?? []).map((edge) => [edge.target, edgeState(RUN, edge)]);

  expect(states).toContainEqual(["published", "live"]);
  expect(states).toContainEqual(["archived", "dead"]);
});

test("a value flows as long as the next node works on it", () => {
  const into = DIAGRAM.edges?.find((edge) => edge.target === "critique");

  expect(into && edgeState(until("node_started", "critique"), into)).toBe("flowing");
  expect(into && edgeState(fold(ENTRIES.slice(0, 2)), into)).toBe("idle");
});

test("a question is open until it is answered", () => {
  expect(questions(until("input_required")).map((each) => [each.node, each.activation])).toEqual([
    ["sign off", 1],
  ]);
  expect([until("input_required").status, questions(RUN)]).toEqual(["waiting", []]);
});

test("what was left out counts as settled", () => {
  expect(progress(RUN, DIAGRAM)).toEqual({ settled: 10, all: 10 });
});

test("a person is shown what the run says it was shown", () => {
  const [, second] = nodeOf(RUN, "draft").activations;
  const heard = second ? heardIn(RUN, second) : [];

  expect(heard.filter((each) => !each.forgotten).map((each) => each.message.id)).toEqual(
    second?.seen,
  );
  const said = nodeOf(RUN, "critique").activations[1]?.said[0] ?? "";

  expect(unknownTo(RUN, "Critic").has(said)).toBe(false);
  expect(unknownTo(RUN, "Nobody").get(said)).toBe("not seen");
});

test.each([
  ["running", until("node_started", "critique"), ["Pause", "Stop"]],
  ["waiting", until("input_required"), ["Pause", "Stop"]],
  ["paused", until("execution_paused"), ["Resume", "Step", "Stop"]],
  ["completed", RUN, []],
  ["failed", fold(entriesOf("failing")), ["Resume"]],
])("a run that is %s can be steered as far as that means something", (status, state, names) => {
  expect(state.status).toBe(status);
  expect(WISHES.filter((wish) => wish.meaningful(state)).map((wish) => wish.name)).toEqual(names);
});
