/** How a diagram is shown at first: all of it when that can be read, else its beginning. */

export const MARGIN = 20;
const SMALLEST = 0.45;
const LEAST_HEIGHT = 180;
const MOST_HEIGHT = 520;

export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The zoom at which all fits into a room so wide (and high), at most 1. */
export function zoomFor(layout: Size, room: { width: number; height?: number }): number {
  const across = (room.width - 2 * MARGIN) / Math.max(1, layout.width);
  const down =
    room.height === undefined ? 1 : (room.height - 2 * MARGIN) / Math.max(1, layout.height);
  return Math.min(1, across, down);
}

/** The height that a diagram gets in a room so wide. */
export function heightFor(layout: Size, width: number): number {
  const zoom = Math.max(SMALLEST, zoomFor(layout, { width }));
  const wanted = layout.height * zoom + 2 * MARGIN;
  return Math.round(Math.min(MOST_HEIGHT, Math.max(LEAST_HEIGHT, wanted)));
}

export function firstViewport(layout: Size, room: Size): Viewport {
  const zoom = Math.max(SMALLEST, zoomFor(layout, room));
  const [width, height] = [layout.width * zoom, layout.height * zoom];
  return {
    zoom,
    x: width + 2 * MARGIN > room.width ? MARGIN : (room.width - width) / 2,
    y: height + 2 * MARGIN > room.height ? MARGIN : (room.height - height) / 2,
  };
}

/** Whether all of a box can be seen. */
export function inSight(box: Size & { x: number; y: number }, view: Viewport, room: Size): boolean {
  const [left, top] = [box.x * view.zoom + view.x, box.y * view.zoom + view.y];
  const [right, bottom] = [left + box.width * view.zoom, top + box.height * view.zoom];
  return left >= 0 && top >= 0 && right <= room.width && bottom <= room.height;
}

/** At which sides there is more than can be seen, as classes. */
export function beyond(layout: Size, { x, zoom }: Viewport, room: Size): string {
  const left = x < 0 ? " has-left" : "";
  return x + layout.width * zoom > room.width ? `${left} has-right` : left;
}

/** How much of a box can be seen: all of it, its name, or only how it stands with it. */
export type Distance = "is-near" | "is-far" | "is-tiny";

export function distanceOf(zoom: number): Distance {
  if (zoom >= 0.58) return "is-near";
  return zoom >= 0.22 ? "is-far" : "is-tiny";
}
