import { expect, test } from "vitest";
import { cardIn, keptIn, MIME, WIDGET } from "../../src/panel/kept";

test("a run is kept in the metadata, as text", () => {
  const run = { execution_id: "exec_1", diagram: {}, places: null, entries: [] };

  expect(keptIn({ metadata: { [MIME]: { run: JSON.stringify(run) } } })).toEqual(run);
});

test("one that was too large is not kept", () => {
  expect(keptIn({ metadata: {} })).toBeNull();
});

test("an output has a card as long as it names one", () => {
  expect(cardIn({ data: { [WIDGET]: { model_id: "m" } } })).toBe("m");
  expect(cardIn({ data: { [WIDGET]: { model_id: "" } } })).toBeNull();
  expect(cardIn({ data: {} })).toBeNull();
});
