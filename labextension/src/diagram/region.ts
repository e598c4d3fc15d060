/** The part of a diagram in which lines are drawn: what is in sight, and somewhat more. */
import type { Point } from "./layout";
import type { Size, Viewport } from "./viewport";

/** `step left top`: the same words as long as it is the same region. */
export type Region = string;

/** A square of two steps each way. A view is not wider than a step, and always inside. */
export function regionOf({ x, y, zoom }: Viewport, { width, height }: Size): Region {
  const step = 2 ** Math.ceil(Math.log2(Math.max(width, height, 1) / zoom));
  return `${step} ${Math.floor(-x / zoom / step)} ${Math.floor(-y / zoom / step)}`;
}

/** Whether a line through these points may be seen there. */
export function isIn(region: Region, points: readonly Point[]): boolean {
  const [step = 0, column = 0, row = 0] = region.split(" ").map(Number);
  const [left, top] = [column * step, row * step];
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
  return (
    Math.max(...xs) >= left &&
    Math.min(...xs) <= left + 2 * step &&
    Math.max(...ys) >= top &&
    Math.min(...ys) <= top + 2 * step
  );
}
