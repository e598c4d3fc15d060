/** A diagram that can be looked at from near and far, with what becomes of its nodes. */
import { ReactFlow, ReactFlowProvider, useReactFlow, useStore } from "@xyflow/react";
import { type KeyboardEvent, useMemo } from "react";
import type { Diagram } from "../protocol/messages";
import { Afar } from "./afar";
import { drawnNodes } from "./drawn";
import { Edges } from "./edge";
import type { Layout } from "./layout";
import { isDirection, nearest } from "./nearest";
import { DiagramNode, type DrawnNode } from "./node";
import { useSight } from "./sight";
import { beyond, distanceOf, firstViewport, MARGIN, zoomFor } from "./viewport";
import { ZoomButtons } from "./zoom";

const NONE: DrawnNode[] = [];
const NODES = { dipeo: DiagramNode };

export interface CanvasProps {
  readonly diagram: Diagram;
  readonly layout: Layout;
  readonly width: number;
  readonly height: number;
}

export function Canvas(props: CanvasProps) {
  return (
    <ReactFlowProvider>
      <Flow {...props} />
    </ReactFlowProvider>
  );
}

function Flow({ diagram, layout, width, height }: CanvasProps) {
  const room = { width, height };
  const nodes = useMemo(() => drawnNodes(diagram, layout), [diagram, layout]);
  const distance = useStore((state) => distanceOf(state.transform[2]));
  const more = useStore(({ transform: [x, y, zoom] }) => beyond(layout, { x, y, zoom }, room));
  const steer = useArrowKeys(layout);
  const moved = useSight(layout, room);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the boxes inside have the focus
    <div className={`dipeo-canvas ${distance}${more}`} onKeyDown={steer}>
      <ReactFlow
        aria-label={`Diagram${diagram.name ? ` ${diagram.name}` : ""}`}
        nodes={distance === "is-tiny" ? NONE : nodes}
        nodeTypes={NODES}
        width={width}
        height={height}
        defaultViewport={firstViewport(layout, room)}
        onMoveStart={moved}
        minZoom={Math.min(0.2, zoomFor(layout, room))}
        maxZoom={2}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        zoomOnDoubleClick={false}
        preventScrolling={false}
        zoomActivationKeyCode={["Meta", "Control"]}
        attributionPosition="bottom-left"
        onlyRenderVisibleElements={nodes.length > 100}
      >
        {distance === "is-tiny" && <Afar nodes={nodes} />}
        <Edges diagram={diagram} layout={layout} />
        <ZoomButtons layout={layout} />
      </ReactFlow>
    </div>
  );
}

/** Arrow keys go from box to box; one that is out of sight is brought in. */
function useArrowKeys(layout: Layout): (event: KeyboardEvent<HTMLElement>) => void {
  const { setCenter, getZoom } = useReactFlow();
  return (event) => {
    const from = event.target instanceof HTMLElement ? event.target.dataset.label : undefined;
    if (from === undefined || !isDirection(event.key)) return;
    event.preventDefault();
    const label = nearest(layout, from, event.key);
    const box = label === null ? undefined : layout.boxes[label];
    if (label === null || !box) return;
    const found = event.currentTarget.querySelector<HTMLElement>(
      `[data-label="${CSS.escape(label)}"]`,
    );
    const seen =
      found && isInside(found.getBoundingClientRect(), event.currentTarget.getBoundingClientRect());
    if (!seen) setCenter(box.x + box.width / 2, box.y + box.height / 2, { zoom: getZoom() });
    found?.focus({ preventScroll: true });
  };
}

function isInside(inner: DOMRect, outer: DOMRect): boolean {
  return (
    inner.left >= outer.left + MARGIN / 2 &&
    inner.right <= outer.right - MARGIN / 2 &&
    inner.top >= outer.top &&
    inner.bottom <= outer.bottom
  );
}
