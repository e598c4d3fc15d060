/** What a node of a diagram is told to do. */
import type { JsonValue, NodeSpec } from "../../protocol/messages";
import { JsonTree } from "../../views/json";

export function Settings({ node, close }: { node: NodeSpec; close: () => void }) {
  const props = Object.entries(node.props ?? {});
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
      <dl className="dipeo-settings">
        {props.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Setting value={value} />
            </dd>
          </div>
        ))}
        {!props.length && <p className="dipeo-note">It has no settings.</p>}
      </dl>
    </section>
  );
}

/** As it is written: nothing of it is rendered. */
function Setting({ value }: { value: JsonValue }) {
  if (typeof value === "object" && value !== null) return <JsonTree value={value} />;
  const text = String(value);
  return text.includes("\n") ? <pre>{text}</pre> : <span>{text}</span>;
}
