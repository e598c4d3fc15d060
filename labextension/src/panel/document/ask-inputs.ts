/** Asks people what a run is to begin with. */
import { Dialog, showDialog } from "@jupyterlab/apputils";
import type { TranslationBundle } from "@jupyterlab/translation";
import { Widget } from "@lumino/widgets";
import { type Inputs, readInputs } from "./inputs";

/** By the paths of the files: what was written last, to begin with that. */
const before = new Map<string, string>();

/** Null when they do not want a run after all. */
export async function askInputs(trans: TranslationBundle, path: string): Promise<Inputs | null> {
  const body = new InputsForm(trans.__("Inputs, one in a line"), before.get(path) ?? "");
  const { button, value } = await showDialog<string>({
    title: trans.__("Run with Inputs"),
    body,
    focusNodeSelector: "textarea",
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__("Run") })],
  });
  if (!button.accept) return null;
  before.set(path, value ?? "");
  return readInputs(value ?? "");
}

class InputsForm extends Widget implements Dialog.IBodyWidget<string> {
  readonly #area = document.createElement("textarea");

  constructor(label: string, text: string) {
    super();
    this.addClass("dipeo-inputs");
    this.#area.rows = 5;
    this.#area.value = text;
    this.#area.placeholder = 'topic=tea\nrounds=3\nwords=["a", "b"]';
    this.#area.setAttribute("aria-label", label);
    this.node.append(this.#area);
  }

  getValue(): string {
    return this.#area.value;
  }
}
