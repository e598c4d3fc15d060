/** The card's JavaScript by word of mouth: the kernel has it too. */
import { sayByControl } from "./control";
import type { CardModel } from "./model";

const PATIENCE = 60_000;

export function asked(model: CardModel): Promise<string> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      model.off("msg:custom", hear);
    };
    const hear = (message: unknown): void => {
      const { kind, source } = (message ?? {}) as { kind?: string; source?: string };
      if (kind !== "script" || source === undefined) return;
      end();
      resolve(source);
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error("Neither the server nor the kernel gives the card. Run the cell again."));
    }, PATIENCE);
    model.on("msg:custom", hear);
    const wish = { kind: "script" };
    if (!sayByControl(model, wish)) model.send(wish);
  });
}
