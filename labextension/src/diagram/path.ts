/** Lines as SVG draws them. */
import type { Point } from "./layout";

const RADIUS = 7;

/** The `d` of a line through points, its corners rounded; the end is left free for an arrow head. */
export function pathOf(points: readonly Point[], room = 5): string {
  const [first, ...rest] = points;
  if (!first) return "";
  const parts = [`M${first.x} ${first.y}`];
  for (const [index, point] of rest.entries()) {
    const before = points[index] as Point;
    const after = rest[index + 1];
    if (after) {
      const radius = Math.min(RADIUS, distance(before, point) / 2, distance(point, after) / 2);
      const [enter, leave] = [toward(point, before, radius), toward(point, after, radius)];
      parts.push(`L${enter.x} ${enter.y}Q${point.x} ${point.y} ${leave.x} ${leave.y}`);
    } else {
      const end = toward(point, before, Math.min(room, distance(before, point)));
      parts.push(`L${end.x} ${end.y}`);
    }
  }
  return parts.join("");
}

/** The `points` of an arrow head at the end of a line. */
export function headOf(points: readonly Point[], size = 7): string {
  const [end, before] = [points.at(-1), points.at(-2)];
  if (!end || !before) return "";
  const back = toward(end, before, size);
  const [across, along] = [(back.y - end.y) / 2, (end.x - back.x) / 2];
  return `${end.x},${end.y} ${back.x + across},${back.y + along} ${back.x - across},${back.y - along}`;
}

function distance(left: Point, right: Point): number {
  return Math.hypot(right.x - left.x, right.y - left.y);
}

function toward(from: Point, to: Point, length: number): Point {
  const share = length / (distance(from, to) || 1);
  return { x: round(from.x + (to.x - from.x) * share), y: round(from.y + (to.y - from.y) * share) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
