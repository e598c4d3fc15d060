import { Panel, useReactFlow } from "@xyflow/react";
import type { Layout } from "./layout";

/** Nearer, farther, all of it: for those without a wheel, and without a mouse. */
export function ZoomButtons({ layout }: { layout: Layout }) {
  const { zoomIn, zoomOut, fitBounds } = useReactFlow();
  const all = (): void => {
    fitBounds({ x: 0, y: 0, width: layout.width, height: layout.height }, { padding: 0.05 });
  };
  return (
    <Panel position="bottom-right" className="dipeo-zoom">
      <button
        type="button"
        aria-label="Zoom in"
        title="Zoom in (Ctrl + wheel)"
        onClick={() => zoomIn()}
      >
        +
      </button>
      <button type="button" aria-label="Zoom out" title="Zoom out" onClick={() => zoomOut()}>
        −
      </button>
      <button type="button" aria-label="Show all" title="Show all" onClick={all}>
        ⤢
      </button>
    </Panel>
  );
}
