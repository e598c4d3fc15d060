/** A run's view in an element of the page. */
import { createRoot } from "react-dom/client";
import type { Layout } from "../diagram/layout";
import type { RunCommand } from "../execution/context";
import type { RunStore } from "../execution/store";
import type { Ack } from "../protocol/messages";
import { RunView } from "../views/run";

interface Shown {
  readonly store: RunStore;
  readonly ask: ((command: RunCommand) => Promise<Ack>) | null;
}

/** Returns what takes it away again. */
export function show(
  element: HTMLElement,
  { store, ask }: Shown,
  layout: Layout | null,
): () => void {
  element.classList.add("dipeo-card");
  const root = createRoot(element);
  root.render(<RunView store={store} ask={ask} layout={layout} />);
  return () => root.unmount();
}
