/** A run as a document of the main area. */
import { ReactWidget } from "@jupyterlab/ui-components";
import { lazy, Suspense } from "react";
import type { IDipeo } from "./service";

/** Lab starts without what draws; it is loaded for the first run that is opened. */
const RunPage = lazy(() => import("./run-page").then(({ RunPage: page }) => ({ default: page })));

export class RunContent extends ReactWidget {
  readonly #dipeo: IDipeo;
  readonly executionId: string;

  constructor(dipeo: IDipeo, executionId: string) {
    super();
    this.#dipeo = dipeo;
    this.executionId = executionId;
    this.addClass("dipeo-lab");
    this.addClass("dipeo-page");
  }

  protected override render() {
    return (
      <Suspense>
        <RunPage dipeo={this.#dipeo} id={this.executionId} />
      </Suspense>
    );
  }
}
