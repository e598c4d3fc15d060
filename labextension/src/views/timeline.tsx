/** When who worked, and what it took. */
import { useContext, useState } from "react";
import { SelectionContext } from "../diagram/selection";
import { useRun } from "../execution/context";
import { useNow } from "../execution/now";
import { type Bar, chartOf, type Measure, type Row } from "./chart";

const MEASURES: readonly Measure[] = ["time", "tokens", "cost"];

export function Timeline() {
  const state = useRun((whole) => whole);
  const [measure, choose] = useState<Measure>("time");
  const now = useNow(state.recorded === "running");
  const { rows, whole } = chartOf(state, measure, now);
  if (!rows.length) return <p className="dipeo-note">Nothing has begun yet.</p>;
  return (
    <div className="dipeo-timeline">
      <fieldset className="dipeo-forms">
        <legend className="dipeo-hidden">Measure</legend>
        {MEASURES.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={each === measure}
            onClick={() => choose(each)}
          >
            {each}
          </button>
        ))}
        <span className="dipeo-note">{whole} in all</span>
      </fieldset>
      {rows.map((row) => (
        <Line key={row.node} row={row} />
      ))}
    </div>
  );
}

function Line({ row }: { row: Row }) {
  return (
    <div className="dipeo-row">
      <span className="dipeo-name" title={row.node}>
        {row.node}
      </span>
      <div className="dipeo-track">
        {row.bars.map((bar) => (
          <Piece key={bar.name} bar={bar} />
        ))}
      </div>
    </div>
  );
}

function Piece({ bar }: { bar: Bar }) {
  const { select } = useContext(SelectionContext);
  return (
    <button
      type="button"
      className={`dipeo-piece is-${bar.status}`}
      style={{ left: `${bar.from * 100}%`, width: `${bar.length * 100}%` }}
      title={`${bar.name}: ${bar.words}`}
      aria-label={`${bar.name}: ${bar.status}, ${bar.words}`}
      onClick={() => select(bar.node)}
    >
      <span>{bar.words}</span>
    </button>
  );
}
