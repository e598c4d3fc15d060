import { describe, expect, test } from "vitest";
import type { JsonValue, Question } from "../../src/protocol/messages";
import { begun, type Filled, fieldsOf, type Read, read } from "../../src/views/form";

type Schema = { [key: string]: JsonValue };

function asking(schema?: Schema): Question {
  return { prompt: "Well?", schema: schema ?? null };
}

/** What becomes of an answer that is filled in like this. */
function answer(schema: Schema | undefined, filled: Filled): Read {
  const question = asking(schema);
  const fields = fieldsOf(question);
  return read(question, fields, { ...begun(fields), ...filled });
}

const FORM: Schema = {
  type: "object",
  required: ["publish", "channel"],
  properties: {
    publish: { type: "boolean" },
    channel: { type: "string", enum: ["blog", "both"], title: "Channel" },
    quota: { type: "integer", minimum: 1, maximum: 500, default: 20 },
    note: { type: "string", maxLength: 8 },
    tags: { type: "array", items: { type: "string" } },
  },
};

describe("what a schema looks like as a form", () => {
  test.each<[string, Schema | undefined, string]>([
    ["any text", undefined, "lines"],
    ["choices", { type: "string", enum: ["yes", "no"] }, "choice"],
    ["a whole number", { type: "integer" }, "integer"],
    ["a number", { type: ["number", "null"] }, "number"],
    ["yes or no", { type: "boolean" }, "boolean"],
    ["a list", { type: "array" }, "json"],
  ])("%s", (_, schema, kind) => {
    expect(fieldsOf(asking(schema)).map((each) => [each.name, each.kind])).toEqual([[null, kind]]);
  });

  test("an object is a field for each of its properties", () => {
    const told = fieldsOf(asking(FORM)).map((each) => [
      each.title,
      each.kind,
      each.required,
      each.initial,
    ]);

    expect(told).toEqual([
      ["publish", "boolean", true, false],
      ["Channel", "choice", true, ""],
      ["quota", "integer", false, "20"],
      ["note", "text", false, ""],
      ["tags", "json", false, ""],
    ]);
  });
});

describe("an answer", () => {
  test.each<[Schema | undefined, string | boolean, JsonValue]>([
    [undefined, "as I said", "as I said"],
    [{ type: "string", enum: ["yes", "no"] }, '"no"', "no"],
    [{ enum: [1, 2] }, "2", 2],
    [{ type: "integer" }, " 12 ", 12],
    [{ type: "number" }, "1,5", 1.5],
    [{ type: "boolean" }, true, true],
    [{ type: "array" }, '["a"]', ["a"]],
  ])("to %j filled in as %j is %j", (schema, filled, value) => {
    expect(answer(schema, { "": filled })).toEqual({ value, wrong: null });
  });

  test("leaves out what was not filled in and need not be", () => {
    const filled = { publish: true, channel: '"both"', quota: "", tags: '["x"]' };

    expect(answer(FORM, filled)).toEqual({
      value: { publish: true, channel: "both", tags: ["x"] },
      wrong: null,
    });
  });

  test("that is wrong says so at the field where it is", () => {
    const filled = { channel: "", quota: "1.5", note: "far too long", tags: "[" };
    const { wrong } = answer(FORM, filled);

    expect(wrong).toEqual({
      channel: "This is needed.",
      quota: "This is not a whole number.",
      tags: "This is not JSON; texts stand in double quotes.",
    });
  });

  test("that breaks the schema says so at the field, in words", () => {
    const { wrong } = answer(FORM, { channel: '"blog"', quota: "501", note: "far too long" });

    expect(Object.keys(wrong ?? {})).toEqual(["quota", "note"]);
    expect(wrong?.quota).toContain("501");
    expect(wrong?.note).toContain("too long");
  });

  test("to a rule that spans fields is wrong as a whole", () => {
    const schema: Schema = {
      ...FORM,
      required: [],
      anyOf: [{ required: ["note"] }, { required: ["tags"] }],
    };

    expect(answer(schema, { channel: '"blog"' }).wrong?.[""]).toBeTruthy();
  });

  test("to a question that wants a text may be empty, if the schema says so", () => {
    expect(answer(undefined, { "": "" })).toEqual({ value: "", wrong: null });
    expect(answer({ type: "string", minLength: 1 }, { "": "" }).wrong).not.toBeNull();
  });

  test("is never taken for a command of the page", () => {
    const hostile = '</textarea><img src=x onerror="alert(1)">';

    expect(answer(undefined, { "": hostile })).toEqual({ value: hostile, wrong: null });
  });
});
