/** What a run begins with, as people write it down: `name=value`, one in a line. */
import type { JsonValue } from "../../protocol/messages";

export type Inputs = { [name: string]: JsonValue };

/** Values are JSON, or else text. Raises an error that names the line. */
export function readInputs(text: string): Inputs {
  const inputs: Inputs = {};
  for (const [index, line] of text.split("\n").entries()) {
    if (!line.trim()) continue;
    const [, name, value] = /^\s*([^=\s]+)\s*=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new Error(`Line ${index + 1} is no input. Write for instance topic=tea.`);
    inputs[name] = jsonOrText(value.trim());
  }
  return inputs;
}

function jsonOrText(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
