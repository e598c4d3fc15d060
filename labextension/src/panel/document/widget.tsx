/** The document of a diagram file. An editor may take the place of its content later. */
import { ABCWidgetFactory, type DocumentRegistry, DocumentWidget } from "@jupyterlab/docregistry";
import { ReactWidget } from "@jupyterlab/ui-components";
import { lazy, Suspense } from "react";
import type { IDipeo } from "../service";

/** Lab starts without what draws; it is loaded for the first diagram that is opened. */
const DiagramPage = lazy(() => import("./page").then((made) => ({ default: made.DiagramPage })));

export class DiagramContent extends ReactWidget {
  readonly #dipeo: IDipeo;
  readonly #context: DocumentRegistry.Context;
  readonly #goTo: (line: number) => void;

  constructor(dipeo: IDipeo, context: DocumentRegistry.Context, goTo: (line: number) => void) {
    super();
    this.#dipeo = dipeo;
    this.#context = context;
    this.#goTo = goTo;
    this.addClass("dipeo-lab");
    this.addClass("dipeo-page");
  }

  protected override render() {
    return (
      <Suspense>
        <DiagramPage dipeo={this.#dipeo} context={this.#context} goTo={this.#goTo} />
      </Suspense>
    );
  }
}

export type DiagramDocument = DocumentWidget<DiagramContent>;

export class DiagramFactory extends ABCWidgetFactory<DiagramDocument> {
  readonly #dipeo: IDipeo;
  readonly #goTo: (path: string, line: number) => void;

  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions<DiagramDocument>,
    dipeo: IDipeo,
    goTo: (path: string, line: number) => void,
  ) {
    super(options);
    this.#dipeo = dipeo;
    this.#goTo = goTo;
  }

  protected override createNewWidget(context: DocumentRegistry.Context): DiagramDocument {
    const goTo = (line: number): void => this.#goTo(context.path, line);
    const content = new DiagramContent(this.#dipeo, context, goTo);
    return new DocumentWidget({ content, context });
  }
}
