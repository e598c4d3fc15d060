/** What is wrong with a diagram, worst first. */
import type { TranslationBundle } from "@jupyterlab/translation";
import type { AskedPower, Problem } from "../../protocol/messages";

const ORDER = ["error", "warning", "hint"] as const;

interface ProblemsProps {
  readonly problems: readonly Problem[];
  readonly trans: TranslationBundle;
  readonly select: (label: string) => void;
  readonly goTo: (line: number) => void;
}

export function Problems({ problems, ...rest }: ProblemsProps) {
  if (!problems.length) return null;
  return (
    <section className="dipeo-problems" aria-label={rest.trans.__("Problems")}>
      <ul>
        {worstFirst(problems).map((problem) => (
          <Row key={keyOf(problem)} problem={problem} {...rest} />
        ))}
      </ul>
    </section>
  );
}

function Row({
  problem,
  trans,
  select,
  goTo,
}: Omit<ProblemsProps, "problems"> & { problem: Problem }) {
  const { line, node, message, hint } = problem;
  const severity = severityOf(problem);
  return (
    <li className={`is-${severity}`}>
      <span className="dipeo-severity">{trans.__(severity)}</span>
      {line != null && (
        <button type="button" className="dipeo-link" onClick={() => goTo(line)}>
          {trans.__("line %1", line)}
        </button>
      )}
      {node != null && (
        <button type="button" className="dipeo-link" onClick={() => select(node)}>
          {node}
        </button>
      )}
      <span>
        {message} {hint}
      </span>
    </li>
  );
}

export function worstFirst(problems: readonly Problem[]): Problem[] {
  const rank = (each: Problem): number => ORDER.indexOf(severityOf(each));
  return [...problems].sort(
    (left, right) => rank(left) - rank(right) || (left.line ?? 0) - (right.line ?? 0),
  );
}

/** The first thing because of which a diagram cannot be run, if there is one. */
export function fatalOf(problems: readonly Problem[]): Problem | undefined {
  return problems.find((each) => severityOf(each) === "error");
}

function severityOf(problem: Problem): (typeof ORDER)[number] {
  return problem.severity ?? "error";
}

function keyOf(problem: Problem): string {
  return [problem.code, problem.line, problem.node, problem.message].join(" ");
}

/** Says where a power is asked for: where the hint for it stands. */
export function placed(problems: readonly Problem[]): (power: AskedPower) => AskedPower {
  return (power) => {
    if (power.file) return power;
    const hint = problems.find(({ code, node }) => code === power.code && node === power.node);
    return { ...power, line: power.line ?? hint?.line ?? null };
  };
}
