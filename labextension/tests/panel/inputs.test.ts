import { expect, test } from "vitest";
import { readInputs } from "../../src/panel/document/inputs";

test("values are JSON where they can be, else text", () => {
  const text = 'topic=green tea\n\n n = 3\nwords=["a"]\nformula=a=b\nnone=';

  expect(readInputs(text)).toEqual({
    topic: "green tea",
    n: 3,
    words: ["a"],
    formula: "a=b",
    none: "",
  });
});

test("nothing is no input", () => {
  expect(readInputs(" \n")).toEqual({});
});

test("a line without a name is told by its number", () => {
  expect(() => readInputs("a=1\ntea")).toThrow("Line 2");
});
