import { expect, test } from "vitest";
import { sayByControl } from "../../src/card/control";
import type { CardModel } from "../../src/card/model";

type Sent = { header: Record<string, string>; channel: string; content: unknown };

function modelWith(control: string, hasKernel = true): { model: CardModel; sent: Sent[] } {
  const sent: Sent[] = [];
  const kernel = {
    clientId: "page",
    username: "ada",
    sendControlMessage: (message: unknown) => sent.push(message as Sent),
  };
  const model = { get: () => control, widget_manager: { kernel: hasKernel ? kernel : null } };
  return { model: model as unknown as CardModel, sent };
}

test("what is said goes to the kernel's control channel under the card's name", () => {
  const { model, sent } = modelWith("card-1");

  expect(sayByControl(model, { type: "ping" })).toBe(true);

  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({
    channel: "control",
    header: { msg_type: "dipeo_card", session: "page", username: "ada" },
    content: { card: "card-1", said: { type: "ping" } },
  });
});

test("no two messages have one number", () => {
  const { model, sent } = modelWith("card-1");
  for (let count = 0; count < 100; count += 1) sayByControl(model, {});

  expect(new Set(sent.map(({ header }) => header.msg_id)).size).toBe(100);
});

test("without a kernel, or a name there, another way must be taken", () => {
  for (const { model, sent } of [modelWith(""), modelWith("card-1", false)]) {
    expect(sayByControl(model, {})).toBe(false);
    expect(sent).toEqual([]);
  }
  const bare = { get: () => "card-1" } as unknown as CardModel;
  expect(sayByControl(bare, {})).toBe(false);
});
