/** What is going on now: who speaks, who works; and at the end, what came of it. */
import { useRun } from "../execution/context";
import { firingName, firings } from "../execution/derive";
import { useNow } from "../execution/now";
import { type Activation, isOver, type RunState } from "../execution/state";
import { wholeTime } from "../execution/usage";
import type { ErrorInfo, JsonValue } from "../protocol/messages";
import { Markdown } from "./markdown";
import { usePersons } from "./message";
import { colourOf } from "./person";
import { Value } from "./value";

export function Present() {
  const state = useRun((whole) => whole);
  const working = firings(state).filter(
    (each) => each.status === "running" || each.status === "waiting",
  );
  if (state.recorded === "failed" && state.error) return <Failed error={state.error} />;
  if (state.recorded === "completed") return <Results outputs={state.outputs} />;
  if (!working.length) return <Idle state={state} />;
  return working.map((each) => (
    <Worker key={firingName(each)} firing={each} asked={isAsked(state, each)} />
  ));
}

function Idle({ state }: { state: RunState }) {
  return (
    <>
      <p className="dipeo-note">{idle(state)}</p>
      {!isOver(state) && <p className="dipeo-note dipeo-tip">{TIP}</p>}
    </>
  );
}

const TIP =
  "A click on a node tells what came in and out; one on its upper left corner pauses before it.";

function idle(state: RunState): string {
  if (state.recorded === "paused") return "Nothing is at work. Resume or step to go on.";
  return state.recorded === "cancelled" ? "The run was stopped." : "Nothing is at work yet.";
}

function isAsked(state: RunState, firing: Activation): boolean {
  return state.nodes.get(firing.node)?.question != null;
}

const INTERRUPTED = "was at work when the process ended";

/** Somebody at work. What is said grows at the end, and the end stays in sight. */
function Worker({ firing, asked }: { firing: Activation; asked: boolean }) {
  const persons = usePersons();
  const person = useRun((state) => personOf(state, firing.node));
  const last = firing.log.at(-1);
  const asleep = useRun((state) => state.asleep);
  const now = useNow(!asleep);
  return (
    <article className={`dipeo-worker ${colourOf(person, persons)}`}>
      <header>
        <b>{firingName(firing)}</b>
        <span className="dipeo-note">
          {asked ? "waits for an answer" : asleep ? INTERRUPTED : (person ?? "is at work")}
          {!asleep && ` · ${wholeTime(Math.max(0, now - firing.started))}`}
        </span>
      </header>
      {firing.text && (
        <div className="dipeo-tail">
          <Stream text={firing.text} />
        </div>
      )}
      {!firing.text && last && <p className="dipeo-note">{last}</p>}
    </article>
  );
}

/** Long texts are laid out when they are there. */
const LONG = 8000;

function Stream({ text }: { text: string }) {
  return text.length < LONG ? <Markdown text={text} /> : <p className="dipeo-stream">{text}</p>;
}

function personOf(state: RunState, label: string): string | null {
  const person = state.diagram?.nodes?.find((each) => each.label === label)?.props?.person;
  return typeof person === "string" ? person : null;
}

function Results({ outputs }: { outputs: Record<string, JsonValue> }) {
  const all = Object.entries(outputs);
  if (!all.length) return <p className="dipeo-note">The run has no results.</p>;
  return all.map(([label, value]) => (
    <article key={label} className="dipeo-result">
      <header>
        <b>{label}</b>
      </header>
      <Value value={value} name={label} />
    </article>
  ));
}

function Failed({ error }: { error: ErrorInfo }) {
  return (
    <div className="dipeo-failure">
      <p>
        {error.node && <b>{error.node}: </b>}
        {error.message}
      </p>
      {error.details && <pre>{error.details}</pre>}
    </div>
  );
}
