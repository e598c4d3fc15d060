import type { ServerConnection } from "@jupyterlab/services";
import { expect, test } from "vitest";
import { addressOf } from "../../src/panel/server";

function settings(change: object) {
  const usual = { wsUrl: "ws://here:8888/base/", token: "", appendToken: false };
  return { ...usual, ...change } as ServerConnection.ISettings;
}

test("the server is reached below the address that Lab has", () => {
  expect(addressOf(settings({}))).toBe("ws://here:8888/base/dipeo/ws");
});

test("a token is said only where Lab says it too", () => {
  expect(addressOf(settings({ token: "a b" }))).not.toContain("token");
  expect(addressOf(settings({ token: "a b", appendToken: true }))).toContain("?token=a%20b");
});
