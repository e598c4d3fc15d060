/** Which node people look at, and how to look at another one. */
import { createContext } from "react";

export interface Selection {
  readonly selected: string | null;
  readonly select: (label: string | null) => void;
  /** Null when breakpoints cannot be set. */
  readonly toggleBreakpoint: ((label: string) => void) | null;
}

export const SelectionContext = createContext<Selection>({
  selected: null,
  select: () => {},
  toggleBreakpoint: null,
});
