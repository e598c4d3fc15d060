/** The box of a node, with how it stands with it. */
import type { Node, NodeProps } from "@xyflow/react";
import { memo, useContext } from "react";
import { useNode, useRun } from "../execution/context";
import { standing } from "../execution/derive";
import { useNow } from "../execution/now";
import { latest, type NodeState, type NodeStatus } from "../execution/state";
import type { NodeSpec } from "../protocol/messages";
import { SelectionContext } from "./selection";
import { markOf, type Sign, signOf } from "./signs";
import { spoken, statsOf } from "./summary";

export type DrawnNode = Node<{ spec: NodeSpec; detail: string }, "dipeo">;

export const DiagramNode = memo(function DiagramNode({
  data: { spec, detail },
}: NodeProps<DrawnNode>) {
  const node = useNode(spec.label);
  const { selected, select } = useContext(SelectionContext);
  const status = useRun((state) => standing(state, node));
  const visits = node.activations.length;
  return (
    <div className={`dipeo-node is-${status}${selected === spec.label ? " is-selected" : ""}`}>
      <div className="dipeo-box" aria-hidden="true">
        <Glyph sign={signOf(spec.type)} />
        <span className="dipeo-words">
          <span className="dipeo-label">{spec.label}</span>
          <span className="dipeo-detail">{detail}</span>
          {status !== "paused" && <Stats node={node} />}
        </span>
      </div>
      <button
        type="button"
        className="dipeo-open"
        data-label={spec.label}
        aria-label={spoken(spec, node)}
        aria-pressed={selected === spec.label}
        onClick={() => select(selected === spec.label ? null : spec.label)}
      />
      <Gutter label={spec.label} />
      {visits > 1 && <span className="dipeo-visits">×{visits}</span>}
      {status !== "pending" && <Mark status={status} />}
    </div>
  );
});

function Stats({ node }: { node: NodeState }) {
  const now = useNow(latest(node)?.status === "running");
  const stats = statsOf(node, now);
  return stats ? <span className="dipeo-stats">{stats}</span> : null;
}

/** Where a breakpoint is set by a click: at the left edge, as in the gutter of an editor. */
function Gutter({ label }: { label: string }) {
  const { toggleBreakpoint } = useContext(SelectionContext);
  const set = useRun((state) => state.breakpoints.some((each) => each.node === label));
  if (!set && toggleBreakpoint === null) return null;
  return (
    <button
      type="button"
      className="dipeo-gutter"
      aria-label={`Breakpoint before ${label}`}
      aria-pressed={set}
      title={set ? "Remove the breakpoint" : "Pause before this node"}
      disabled={toggleBreakpoint === null}
      onClick={() => toggleBreakpoint?.(label)}
    />
  );
}

function Glyph({ sign }: { sign: Sign }) {
  return (
    <span className={`dipeo-glyph dipeo-${sign.colour}`}>
      <Drawn path={sign.path} />
    </span>
  );
}

export function Mark({ status }: { status: NodeStatus }) {
  const { path } = markOf(status);
  return (
    <span className={`dipeo-mark is-${status}`} aria-hidden="true" title={status}>
      <Drawn path={path} />
    </span>
  );
}

export function Drawn({ path }: { path: string }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
