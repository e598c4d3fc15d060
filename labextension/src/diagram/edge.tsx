/** The lines of a diagram, with their words, and whether a value came along them. */
import { useStore, ViewportPortal } from "@xyflow/react";
import { memo, useMemo } from "react";
import { useRun } from "../execution/context";
import { edgeState } from "../execution/derive";
import type { Diagram, Edge } from "../protocol/messages";
import type { Layout, Route } from "./layout";
import { headOf, pathOf } from "./path";
import { isIn, regionOf } from "./region";

interface EdgesProps {
  readonly diagram: Diagram;
  readonly layout: Layout;
}

interface LineProps {
  readonly edge: Edge;
  readonly route: Route;
}

/** All lines in one picture behind the boxes: their ways are known, so nothing is measured. */
export const Edges = memo(function Edges({ diagram, layout }: EdgesProps) {
  const region = useStore(({ transform: [x, y, zoom], width, height }) =>
    regionOf({ x, y, zoom }, { width, height }),
  );
  const near = useMemo(() => {
    const found = Object.entries(layout.routes).filter(([, { points }]) => isIn(region, points));
    return new Set(found.map(([index]) => Number(index)));
  }, [layout, region]);
  return (
    <ViewportPortal>
      <svg className="dipeo-edges" width={layout.width} height={layout.height} aria-hidden="true">
        {(diagram.edges ?? []).map((edge, index) => {
          const route = layout.routes[index];
          // biome-ignore lint/suspicious/noArrayIndexKey: an edge's place is its name
          return route && near.has(index) && <Line key={index} edge={edge} route={route} />;
        })}
      </svg>
    </ViewportPortal>
  );
});

const Line = memo(function Line({ edge, route: { points, tags } }: LineProps) {
  const shown = useRun((state) => edgeState(state, edge));
  return (
    <g className={`dipeo-edge is-${shown}`}>
      <path className="dipeo-line" d={pathOf(points)} />
      {shown === "flowing" && <path className="dipeo-flow" d={pathOf(points)} />}
      <polygon className="dipeo-head" points={headOf(points)} />
      {tags.map((tag) => (
        <g key={`${tag.x} ${tag.y}`}>
          <rect x={tag.x - tag.width / 2} y={tag.y - 7.5} width={tag.width} height={15} rx={4} />
          <text x={tag.x} y={tag.y + 3.8}>
            {tag.text}
          </text>
        </g>
      ))}
    </g>
  );
});
