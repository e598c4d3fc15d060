/** The settings of a node in a file. */
import type { NodeSpec } from "../../protocol/messages";
import { Settings } from "../../views/settings";

export function NodeSettings({ node, close }: { node: NodeSpec; close: () => void }) {
  return (
    <section className="dipeo-inspector" aria-label={`Node ${node.label}`}>
      <header>
        <b title={node.label}>{node.label}</b>
        <span className="dipeo-note">{node.type.replaceAll("_", " ")}</span>
        <button
          type="button"
          className="dipeo-close"
          aria-label={`Close ${node.label}`}
          onClick={close}
        >
          ×
        </button>
      </header>
      <Settings node={node} />
    </section>
  );
}
