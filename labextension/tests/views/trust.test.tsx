import { act } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AskedPower } from "../../src/protocol/messages";
import { placeOf } from "../../src/views/powers";
import { TrustQuestion } from "../../src/views/trust";

const power = { code: "runs_shell", node: "tell", says: "runs a command", hint: "", digest: "a" };
const asked = { name: "asks.light.yaml", foreign: true, powers: [power] };

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
});
afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

function shown(decide: ((answer: string) => void) | null, why = "") {
  const place = document.body.appendChild(document.createElement("div"));
  const root = createRoot(place);
  const question = <TrustQuestion asked={asked} decide={decide} why={why} />;
  act(() => root.render(question));
  act(() => void vi.advanceTimersByTime(50));
  const card = place.querySelector("[role=alertdialog]") as HTMLElement;
  return { card, root, buttons: [...card.querySelectorAll("button")] };
}

test.each([
  [0, "once"],
  [1, "always"],
  [2, "no"],
])("button %i says %j, and only the first that is pressed counts", (number, answer) => {
  const decide = vi.fn();
  const { buttons } = shown(decide);
  act(() => buttons[number]?.click());
  for (const each of buttons) act(() => each.click());

  expect(decide.mock.calls).toEqual([[answer]]);
});

test("Escape says no", () => {
  const decide = vi.fn();
  const { card } = shown(decide);
  act(
    () => void card.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true })),
  );

  expect(decide.mock.calls).toEqual([["no"]]);
});

test("the question has the focus, and no button has", () => {
  const { card } = shown(() => {});

  expect(document.activeElement).toBe(card);
});

test("whoever types keeps the focus", () => {
  const field = document.body.appendChild(document.createElement("textarea"));
  field.focus();
  shown(() => {});

  expect(document.activeElement).toBe(field);
});

test("the focus goes back to where it was", () => {
  const before = document.body.appendChild(document.createElement("button"));
  before.focus();
  const { root } = shown(() => {});
  act(() => root.unmount());

  expect(document.activeElement).toBe(before);
});

test("when nobody hears the answer, people are told so and can press again", () => {
  const { card, buttons } = shown(() => {});
  act(() => buttons[0]?.click());
  act(() => void vi.advanceTimersByTime(10_000));

  expect(card.querySelector("[role=alert]")?.textContent).toContain("Nobody has heard this.");
  expect(buttons[0]?.disabled).toBe(false);
});

test("where nobody would hear it there is nothing to press", () => {
  const { card, buttons } = shown(null, "It is asked below.");

  expect(buttons).toEqual([]);
  expect(card.textContent).toContain("It is asked below.");
});

test.each([
  [{}, ""],
  [{ line: 4 }, "line 4"],
  [{ file: "a.yaml", line: 4 }, "a.yaml, line 4"],
])("the place of %j is %j", (where, place) => {
  expect(placeOf({ ...power, ...where } as AskedPower)).toBe(place);
});
