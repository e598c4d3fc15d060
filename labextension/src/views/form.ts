/** What a question's JSON Schema means as a form, and what is wrong with an answer. */
import { Validator } from "@cfworker/json-schema";
import type { JsonValue, Question } from "../protocol/messages";

type Schema = { [key: string]: JsonValue };
export type Kind = "text" | "lines" | "choice" | "boolean" | "integer" | "number" | "json";

/** One thing to fill in. `name` is null when the whole answer is this one thing. */
export interface Field {
  readonly name: string | null;
  readonly title: string;
  readonly help: string;
  readonly kind: Kind;
  readonly required: boolean;
  readonly choices: readonly JsonValue[];
  readonly initial: string | boolean;
}

export type Filled = Readonly<Record<string, string | boolean>>;
/** What is wrong, by field; under the empty name what is wrong with the whole. */
export type Wrong = Readonly<Record<string, string>>;

const LONG = 120;
const KINDS: Record<string, Kind> = { boolean: "boolean", integer: "integer", number: "number" };

export function fieldsOf(question: Question): Field[] {
  const schema = (question.schema ?? { type: "string" }) as Schema;
  const properties = schema.properties as Record<string, Schema> | undefined;
  if (!properties || !Object.keys(properties).length) return [field(null, schema, true)];
  const required = (schema.required ?? []) as string[];
  return Object.entries(properties).map(([name, each]) =>
    field(name, each, required.includes(name)),
  );
}

function field(name: string | null, schema: Schema, required: boolean): Field {
  const kind = kindOf(schema, name === null);
  const { default: given, const: only } = schema;
  const start = given ?? only;
  const initial =
    kind === "boolean" ? start === true : start === undefined ? "" : wordsOf(start, kind);
  return {
    name,
    title: String(schema.title ?? name ?? "Answer"),
    help: String(schema.description ?? ""),
    kind,
    required,
    choices: choicesOf(schema),
    initial,
  };
}

function kindOf(schema: Schema, whole: boolean): Kind {
  if (choicesOf(schema).length) return "choice";
  const type = Array.isArray(schema.type)
    ? schema.type.find((each) => each !== "null")
    : schema.type;
  if (type === undefined) return "json";
  if (type === "string") return whole || Number(schema.maxLength ?? 0) > LONG ? "lines" : "text";
  return KINDS[String(type)] ?? "json";
}

function choicesOf(schema: Schema): JsonValue[] {
  return Array.isArray(schema.enum) ? schema.enum : [];
}

function wordsOf(value: JsonValue, kind: Kind): string {
  if (kind === "choice" || kind === "json") return JSON.stringify(value);
  return String(value);
}

export function keyOf(field: Field): string {
  return field.name ?? "";
}

export function begun(fields: readonly Field[]): Filled {
  return Object.fromEntries(fields.map((each) => [keyOf(each), each.initial]));
}

export type Read = { readonly value: JsonValue; readonly wrong: null } | { readonly wrong: Wrong };

/** The answer that was filled in, or what is wrong with it. */
export function read(question: Question, fields: readonly Field[], filled: Filled): Read {
  const wrong: Record<string, string> = {};
  const values: [string, JsonValue][] = [];
  for (const each of fields) {
    const found = answerOf(each, filled[keyOf(each)] ?? each.initial);
    if ("wrong" in found) wrong[keyOf(each)] = found.wrong;
    else if (found.value !== undefined) values.push([keyOf(each), found.value]);
    else if (each.required) wrong[keyOf(each)] = "This is needed.";
  }
  if (Object.keys(wrong).length) return { wrong };
  const whole = fields.length === 1 && fields[0]?.name === null;
  const value = whole ? (values[0]?.[1] ?? "") : Object.fromEntries(values);
  return checked(question, value, fields);
}

type Found = { readonly value: JsonValue | undefined } | { readonly wrong: string };

function answerOf(field: Field, given: string | boolean): Found {
  if (typeof given === "boolean") return { value: given };
  if (field.kind === "text" || field.kind === "lines") {
    return { value: given === "" && field.name !== null ? undefined : given };
  }
  if (given.trim() === "") return { value: undefined };
  if (field.kind === "integer" || field.kind === "number") return numberOf(field.kind, given);
  try {
    return { value: JSON.parse(given) };
  } catch {
    return { wrong: "This is not JSON; texts stand in double quotes." };
  }
}

function numberOf(kind: "integer" | "number", given: string): Found {
  const value = Number(given.trim().replace(",", "."));
  if (!Number.isFinite(value)) return { wrong: "This is not a number." };
  if (kind === "integer" && !Number.isInteger(value))
    return { wrong: "This is not a whole number." };
  return { value };
}

function checked(question: Question, value: JsonValue, fields: readonly Field[]): Read {
  if (!question.schema) return { value, wrong: null };
  const { valid, errors } = new Validator(question.schema, "2020-12", false).validate(value);
  if (valid) return { value, wrong: null };
  const wrong: Record<string, string> = {};
  const names = new Set(fields.map(keyOf));
  for (const { instanceLocation, error, keyword } of errors) {
    if (keyword === "properties" || keyword === "$ref" || keyword === "allOf") continue;
    const name = decodeURIComponent(instanceLocation.split("/")[1] ?? "");
    wrong[names.has(name) ? name : ""] ??= error;
  }
  return { wrong: Object.keys(wrong).length ? wrong : { "": "This is no valid answer." } };
}
