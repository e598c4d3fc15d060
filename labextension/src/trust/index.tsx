/** The question of trust: what anywidget shows under a cell that waits for the answer. */
import { createRoot } from "react-dom/client";
import { type Speaker, sayByControl } from "../card/control";
import { dress } from "../card/dress";
import styles from "../style/trust-card.css";
import { type Answer, type Asked, TrustQuestion } from "../views/trust";

interface TrustModel extends Speaker {
  get(name: "control"): string;
  get<K extends keyof Asked>(name: K): Asked[K];
  /** The kernel has ended. */
  on(event: "comm_live_update", callback: () => void): void;
  off(event: "comm_live_update", callback: () => void): void;
}

const ELSEWHERE = "This page cannot answer here: the cell asks again below in a moment.";
const GONE = "The kernel that has asked this has ended. Run the cell again.";

/** The kernel waits for this page as soon as it knows that it is there. */
function initialize({ model }: { model: TrustModel }): void {
  sayByControl(model, { trust: "loading" });
}

function render({ model, el }: { model: TrustModel; el: HTMLElement }): () => void {
  dress(styles);
  el.classList.add("dipeo-card");
  const root = createRoot(el);
  const say = (word: Answer | "seen" | "left" | "gone") => sayByControl(model, { trust: word });
  const asked = {
    name: model.get("name"),
    foreign: model.get("foreign"),
    powers: model.get("powers"),
  };
  const draw = (why: string | null): void =>
    root.render(<TrustQuestion asked={asked} decide={why === null ? say : null} why={why ?? ""} />);
  const end = (): void => draw(GONE);
  const leave = (): void => void say("gone");
  draw(say("seen") ? null : ELSEWHERE);
  model.on("comm_live_update", end);
  // A page that is loaded again can not learn of the question: the kernel is busy with waiting.
  addEventListener("pagehide", leave);
  return () => {
    removeEventListener("pagehide", leave);
    model.off("comm_live_update", end);
    say("left");
    root.unmount();
  };
}

export default { initialize, render };
