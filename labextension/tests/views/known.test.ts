import { expect, test } from "vitest";
import type { Said } from "../../src/protocol/messages";
import { asTold } from "../../src/views/known";

function said(id: string, change: Partial<Said> = {}): Said {
  const message = { id, role: "user", content: "" } as unknown as Said["message"];
  return { message, activation: "say[1]", ...change };
}

test("who is told to know a message knows it, and of the others why not", () => {
  const told = [
    said("one", { seen_by: ["Ann"] }),
    said("two", { seen_by: ["Bob"], forgotten: { Ann: "say[2]" } }),
    said("three"),
  ];

  expect([...asTold(told, "Ann")]).toEqual([
    ["two", "forgotten in say[2]"],
    ["three", "not seen"],
  ]);
});
