/** What of a diagram is in sight, as long as nobody has moved it by hand. */
import { useReactFlow } from "@xyflow/react";
import { useCallback, useEffect, useRef } from "react";
import { useRun } from "../execution/context";
import { latest, type RunState } from "../execution/state";
import type { Layout } from "./layout";
import { firstViewport, inSight, type Size } from "./viewport";

/** Milliseconds from one move to the next: whoever looks must be able to follow. */
const CALM = 1500;
const GLIDE = 400;

/** Fits the diagram into a room that changes, and follows what happens out of sight. */
export function useSight(layout: Layout, { width, height }: Size): (event: unknown) => void {
  const { setViewport, getViewport, setCenter } = useReactFlow();
  const moved = useRef(false);
  const last = useRef(0);
  const begun = useRun(lastBegun);

  useEffect(() => {
    if (!moved.current) setViewport(firstViewport(layout, { width, height }));
  }, [layout, width, height, setViewport]);

  useEffect(() => {
    const box = begun === null ? undefined : layout.boxes[begun];
    if (!box || moved.current || performance.now() - last.current < CALM) return;
    const viewport = getViewport();
    if (inSight(box, viewport, { width, height })) return;
    last.current = performance.now();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    setCenter(x, y, { zoom: viewport.zoom, duration: GLIDE });
  }, [begun, layout, width, height, getViewport, setCenter]);

  return useCallback((event) => {
    if (event) moved.current = true;
  }, []);
}

/** The node that has begun last of those at work. */
function lastBegun(state: RunState): string | null {
  let [found, order]: [string | null, number] = [null, 0];
  for (const node of state.nodes.values()) {
    const firing = latest(node);
    if (firing?.status === "running" && firing.order > order)
      [found, order] = [node.label, firing.order];
  }
  return found;
}
