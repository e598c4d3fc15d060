/** A small button with a sign. */
import type { LabIcon } from "@jupyterlab/ui-components";
import type { CommandRegistry } from "@lumino/commands";
import type { IDipeo } from "./service";

export interface Shared {
  readonly dipeo: IDipeo;
  readonly commands: CommandRegistry;
}

interface ToolProps {
  readonly label: string;
  readonly icon: LabIcon;
  readonly act: () => unknown;
}

export function Tool({ label, icon, act }: ToolProps) {
  return (
    <button
      type="button"
      className="dipeo-tool-button"
      aria-label={label}
      title={label}
      onClick={(event) => {
        event.stopPropagation();
        void act();
      }}
    >
      <icon.react tag="span" width="16px" height="16px" />
    </button>
  );
}
