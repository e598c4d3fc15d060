/** One run in the list. */
import { Mark } from "../diagram/node";
import { costOf, shortNumber, tokensOf } from "../execution/usage";
import { OPEN_RUN } from "./commands";
import { ago } from "./runs/ago";
import { nameOfRun, type RunLine, shortId } from "./runs/line";
import { CANCEL, PAUSE, RESUME, STEP, type Steering } from "./steering";
import { type Shared, Tool } from "./tool";

/** What is worth a button in each row; the rest is in the menu. */
const AT_HAND: readonly Steering[] = [PAUSE, RESUME, STEP, CANCEL];

interface RunRowProps extends Shared {
  readonly line: RunLine;
  readonly now: number;
}

export function RunRow({ line, now, dipeo, commands }: RunRowProps) {
  const of = { execution_id: line.id };
  const { trans } = dipeo;
  const steps = AT_HAND.filter((each) => each.meaningful(line));
  const shown = line.status === "failed" ? [] : steps;
  return (
    <li className="dipeo-line" data-run={line.id}>
      <button
        type="button"
        className="dipeo-line-main"
        title={`${nameOfRun(line)}\n${line.id}\n${new Date(line.started).toLocaleString()}`}
        onClick={() => commands.execute(OPEN_RUN, of)}
      >
        <Mark status={line.status} />
        <span className="dipeo-line-name">{nameOfRun(line)}</span>
        <Cost line={line} />
        <span className="dipeo-line-more">
          <span className={`dipeo-line-status is-${line.status}`}>{standing(line)}</span>
          {" · "}
          {ago(line.started, now)}
          {line.origin && ` · ${trans.__("from %1", shortId(line.origin))}`}
        </span>
      </button>
      {shown.length > 0 && (
        <span className="dipeo-line-tools">
          {shown.map((each) => (
            <Tool
              key={each.command}
              label={trans.__(each.label)}
              icon={each.icon}
              act={() => commands.execute(each.command, of)}
            />
          ))}
        </span>
      )}
    </li>
  );
}

function standing(line: RunLine): string {
  return line.status === "waiting" && line.waitingFor.length
    ? `waiting: ${line.waitingFor.join(", ")}`
    : line.status;
}

function Cost({ line: { usage } }: { line: RunLine }) {
  if (!usage?.calls) return null;
  return (
    <span className="dipeo-line-cost" title={`${shortNumber(tokensOf(usage))} tokens`}>
      {costOf(usage)}
    </span>
  );
}
