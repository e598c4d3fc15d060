/** Let people choose a run, when a command does not know which one is meant. */
import { InputDialog } from "@jupyterlab/apputils";
import { ago } from "./runs/ago";
import { nameOfRun, type RunLine } from "./runs/line";
import type { IDipeo } from "./service";

export async function chooseRun(
  { runs, trans }: IDipeo,
  fits: (line: RunLine) => boolean,
): Promise<RunLine | undefined> {
  const lines = runs.get().lines.filter(fits);
  if (lines.length < 2) return lines[0];
  const now = Date.now();
  const items = lines.map(
    (line, index) =>
      `${index + 1}. ${nameOfRun(line)} · ${line.status} · ${ago(line.started, now)}`,
  );
  const { value } = await InputDialog.getItem({ title: trans.__("Which run?"), items });
  return value === null ? undefined : lines[items.indexOf(value)];
}
