import type { ServerConnection } from "@jupyterlab/services";
import { expect, test } from "vitest";
import { addressOf, transportTo } from "../../src/panel/server";

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

class FakeSocket extends EventTarget {
  static last: FakeSocket;
  readonly readyState = 1;
  onmessage = null;
  onclose = null;

  constructor(readonly url: string) {
    super();
    FakeSocket.last = this;
  }
  send(): void {}
  close(): void {}
  ends(code: number): void {
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

function closing(code: number, opened: boolean): string {
  let told = "";
  const transport = transportTo(settings({ WebSocket: FakeSocket }), (words) => {
    told = words;
  });
  transport.open({ frames: () => {}, up: () => {} });
  if (opened) FakeSocket.last.dispatchEvent(new Event("open"));
  FakeSocket.last.ends(code);
  transport.close();
  return told;
}

test.each([
  [1006, true, "tried again"],
  [1006, false, "server extension list"],
  [4401, true, "Log in again"],
  [1008, true, "too much"],
])("an end with code %i, of what was open: %o, is told as %o", (code, opened, words) => {
  expect(closing(code, opened)).toContain(words);
});
