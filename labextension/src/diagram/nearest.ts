/** Which node the arrow keys lead to. */
import type { Box, Layout } from "./layout";

export type Direction = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";
const WAYS: Record<Direction, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function isDirection(key: string): key is Direction {
  return Object.hasOwn(WAYS, key);
}

/** The closest node on that side; those straight ahead are preferred. */
export function nearest(layout: Layout, from: string, direction: Direction): string | null {
  const here = layout.boxes[from];
  if (!here) return null;
  const [across, down] = WAYS[direction];
  let [best, least]: [string | null, number] = [null, Number.POSITIVE_INFINITY];
  for (const [label, box] of Object.entries(layout.boxes)) {
    const [right, below] = [middle(box).x - middle(here).x, middle(box).y - middle(here).y];
    const ahead = right * across + below * down;
    const aside = Math.abs(right * down) + Math.abs(below * across);
    const far = ahead + 2 * aside;
    if (ahead > 1 && far < least) [best, least] = [label, far];
  }
  return best;
}

function middle(box: Box): { x: number; y: number } {
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
