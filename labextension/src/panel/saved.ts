/** Runs in the outputs of notebooks: by their cards as long as these live, else as they were kept. */
import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import type { Widget } from "@lumino/widgets";
import { MIME, WIDGET } from "./kept";
import { type MakeCard, RunOutput } from "./run-output";
import { IDipeo, NAME } from "./service";

/** Worse than a widget's: where the two are not brought together, a card is what lives. */
const RANK = 10;
/** Better than a widget's, which says nothing but "model not found" when its kernel has ended. */
const FIRST = -11;
/** Milliseconds between two looks whether a notebook can make cards, and how often to look. */
const PAUSE = 50;
const LOOKS = 100;

type Registry = IRenderMimeRegistry;
type Notebook = Widget & { content?: { rendermime?: Registry } };

export const saved: JupyterFrontEndPlugin<void> = {
  id: `${NAME}:saved-runs`,
  description: "Shows runs in notebooks: by their cards, and without a kernel as they were kept.",
  autoStart: true,
  optional: [IRenderMimeRegistry, IDipeo],
  activate: (app, registry: Registry | null, dipeo: IDipeo | null) => {
    if (registry === null) return;
    const connection = dipeo?.connection ?? null;
    const kept = { safe: true, mimeTypes: [MIME], createRenderer: () => new RunOutput(null, null) };
    registry.addFactory(kept, RANK);
    app.docRegistry.addWidgetExtension("Notebook", {
      createNew: ({ content }: Notebook) => {
        const own = content?.rendermime;
        if (own === undefined) return;
        const createRenderer = () => new RunOutput(cardsOf(own, registry), connection);
        own.addFactory({ ...kept, createRenderer }, FIRST);
      },
    });
  },
};

/**
 * Makes the cards of a notebook. They need its own way to show widgets, which takes the place of
 * the general one some time after the notebook was opened; nothing tells when.
 */
function cardsOf(own: Registry, general: Registry): MakeCard {
  return async () => {
    const ready = (): boolean => own.getFactory(WIDGET) !== general.getFactory(WIDGET);
    for (let look = 0; look < LOOKS && !ready(); look += 1)
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    return ready() ? own.createRenderer(WIDGET) : null;
  };
}
