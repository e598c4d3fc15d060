/** Journals of real runs, and what Python makes of them (`tests/golden`). */
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { EventFrame } from "../src/protocol/messages";

const FOLDER = resolve("../tests/golden");

export const JOURNALS = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".jsonl"))
  .map((name) => name.slice(0, -".jsonl".length));

export function entriesOf(journal: string): EventFrame[] {
  const text = readFileSync(resolve(FOLDER, `${journal}.jsonl`), "utf-8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

export function stateOf(journal: string): { half: unknown; whole: unknown } {
  return JSON.parse(readFileSync(resolve(FOLDER, `${journal}.state.json`), "utf-8"));
}
