/** How the card gets on with the keyboard of the page around it. */
import type { FocusEvent, KeyboardEvent, MouseEvent } from "react";

/**
 * While something in here has the focus, JupyterLab's shortcuts rest: Enter presses a button, and
 * does not open a cell. A click takes no focus away from the notebook, whose keys go on to work.
 */
export const KEYS = {
  onFocusCapture: (event: FocusEvent<HTMLElement>): void => {
    // It is looked for at what has the focus before anything around that.
    event.target.setAttribute("data-lm-suppress-shortcuts", "true");
  },
  onMouseDownCapture: (event: MouseEvent<HTMLElement>): void => {
    if (event.target instanceof Element && event.target.closest("button")) event.preventDefault();
  },
};

/** Escape closes what is open and goes back to its node; with nothing open, back to the notebook. */
export function escapes(selected: string | null, close: () => void) {
  return (event: KeyboardEvent<HTMLElement>): void => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (selected !== null) {
      close();
      const name = CSS.escape(selected);
      event.currentTarget.querySelector<HTMLElement>(`[data-label="${name}"]`)?.focus();
    } else {
      event.currentTarget.closest<HTMLElement>(".jp-Cell")?.focus();
    }
  };
}
