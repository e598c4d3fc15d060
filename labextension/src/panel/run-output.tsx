/** The output itself. What is not trusted shows what was kept: no card, and no connection. */
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Panel, Widget } from "@lumino/widgets";
import { createRoot, type Root } from "react-dom/client";
import type { Connection } from "../protocol/connection";
import { cardIn, type Kept, keptIn, toldIn } from "./kept";

/** Gives a renderer of widgets as soon as there can be one; null when there is none. */
export type MakeCard = () => Promise<IRenderMime.IRenderer | null>;

export class RunOutput extends Panel implements IRenderMime.IRenderer {
  readonly #makeCard: MakeCard | null;
  readonly #connection: Connection | null;
  readonly #kept = new Widget();
  readonly #seen = new MutationObserver(() => void this.#settle());
  #root: Root | null = null;
  #model: IRenderMime.IMimeModel | null = null;
  /** What it has said was kept. */
  #told: { model: IRenderMime.IMimeModel; kept: Kept | null } | null = null;
  #card: IRenderMime.IRenderer | null = null;
  #number: string | null = null;

  constructor(makeCard: MakeCard | null, connection: Connection | null) {
    super();
    this.#makeCard = makeCard;
    this.#connection = connection;
    this.#kept.addClass("dipeo-card");
    this.addWidget(this.#kept);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.#model = model;
    const number = model.trusted ? cardIn(model) : null;
    if (number !== this.#number) {
      this.#number = number;
      this.#seen.disconnect();
      this.#card?.dispose();
      this.#card = null;
      if (number !== null && this.#makeCard !== null) await this.#begin(this.#makeCard, model);
    }
    await this.#settle();
  }

  override dispose(): void {
    this.#seen.disconnect();
    this.#root?.unmount();
    super.dispose();
  }

  /** A card that was begun keeps itself up to date, and is not made again. */
  async #begin(makeCard: MakeCard, model: IRenderMime.IMimeModel): Promise<void> {
    const number = this.#number;
    const card = await makeCard();
    if (card === null) return;
    if (this.isDisposed || this.#number !== number) return card.dispose();
    this.#card = card;
    this.addWidget(card);
    // It may come late: cards are known when the kernel has told of them.
    this.#seen.observe(card.node, { childList: true });
    await card.renderModel(model);
  }

  /** Where there is a card, it has an element; else there are words at most, of what is missing. */
  async #settle(): Promise<void> {
    const lives = this.#card?.node.firstElementChild != null;
    this.#card?.setHidden(!lives);
    this.#kept.setHidden(lives);
    if (!lives) return this.#showKept();
    this.#root?.unmount();
    this.#root = null;
  }

  async #showKept(): Promise<void> {
    const { KeptRun } = await import("./kept-run"); // not before it is needed
    const model = this.#model;
    if (this.isDisposed || model === null || this.#kept.isHidden) return;
    this.#root ??= createRoot(this.#kept.node);
    if (this.#told?.model !== model) this.#told = { model, kept: keptIn(model) };
    const { kept } = this.#told;
    const connection = model.trusted ? this.#connection : null;
    this.#root.render(
      kept === null ? (
        <p className="dipeo-told">{toldIn(model)}</p>
      ) : (
        <KeptRun kept={kept} connection={connection} />
      ),
    );
  }
}
