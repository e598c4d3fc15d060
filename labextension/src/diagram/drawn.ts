/** A diagram as React Flow takes it. */
import type { Diagram } from "../protocol/messages";
import type { Box, Layout } from "./layout";
import type { DrawnNode } from "./node";
import { detailOf } from "./summary";

export function drawnNodes(diagram: Diagram, layout: Layout): DrawnNode[] {
  return (diagram.nodes ?? []).flatMap((spec) => {
    const box = layout.boxes[spec.label];
    return box ? [drawnNode({ spec, detail: detailOf(diagram, spec) }, box)] : [];
  });
}

/** Its size is told, so that nothing has to be measured before it is painted. */
function drawnNode(data: DrawnNode["data"], box: Box): DrawnNode {
  const { x, y, width, height } = box;
  return {
    id: data.spec.label,
    type: "dipeo",
    position: { x, y },
    width,
    height,
    measured: { width, height },
    data,
  };
}
