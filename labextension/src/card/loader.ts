/** What a notebook is sent with each card: it fetches the card itself, once for all of a page. */
import { asked } from "./asked";
import type { CardModel } from "./model";

interface Card {
  initialize(told: { model: CardModel }): () => void;
  render(told: { model: CardModel; el: HTMLElement }): unknown;
}

const SHARED = Symbol.for("dipeo_jupyter.cards");
const page = globalThis as { [SHARED]?: Map<string, Promise<Card>> };

/** The card of the kernel's version, which may be another one than that of the next notebook. */
function cardOf(model: CardModel): Promise<Card> {
  page[SHARED] ??= new Map();
  const cards = page[SHARED];
  const version = model.get("script");
  const card = cards.get(version) ?? fetched(model, version);
  cards.set(version, card);
  card.catch(() => cards.delete(version)); // the next one may be luckier
  return card;
}

/** From the server that the page comes from; elsewhere, and from older servers, by the kernel. */
async function fetched(model: CardModel, version: string): Promise<Card> {
  const way = new URL(model.get("server")?.url ?? "", location.href).pathname;
  const address = new URL(way.replace(/ws$/, `card/${version}.js`), location.origin).href;
  try {
    return (await import(address)).default;
  } catch {
    const source = new Blob([await asked(model)], { type: "text/javascript" });
    return (await import(URL.createObjectURL(source))).default;
  }
}

export default {
  /** Not waited for: nothing that the kernel says is heard before this has ended, not even the card. */
  initialize: ({ model }: { model: CardModel }) => {
    const begun = cardOf(model).then((card) => card.initialize({ model }));
    begun.catch(() => {}); // who shows it tells why it cannot be shown
    return () => begun.then((end) => end());
  },
  render: async ({ model, el }: { model: CardModel; el: HTMLElement }) =>
    (await cardOf(model)).render({ model, el }),
};
