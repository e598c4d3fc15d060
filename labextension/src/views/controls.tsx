/** Pause, resume, step, stop. */
import { useState } from "react";
import { useRun, useRunView } from "../execution/context";
import { isFinal, WISHES, type Wish } from "./steering";

/** Tell what went wrong, or that nothing is wrong any more. */
export type Complain = (problem: string | null) => void;

/** Nothing when there is nothing left to steer, or nobody who would hear. */
export function Controls({ complain }: { complain: Complain }) {
  const { ask } = useRunView();
  const over = useRun(isFinal);
  if (ask === null || over) return null;
  return (
    <div className="dipeo-controls" role="toolbar" aria-label="Run">
      {WISHES.map((wish) => (
        <WishButton key={wish.name} wish={wish} complain={complain} />
      ))}
    </div>
  );
}

function WishButton({ wish, complain }: { wish: Wish; complain: Complain }) {
  const { ask } = useRunView();
  const meaningful = useRun(wish.meaningful);
  const [asking, wait] = useState(false);
  const press = async (): Promise<void> => {
    if (ask === null) return;
    wait(true);
    try {
      await ask(wish.command);
      complain(null);
    } catch (error) {
      complain(error instanceof Error ? error.message : String(error));
    } finally {
      wait(false);
    }
  };
  return (
    <button
      type="button"
      aria-label={wish.name}
      title={wish.title}
      aria-busy={asking}
      disabled={!meaningful || asking || ask === null}
      onClick={press}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={wish.path} />
      </svg>
    </button>
  );
}
