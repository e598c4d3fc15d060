import type { Box } from "./layout";

/** The same boxes, moved so that the picture begins at its top left corner. */
export function tidy(boxes: readonly (readonly [string, Box])[]): Record<string, Box> {
  const left = Math.min(...boxes.map(([, box]) => box.x));
  const top = Math.min(...boxes.map(([, box]) => box.y));
  return Object.fromEntries(
    boxes.map(([label, box]) => [label, { ...box, x: box.x - left, y: box.y - top }]),
  );
}
