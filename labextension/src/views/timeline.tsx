/** When who worked, and what it took. */
import { useContext, useState } from "react";
import { SelectionContext } from "../diagram/selection";
import { signOf } from "../diagram/signs";
import { useRun } from "../execution/context";
import { goesOn } from "../execution/derive";
import { useNow } from "../execution/now";
import { type Bar, chartOf, type Measure, type Row } from "./chart";
import { usePersons } from "./message";
import { colourOf } from "./person";

const MEASURES: readonly Measure[] = ["time", "tokens", "cost"];

export function Timeline() {
  const state = useRun((whole) => whole);
  const [measure, choose] = useState<Measure>("time");
  const now = useNow(goesOn(state));
  const { rows, whole, scale } = chartOf(state, measure, now);
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
      <div className="dipeo-row dipeo-scale" aria-hidden="true">
        <span />
        <div>
          {scale.map((words, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: their places are what they are
            <span key={place}>{words}</span>
          ))}
        </div>
        <span />
      </div>
      {rows.map((row) => (
        <Line key={row.node} row={row} />
      ))}
    </div>
  );
}

function Line({ row }: { row: Row }) {
  const persons = usePersons();
  const colour = useRun((state) => {
    const node = state.diagram?.nodes?.find((each) => each.label === row.node);
    const person = node?.props?.person;
    if (typeof person === "string") return colourOf(person, persons);
    return `dipeo-${signOf(node?.type ?? "").colour}`;
  });
  return (
    <div className="dipeo-row">
      <span className="dipeo-name" title={row.node}>
        {row.node}
      </span>
      <div className="dipeo-track">
        {row.bars.map((bar) => (
          <Piece key={bar.name} bar={bar} colour={colour} />
        ))}
      </div>
      <span className="dipeo-total">{row.total}</span>
    </div>
  );
}

/** What is done has the colour of who did it; all else, that of how it stands. */
function Piece({ bar, colour }: { bar: Bar; colour: string }) {
  const { select } = useContext(SelectionContext);
  return (
    <button
      type="button"
      className={`dipeo-piece ${bar.status === "completed" ? colour : `is-${bar.status}`}`}
      style={{ left: `${bar.from * 100}%`, width: `${bar.length * 100}%` }}
      title={`${bar.name}: ${bar.words}`}
      aria-label={`${bar.name}: ${bar.status}, ${bar.words}`}
      onClick={() => select(bar.node)}
    >
      <span>{bar.words}</span>
    </button>
  );
}
