/** What the plugins share: the connection, the list of runs, and how they are told apart. */
import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { ITranslator, nullTranslator, type TranslationBundle } from "@jupyterlab/translation";
import { Token } from "@lumino/coreutils";
import { type Connection, TransportConnection } from "../protocol/connection";
import { RunList } from "./runs/list";
import { RunsWatch } from "./runs/watch";
import { transportTo } from "./server";

export const NAME = "dipeo-jupyter";
const DOMAIN = "dipeo_jupyter";

/** Where a run's view is opened. */
export type RunPlace = "tab-after" | "split-right" | "split-bottom";

export interface IDipeo {
  readonly connection: Connection;
  readonly runs: RunList;
  readonly trans: TranslationBundle;
  /** Ask the server anew what runs there are. */
  readonly refresh: () => void;
  readonly placeOfRuns: () => RunPlace;
}

export const IDipeo = new Token<IDipeo>(
  "dipeo-jupyter:IDipeo",
  "The connection to the engine of dipeo_jupyter, and the runs that there are.",
);

export const service: JupyterFrontEndPlugin<IDipeo> = {
  id: `${NAME}:plugin`,
  description: "Speaks with the engine in the Jupyter server, and knows its runs.",
  autoStart: true,
  provides: IDipeo,
  optional: [ITranslator, ISettingRegistry],
  activate: (app, translator: ITranslator | null, registry: ISettingRegistry | null) => {
    const settings = app.serviceManager.serverSettings;
    const runs = new RunList();
    const watch = new RunsWatch(transportTo(settings, runs.trouble), runs);
    let place: RunPlace = "tab-after";
    registry?.load(service.id).then(
      (loaded) => {
        const read = (): void => {
          place = loaded.get("placeOfRuns").composite as RunPlace;
        };
        loaded.changed.connect(read);
        read();
      },
      (error: Error) => console.warn(`dipeo_jupyter goes on without its settings: ${error}`),
    );
    return {
      connection: new TransportConnection(transportTo(settings)),
      runs,
      trans: (translator ?? nullTranslator).load(DOMAIN),
      refresh: watch.refresh,
      placeOfRuns: () => place,
    };
  },
};
