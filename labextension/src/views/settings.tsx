/** What a node is told to do, as it is written: nothing of it is rendered. */
import type { JsonValue, NodeSpec } from "../protocol/messages";
import { JsonTree } from "./json";

interface SettingsProps {
  readonly node: NodeSpec | undefined;
  readonly none?: string | undefined;
}

export function Settings({ node, none = "It has no settings." }: SettingsProps) {
  const props = Object.entries(node?.props ?? {});
  if (!props.length) return <p className="dipeo-note">{none}</p>;
  return (
    <dl className="dipeo-settings">
      {props.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Setting value={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Setting({ value }: { value: JsonValue }) {
  if (typeof value === "object" && value !== null) return <JsonTree value={value} />;
  const text = String(value);
  return text.includes("\n") ? <pre>{text}</pre> : <span>{text}</span>;
}
