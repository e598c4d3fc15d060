/** A run's view in an element of the page. */
import { createRoot } from "react-dom/client";
import { isOver } from "../execution/state";
import { Gone } from "../views/gone";
import { RunView } from "../views/run";
import type { CardModel } from "./model";
import type { Session } from "./session";

/** Returns what takes it away again. */
export function show(element: HTMLElement, session: Session, model: CardModel): () => void {
  element.classList.add("dipeo-card");
  const root = createRoot(element);
  const draw = (): void => {
    const { store, ask } = session;
    const gone = session.gone() && !isOver(store.get());
    root.render(
      <>
        {gone && <Gone id={model.get("execution_id")} />}
        <RunView store={store} ask={gone ? null : ask} layout={model.get("places")} />
      </>,
    );
  };
  draw();
  // A run that is edited has another diagram, whose parts stand elsewhere.
  model.on("change:places", draw);
  model.on("comm_live_update", draw);
  return () => {
    model.off("change:places", draw);
    root.unmount();
  };
}
