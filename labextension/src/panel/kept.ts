/** What of a run is in a notebook's output. */
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import type { Layout } from "../diagram/layout";
import type { Diagram, EventFrame } from "../protocol/messages";

export const MIME = "application/vnd.dipeo.run+json";
export const WIDGET = "application/vnd.jupyter.widget-view+json";

export interface Kept {
  readonly execution_id: string;
  readonly diagram: Diagram;
  readonly places: Layout | null;
  readonly entries: readonly EventFrame[];
}

/** It is in the metadata, as JSON text; null when it was too large for a notebook. */
export function keptIn(model: Pick<IRenderMime.IMimeModel, "metadata">): Kept | null {
  const told = model.metadata[MIME] as { run?: string } | undefined;
  return told?.run === undefined ? null : JSON.parse(told.run);
}

/** The number of the card's model, while there is a card. */
export function cardIn({ data }: Pick<IRenderMime.IMimeModel, "data">): string | null {
  const view = data[WIDGET] as { model_id?: string } | undefined;
  return view?.model_id || null;
}

/** What is said instead of a run, where there is none. */
export function toldIn({ data }: Pick<IRenderMime.IMimeModel, "data">): string {
  const { told } = (data[MIME] ?? {}) as { told?: string };
  return told ?? "This run was too large to be saved here.";
}
