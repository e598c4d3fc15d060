/** Diagrams of any size, already laid out: what the benchmark draws. */
import type { Layout, Route } from "../src/diagram/layout";
import type { Diagram, EventFrame } from "../src/protocol/messages";

const PER_COLUMN = 10;
const TYPES = ["job", "person_job", "condition", "db"];
const [WIDE, HIGH, BOX] = [260, 90, { width: 188, height: 60 }];

/** Columns of nodes, each of which hands on to two of the next column. */
export function synthetic(count: number): { entries: EventFrame[]; layout: Layout } {
  const nodes = Array.from({ length: count }, (_, index) => ({
    label: `node ${index}`,
    type: TYPES[index % TYPES.length] as string,
    props: {},
  }));
  const place = (index: number) => ({
    x: Math.floor(index / PER_COLUMN) * WIDE,
    y: (index % PER_COLUMN) * HIGH,
  });
  const edges: Diagram["edges"] = [];
  const routes: Record<string, Route> = {};
  for (let index = PER_COLUMN; index < count; index++) {
    for (const before of new Set([
      index - PER_COLUMN,
      index - PER_COLUMN + ((index + 1) % PER_COLUMN ? 1 : 0),
    ])) {
      const [from, to] = [place(before), place(index)];
      const [x, y1, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.y + BOX.height / 2];
      const middle = (x + to.x) / 2;
      routes[edges.length] = {
        points: [
          { x, y: y1 },
          { x: middle, y: y1 },
          { x: middle, y: y2 },
          { x: to.x, y: y2 },
        ],
        tags: [],
      };
      edges.push({ source: `node ${before}`, target: `node ${index}` });
    }
  }
  const boxes = Object.fromEntries(
    nodes.map(({ label }, index) => [label, { ...place(index), ...BOX }]),
  );
  const width = Math.ceil(count / PER_COLUMN) * WIDE - (WIDE - BOX.width);
  const layout = { width, height: PER_COLUMN * HIGH - (HIGH - BOX.height), boxes, routes };
  const diagram = { name: `${count} nodes`, nodes, edges, persons: {} };
  return { layout, entries: [started(diagram)] };
}

function started(diagram: Diagram): EventFrame {
  return {
    type: "execution_started",
    payload: {
      diagram,
      inputs: {},
      max_concurrency: 20,
      max_rounds: 100,
      breakpoints: [],
      fresh: false,
      thread: null,
      origin: null,
      parent: null,
      values: {},
      before: [],
      generation: 0,
      budget: {},
      traceparent: null,
    },
    timestamp: new Date().toISOString(),
    execution_id: "exec_synthetic",
    seq: 1,
  } as unknown as EventFrame;
}
