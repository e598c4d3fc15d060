import { describe, expect, test } from "vitest";
import { type Box, layoutOf } from "../../src/diagram/layout";
import { isDirection, nearest } from "../../src/diagram/nearest";
import { headOf, pathOf } from "../../src/diagram/path";
import { signOf } from "../../src/diagram/signs";
import { firstViewport, heightFor, inSight } from "../../src/diagram/viewport";
import { fold } from "../../src/execution/fold";
import type { Diagram } from "../../src/protocol/messages";
import { entriesOf } from "../golden";

const LAUNCH = fold(entriesOf("launch")).diagram as Diagram;
const PLACES = { width: 10, height: 10, boxes: {}, routes: {} };

function overlap(left: Box, right: Box): boolean {
  return (
    left.x < right.x + right.width &&
    right.x < left.x + left.width &&
    left.y < right.y + right.height &&
    right.y < left.y + left.height
  );
}

describe("a layout", () => {
  test("that was made for the diagram is taken as it is", () => {
    const { boxes, routes } = layoutOf(LAUNCH);
    const made = { ...PLACES, boxes, routes };

    expect(layoutOf(LAUNCH, made)).toBe(made);
    expect(layoutOf({ ...LAUNCH, edges: (LAUNCH.edges ?? []).slice(1) }, made)).not.toBe(made);
  });

  test("that was made before the diagram changed is made anew", () => {
    const changed = { ...LAUNCH, nodes: [...(LAUNCH.nodes ?? []), { label: "new", type: "job" }] };
    const { boxes } = layoutOf(LAUNCH);

    expect(Object.keys(layoutOf(changed, { ...PLACES, boxes }).boxes)).toContain("new");
  });

  test("keeps the positions of the file when all nodes have one", () => {
    const nodes = [
      { label: "a", type: "start", position: { x: -40, y: 7 } },
      { label: "b", type: "job", position: { x: 300, y: 107 } },
    ];
    const { boxes } = layoutOf({ nodes, edges: [] });

    expect([boxes.a, boxes.b]).toMatchObject([
      { x: 0, y: 0 },
      { x: 340, y: 100 },
    ]);
  });

  test("that is computed lays no box over another, and goes from left to right", () => {
    const { boxes, routes, width } = layoutOf(LAUNCH);
    const all = Object.values(boxes);
    const clashes = all.filter((each, index) =>
      all.slice(index + 1).some((other) => overlap(each, other)),
    );

    expect(clashes).toEqual([]);
    expect(boxes.numbers?.x).toBeGreaterThan(boxes.brief?.x ?? 0);
    expect([Object.keys(routes).length, width]).toEqual([LAUNCH.edges?.length, expect.any(Number)]);
  });

  test("leaves out edges that lead nowhere", () => {
    const nodes = [{ label: "a", type: "start" }];
    const edges = [{ source: "a", target: "gone" }];

    expect(layoutOf({ nodes, edges }).routes).toEqual({});
  });

  test("of nothing is nothing", () => {
    expect(layoutOf({})).toEqual({ width: 0, height: 0, boxes: {}, routes: {} });
  });
});

describe("a line", () => {
  const points = [
    { x: 0, y: 0 },
    { x: 50, y: 0 },
    { x: 50, y: 40 },
  ];

  test("has round corners, and ends before its arrow head", () => {
    expect(pathOf(points)).toBe("M0 0L43 0Q50 0 50 7L50 35");
    expect(headOf(points)).toBe("50,40 46.5,33 53.5,33");
  });

  test("that is short has smaller corners", () => {
    expect(pathOf([points[0], { x: 4, y: 0 }, { x: 4, y: 30 }] as typeof points)).toContain(
      "Q4 0 4 2",
    );
  });

  test("of no points is none", () => {
    expect([pathOf([]), headOf([])]).toEqual(["", ""]);
  });
});

describe("arrow keys", () => {
  const { boxes } = layoutOf({
    nodes: ["a", "b", "c"].map((label, index) => ({
      label,
      type: "job",
      position: { x: 300 * (index % 2), y: 100 * index },
    })),
  });
  const layout = { ...PLACES, boxes };

  test.each<["ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown", string, string | null]>([
    ["ArrowRight", "a", "b"],
    ["ArrowDown", "a", "c"],
    ["ArrowUp", "a", null],
    ["ArrowLeft", "b", "a"],
    ["ArrowUp", "gone", null],
  ])("%s leads from %s to %s", (key, from, to) => {
    expect(nearest(layout, from, key)).toBe(to);
  });

  test("are the only keys that lead anywhere", () => {
    expect(["ArrowUp", "a", "Tab", "toString"].filter(isDirection)).toEqual(["ArrowUp"]);
  });
});

describe("the first look", () => {
  test("shows all of a small diagram, in the middle, and not larger than it is", () => {
    expect(firstViewport({ width: 400, height: 100 }, { width: 800, height: 200 })).toEqual({
      zoom: 1,
      x: 200,
      y: 50,
    });
  });

  test("shows the beginning of one that could not be read as a whole", () => {
    expect(firstViewport({ width: 9000, height: 100 }, { width: 800, height: 200 })).toMatchObject({
      zoom: 0.45,
      x: 20,
    });
  });

  test("knows what of it is in sight", () => {
    const box = { x: 100, y: 0, width: 188, height: 60 };
    const room = { width: 300, height: 200 };

    expect([20, -150, 120].map((x) => inSight(box, { x, y: 0, zoom: 1 }, room))).toEqual([
      false,
      false,
      false,
    ]);
    expect(inSight(box, { x: 0, y: 0, zoom: 1 }, room)).toBe(true);
  });

  test("takes a height within bounds, whatever the diagram", () => {
    expect([
      heightFor({ width: 10, height: 10 }, 800),
      heightFor({ width: 10, height: 9000 }, 800),
    ]).toEqual([180, 520]);
  });
});

test("names that every object has are names like others", () => {
  const nodes = ["constructor", "toString", "__proto__"].map((label) => ({ label, type: label }));
  const diagram = { nodes, edges: [{ source: "constructor", target: "toString" }] };
  const { boxes, routes } = layoutOf(diagram);

  expect([boxes.constructor, boxes.toString].every((box) => typeof box === "object")).toBe(true);
  expect(Object.keys(routes)).toEqual(["0"]);
  expect(nodes.map(({ type }) => signOf(type).colour)).toEqual(["grey", "grey", "grey"]);
});
