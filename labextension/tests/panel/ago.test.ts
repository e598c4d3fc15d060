import { expect, test } from "vitest";
import { ago } from "../../src/panel/runs/ago";

const NOW = Date.UTC(2026, 5, 15, 12);
const MINUTE = 60_000;

test.each([
  [0, "now"],
  [59_000, "now"],
  [MINUTE, "1m ago"],
  [59 * MINUTE, "59m ago"],
  [3 * 60 * MINUTE, "3h ago"],
  [24 * 60 * MINUTE, "yesterday"],
  [-5000, "now"],
])("%i milliseconds are %o", (passed, words) => {
  expect(ago(NOW - passed, NOW, "en")).toBe(words);
});

test("what is more than a week old has its date", () => {
  expect(ago(NOW - 30 * 24 * 60 * MINUTE, NOW, "en")).toMatch(/2026/);
});
