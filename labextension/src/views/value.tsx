/** Any value, in the form that suits it: words, an image, a table, a tree. */
import { useState } from "react";
import type { JsonValue } from "../protocol/messages";
import { JsonTree } from "./json";
import { Code, Markdown } from "./markdown";
import { isDrawn, Picture } from "./picture";
import { asTable, Table } from "./table";

export type Form = "markdown" | "text" | "image" | "table" | "tree";
const NAMES: Record<Form, string> = {
  markdown: "Markdown",
  text: "Text",
  image: "Image",
  table: "Table",
  tree: "Tree",
};
/** Letters that Markdown may take for something else; without them there is nothing to choose. */
const MARKED = /[*_#`|>[\]~\\\n]|^\s*([-+]|\d+[.)])\s/;
const STRUCTURE = /^\s*([{[])[\s\S]*[}\]]\s*$/;

/** The forms that a value can be shown in, the best one first. */
export function formsOf(value: JsonValue): Form[] {
  if (typeof value === "string") {
    if (isDrawn(value)) return ["image"];
    if (parsed(value) !== undefined) return ["tree", "text"];
    return MARKED.test(value) ? ["markdown", "text"] : ["markdown"];
  }
  if (typeof value !== "object" || value === null) return ["text"];
  return asTable(value) ? ["table", "tree"] : ["tree"];
}

export function Value({ value, name }: { value: JsonValue; name: string }) {
  const forms = formsOf(value);
  const [chosen, choose] = useState<Form | null>(null);
  const form = chosen && forms.includes(chosen) ? chosen : (forms[0] as Form);
  return (
    <div className="dipeo-value">
      {forms.length > 1 && (
        <fieldset className="dipeo-forms">
          <legend className="dipeo-hidden">Show {name} as</legend>
          {forms.map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={each === form}
              onClick={() => choose(each)}
            >
              {NAMES[each]}
            </button>
          ))}
        </fieldset>
      )}
      <Shown value={value} form={form} name={name} />
    </div>
  );
}

function Shown({ value, form, name }: { value: JsonValue; form: Form; name: string }) {
  switch (form) {
    case "markdown":
      return <Markdown text={String(value)} />;
    case "image":
      return <Picture url={String(value)} alt={name} />;
    case "table":
      return <Table rows={asTable(value) ?? []} name={name} />;
    case "tree":
      return <JsonTree value={typeof value === "string" ? (parsed(value) ?? value) : value} />;
    case "text":
      return <Code text={typeof value === "string" ? value : JSON.stringify(value)} />;
  }
}

/** The structure that a text is, if it is one. */
function parsed(text: string): JsonValue | undefined {
  if (!STRUCTURE.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
