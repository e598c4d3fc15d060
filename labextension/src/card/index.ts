/** The run card: what anywidget shows under a cell. */
import styles from "../style/index.css";
import { dress } from "./dress";
import type { CardModel } from "./model";
import type { Session } from "./session";
import { begin } from "./session";
import { show } from "./show";

const sessions = new WeakMap<CardModel, Session>();

/** Entries may come before anything is shown, and are heard from the beginning. */
function initialize({ model }: { model: CardModel }): () => void {
  const session = begin(model);
  sessions.set(model, session);
  return session.end;
}

function render({ model, el }: { model: CardModel; el: HTMLElement }): () => void {
  dress(styles);
  const session = sessions.get(model) ?? begin(model);
  sessions.set(model, session);
  return show(el, session, model);
}

export default { initialize, render };
