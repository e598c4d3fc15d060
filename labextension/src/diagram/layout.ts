/** Where everything stands: as Python has laid it out, else as the file says, else computed here. */
import { layout as arrange, Graph } from "@dagrejs/dagre";
import type { Diagram, Edge } from "../protocol/messages";
import { tidy } from "./tidy";

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}
export interface Tag extends Point {
  readonly text: string;
  readonly width: number;
}
export interface Route {
  readonly points: readonly Point[];
  readonly tags: readonly Tag[];
}
/** Units are pixels; `routes` go by the edge's place in `diagram.edges`. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: Readonly<Record<string, Box>>;
  readonly routes: Readonly<Record<string, Route>>;
}

export const BOX = { width: 188, height: 60 };
const GAPS = { nodesep: 28, ranksep: 64 };

/** The layout of a diagram; `made` is one that was computed elsewhere, if it is of this diagram. */
export function layoutOf(diagram: Diagram, made?: Layout | null): Layout {
  if (made && fits(diagram, made)) return made;
  const boxes = placed(diagram) ?? computed(diagram);
  const routes = (diagram.edges ?? []).flatMap((edge, index) => {
    const [source, target] = [boxes[edge.source], boxes[edge.target]];
    return source && target ? [[index, straight(edge, source, target)] as const] : [];
  });
  return { ...extent(Object.values(boxes)), boxes, routes: Object.fromEntries(routes) };
}

function fits(diagram: Diagram, made: Layout): boolean {
  const [nodes, labels] = [diagram.nodes ?? [], Object.keys(made.boxes)];
  if (nodes.length !== labels.length) return false;
  const there = (label: string): boolean => Object.hasOwn(made.boxes, label);
  const joined = (diagram.edges ?? []).filter((edge) => there(edge.source) && there(edge.target));
  return (
    nodes.every(({ label }) => there(label)) && joined.length === Object.keys(made.routes).length
  );
}

/** The positions of the file, moved to the top left corner; null unless all nodes have one. */
function placed(diagram: Diagram): Record<string, Box> | null {
  const boxes: [string, Box][] = [];
  for (const { label, position } of diagram.nodes ?? []) {
    if (!position) return null;
    boxes.push([label, { ...position, ...BOX }]);
  }
  return tidy(boxes);
}

function computed(diagram: Diagram): Record<string, Box> {
  const nodes = diagram.nodes ?? [];
  // By their places: dagre keeps names in objects, where `constructor` is taken.
  const places = new Map(nodes.map(({ label }, place) => [label, `${place}`]));
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", ...GAPS });
  for (const place of places.values()) graph.setNode(place, { ...BOX });
  for (const [index, edge] of (diagram.edges ?? []).entries()) {
    const [source, target] = [places.get(edge.source), places.get(edge.target)];
    if (source && target) graph.setEdge(source, target, {}, `e${index}`);
  }
  arrange(graph);
  // dagre tells the middles of boxes.
  return tidy(
    [...places].map(([label, place]) => {
      const { x, y } = graph.node(place) as Point;
      return [label, { x: x - BOX.width / 2, y: y - BOX.height / 2, ...BOX }];
    }),
  );
}

function extent(boxes: readonly Box[]): { width: number; height: number } {
  return {
    width: Math.max(0, ...boxes.map((box) => box.x + box.width)),
    height: Math.max(0, ...boxes.map((box) => box.y + box.height)),
  };
}

/** Out at the right, in at the left, with right angles; below the boxes when it leads back. */
function straight(edge: Edge, source: Box, target: Box): Route {
  const from = { x: source.x + source.width, y: source.y + source.height / 2 };
  const to = { x: target.x, y: target.y + target.height / 2 };
  const middle = (from.x + to.x) / 2;
  const below = Math.max(source.y + source.height, target.y + target.height) + 18;
  const points =
    to.x - from.x > 16
      ? [from, { x: middle, y: from.y }, { x: middle, y: to.y }, to]
      : [
          from,
          { x: from.x + 14, y: from.y },
          { x: from.x + 14, y: below },
          { x: to.x - 14, y: below },
          { x: to.x - 14, y: to.y },
          to,
        ];
  return { points, tags: words(edge, points) };
}

function words(edge: Edge, points: readonly Point[]): Tag[] {
  const handle =
    edge.source_handle === "default" ? "" : (edge.source_handle ?? "").replace(/^cond/, "");
  const text = [handle, edge.label].filter(Boolean).join(" · ");
  const [from, to] = [
    points[Math.floor(points.length / 2) - 1],
    points[Math.floor(points.length / 2)],
  ];
  if (!text || !from || !to) return [];
  return [{ text, x: (from.x + to.x) / 2, y: (from.y + to.y) / 2, width: 6.2 * text.length + 6 }];
}
