/** A run's view in an element of the page. */
import { createRoot } from "react-dom/client";
import { RunView } from "../views/run";
import type { CardModel } from "./model";
import type { Session } from "./session";

/** Returns what takes it away again. */
export function show(element: HTMLElement, { store, ask }: Session, model: CardModel): () => void {
  element.classList.add("dipeo-card");
  const root = createRoot(element);
  const draw = (): void => {
    root.render(<RunView store={store} ask={ask} layout={model.get("places")} />);
  };
  draw();
  // A run that is edited has another diagram, whose parts stand elsewhere.
  model.on("change:places", draw);
  return () => {
    model.off("change:places", draw);
    root.unmount();
  };
}
