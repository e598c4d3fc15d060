/** A run in the output of a notebook, as it was when it was saved. */
import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Widget } from "@lumino/widgets";
import { createRoot, type Root } from "react-dom/client";
import type { Layout } from "../diagram/layout";
import { RunStore } from "../execution/store";
import type { Diagram, EventFrame } from "../protocol/messages";
import { NAME } from "./service";

export const MIME = "application/vnd.dipeo.run+json";
/** Worse than a widget's: a run that goes on is shown by its card, as long as that lives. */
const RANK = 10;

interface Saved {
  readonly diagram: Diagram;
  readonly places: Layout | null;
  readonly entries: readonly EventFrame[];
}

export const saved: JupyterFrontEndPlugin<void> = {
  id: `${NAME}:saved-runs`,
  description: "Shows runs that are saved in notebooks, without a kernel.",
  autoStart: true,
  optional: [IRenderMimeRegistry],
  activate: (_, registry: IRenderMimeRegistry | null) => {
    const createRenderer = (): SavedRun => new SavedRun();
    registry?.addFactory({ safe: true, mimeTypes: [MIME], createRenderer }, RANK);
  },
};

class SavedRun extends Widget implements IRenderMime.IRenderer {
  #root: Root | null = null;

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.addClass("dipeo-card");
    this.#root ??= createRoot(this.node);
    const run = savedIn(model);
    if (run === null) {
      this.#root.render(<p className="dipeo-told">This run was too large to be saved here.</p>);
      return;
    }
    const { RunView } = await import("../views/run"); // not before it is needed
    if (this.isDisposed) return;
    const store = new RunStore(run.entries, run.diagram);
    this.#root.render(<RunView store={store} ask={null} layout={run.places} />);
  }

  override dispose(): void {
    this.#root?.unmount();
    super.dispose();
  }
}

/** It is in the metadata, as JSON text; null when it was too large for a notebook. */
export function savedIn(model: Pick<IRenderMime.IMimeModel, "metadata">): Saved | null {
  const told = model.metadata[MIME] as { run?: string } | undefined;
  return told?.run === undefined ? null : JSON.parse(told.run);
}
