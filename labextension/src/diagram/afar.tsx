/** The boxes of a diagram seen from so far that nothing can be read: one element each, not twelve. */
import { ViewportPortal } from "@xyflow/react";
import { memo, useContext } from "react";
import { useNode } from "../execution/context";
import type { DrawnNode } from "./node";
import { SelectionContext } from "./selection";
import { spoken } from "./summary";

export const Afar = memo(function Afar({ nodes }: { nodes: readonly DrawnNode[] }) {
  return (
    <ViewportPortal>
      {nodes.map((node) => (
        <Speck key={node.id} node={node} />
      ))}
    </ViewportPortal>
  );
});

function Speck({ node: { data, position, width, height } }: { node: DrawnNode }) {
  const { spec } = data;
  const node = useNode(spec.label);
  const { selected, select } = useContext(SelectionContext);
  const isSelected = selected === spec.label;
  return (
    <button
      type="button"
      className={`dipeo-speck is-${node.status}${isSelected ? " is-selected" : ""}`}
      style={{ left: position.x, top: position.y, width, height }}
      data-label={spec.label}
      title={spec.label}
      aria-label={spoken(spec, node)}
      aria-pressed={isSelected}
      onClick={() => select(isSelected ? null : spec.label)}
    />
  );
}
