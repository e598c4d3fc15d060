/** Tabs as people know them, with the keyboard too. */
import { type KeyboardEvent, type ReactNode, useId } from "react";

export interface Tab {
  readonly name: string;
  readonly badge?: string | number | undefined;
  readonly view: () => ReactNode;
}

interface TabsProps {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly chosen: string;
  readonly choose: (name: string) => void;
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };

export function Tabs({ label, tabs, chosen, choose }: TabsProps) {
  const id = useId();
  const place = Math.max(
    0,
    tabs.findIndex((tab) => tab.name === chosen),
  );
  const steer = (event: KeyboardEvent<HTMLElement>): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (place + step + tabs.length) % tabs.length;
    choose(tabs[next]?.name ?? chosen);
    (event.currentTarget.children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    <div className="dipeo-tabs">
      <div role="tablist" aria-label={label} tabIndex={-1} onKeyDown={steer}>
        {tabs.map(({ name, badge }, index) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${name}`}
            aria-selected={index === place}
            aria-controls={`${id}-panel`}
            tabIndex={index === place ? 0 : -1}
            onClick={() => choose(name)}
          >
            {name}
            {badge !== undefined && <span className="dipeo-badge">{badge}</span>}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={`${id}-${tabs[place]?.name}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        tabIndex={0}
      >
        {tabs[place]?.view()}
      </div>
    </div>
  );
}
