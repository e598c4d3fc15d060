/** The list of runs as people see it: what there is, what becomes of it, and how to begin. */
import type { TranslationBundle } from "@jupyterlab/translation";
import { addIcon, refreshIcon } from "@jupyterlab/ui-components";
import type { CommandRegistry } from "@lumino/commands";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { NEW_DIAGRAM } from "./new-diagram";
import { RunRow } from "./run-row";
import { CHOICES, type Choice, fitting } from "./runs/filter";
import { type Shared, Tool } from "./tool";

/** Times are told in minutes. */
const A_WHILE = 20_000;
/** More rows than this make a slow page, and nobody reads them. */
const MOST = 200;

export function RunsView({ dipeo, commands }: Shared) {
  const { runs, trans } = dipeo;
  const { lines, known, problem } = useSyncExternalStore(runs.subscribe, runs.get);
  const [text, search] = useState("");
  const [choice, choose] = useState<Choice>("all");
  const now = useTime();
  const found = useMemo(() => fitting(lines, text, choice), [lines, text, choice]);
  return (
    <>
      <div className="dipeo-side-head">
        <h2>{trans.__("Runs")}</h2>
        <Tool
          label={trans.__("New diagram")}
          icon={addIcon}
          act={() => commands.execute(NEW_DIAGRAM)}
        />
        <Tool label={trans.__("Refresh")} icon={refreshIcon} act={dipeo.refresh} />
      </div>
      {lines.length > 0 && (
        <Filter trans={trans} text={text} search={search} choice={choice} choose={choose} />
      )}
      {problem !== null && (
        <p className="dipeo-told is-wrong" role="alert">
          {problem}
        </p>
      )}
      {found.length > 0 && (
        <ul className="dipeo-lines" aria-label={trans.__("Runs")}>
          {found.slice(0, MOST).map((line) => (
            <RunRow key={line.id} line={line} now={now} dipeo={dipeo} commands={commands} />
          ))}
        </ul>
      )}
      {found.length > MOST && (
        <p className="dipeo-told">{trans.__("%1 more: search for them.", found.length - MOST)}</p>
      )}
      {lines.length > 0 && !found.length && (
        <p className="dipeo-told">{trans.__("No run is like that.")}</p>
      )}
      {known && !lines.length && <Beginning trans={trans} commands={commands} />}
    </>
  );
}

function useTime(): number {
  const [now, set] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), A_WHILE);
    return () => clearInterval(timer);
  }, []);
  return now;
}

interface FilterProps {
  readonly trans: TranslationBundle;
  readonly text: string;
  readonly search: (text: string) => void;
  readonly choice: Choice;
  readonly choose: (choice: Choice) => void;
}

function Filter({ trans, text, search, choice, choose }: FilterProps) {
  return (
    <div className="dipeo-filter">
      <input
        type="search"
        value={text}
        placeholder={trans.__("Filter")}
        aria-label={trans.__("Filter runs")}
        onChange={(event) => search(event.currentTarget.value)}
      />
      <select
        value={choice}
        aria-label={trans.__("Status")}
        onChange={(event) => choose(event.currentTarget.value as Choice)}
      >
        {CHOICES.map((each) => (
          <option key={each} value={each}>
            {trans.__(each)}
          </option>
        ))}
      </select>
    </div>
  );
}

function Beginning({ trans, commands }: { trans: TranslationBundle; commands: CommandRegistry }) {
  return (
    <div className="dipeo-beginning">
      <p>{trans.__("Nothing has been run yet. There are two ways to begin:")}</p>
      <p>
        {trans.__("In a notebook")}
        <code>%load_ext dipeo_jupyter</code>
        {trans.__("then a cell that begins with")}
        <code>%%dipeo</code>
      </p>
      <p>{trans.__("Or with a diagram file, by its Run button:")}</p>
      <button type="button" className="dipeo-primary" onClick={() => commands.execute(NEW_DIAGRAM)}>
        {trans.__("New diagram")}
      </button>
    </div>
  );
}
