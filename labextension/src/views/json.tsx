/** A structure as a tree that is opened bit by bit. */
import { memo, type ReactNode, useState } from "react";
import type { JsonValue } from "../protocol/messages";
import { isDrawn, Picture } from "./picture";

type Structure = JsonValue[] | { [key: string]: JsonValue };
const OPEN_LEVELS = 2;
const MOST_ITEMS = 100;

export const JsonTree = memo(function JsonTree({ value }: { value: JsonValue }) {
  return (
    <div className="dipeo-tree">
      <Branch value={value} level={0} />
    </div>
  );
});

function Branch({ name, value, level }: { name?: string; value: JsonValue; level: number }) {
  const label = name === undefined ? null : <span className="dipeo-key">{name}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div className="dipeo-leaf">
        {label}
        <Leaf value={value} />
      </div>
    );
  }
  return <Twig label={label} value={value} level={level} />;
}

/** What is closed is not drawn: structures may be large. */
function Twig({ label, value, level }: { label: ReactNode; value: Structure; level: number }) {
  const items = Object.entries(value);
  const [open, setOpen] = useState(level < OPEN_LEVELS && items.length <= MOST_ITEMS);
  const [left, right] = Array.isArray(value) ? "[]" : "{}";
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label}
        <span className="dipeo-size">
          {left}
          {items.length}
          {right}
        </span>
      </summary>
      {open &&
        items
          .slice(0, MOST_ITEMS)
          .map(([key, item]) => <Branch key={key} name={key} value={item} level={level + 1} />)}
      {open && items.length > MOST_ITEMS && (
        <p className="dipeo-note">and {items.length - MOST_ITEMS} more</p>
      )}
    </details>
  );
}

function Leaf({ value }: { value: null | boolean | number | string }) {
  if (typeof value === "string" && isDrawn(value)) return <Picture url={value} alt="image" />;
  const kind = value === null ? "null" : typeof value;
  return (
    <span className={`dipeo-is-${kind}`}>{kind === "string" ? `"${value}"` : String(value)}</span>
  );
}
