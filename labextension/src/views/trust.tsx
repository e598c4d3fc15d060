/** The question whether a diagram may do what it asks for. */
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import type { AskedPower } from "../protocol/messages";
import { KEYS } from "./keys";
import { Powers } from "./powers";
import words from "./trust.json";

export type Answer = "once" | "always" | "no";
const ANSWERS: readonly Answer[] = ["once", "always", "no"];
/** Milliseconds until people are told that nobody hears what they say. */
const PATIENCE = 5000;

export interface Asked {
  /** The file that the diagram is in, if that is known. */
  readonly name: string | null;
  /** Whether it may have come from elsewhere itself, and not only a file that it runs. */
  readonly foreign: boolean;
  readonly powers: readonly AskedPower[];
}

interface TrustProps {
  readonly asked: Asked;
  /** Null where nobody would hear the answer, and `why` says what to do. */
  readonly decide: ((answer: Answer) => void) | null;
  readonly why: string;
}

/** It has the focus, but no button has: whoever types goes on to type, and grants nothing. */
export function TrustQuestion({ asked, decide, why }: TrustProps) {
  const id = useId();
  const place = useFocus();
  const [sent, send] = useState<Answer | null>(null);
  const [unheard, complain] = useState(false);

  useEffect(() => {
    if (sent === null) return;
    const late = (): void => {
      send(null);
      complain(true);
    };
    const timer = setTimeout(late, PATIENCE);
    return () => clearTimeout(timer);
  }, [sent]);

  const say = (answer: Answer): void => {
    if (decide === null || sent !== null) return;
    complain(false);
    send(answer);
    decide(answer);
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    say("no");
  };
  return (
    <section
      {...KEYS}
      ref={place}
      className="dipeo-run dipeo-trust"
      role="alertdialog"
      tabIndex={-1}
      aria-labelledby={`${id}-asks`}
      aria-describedby={`${id}-where ${id}-powers`}
      onKeyDown={press}
    >
      <header className="dipeo-trust-head">
        <Shield />
        <b id={`${id}-asks`}>{words.asks}</b>
        {asked.name !== null && <code className="dipeo-note">{asked.name}</code>}
      </header>
      <p id={`${id}-where`}>{asked.foreign ? words.isFile : words.runsFile}</p>
      <div id={`${id}-powers`}>
        <Powers powers={asked.powers} />
      </div>
      {decide !== null && (
        <div className="dipeo-trust-answers">
          {ANSWERS.map((answer) => (
            <button
              key={answer}
              type="button"
              className={`is-${answer}`}
              aria-busy={sent === answer}
              disabled={sent !== null}
              onClick={() => say(answer)}
              {...(answer === "always" && { "aria-describedby": `${id}-remembered` })}
            >
              {words[answer]}
            </button>
          ))}
          <small id={`${id}-remembered`} className="dipeo-note">
            {words.remembered}
          </small>
        </div>
      )}
      {(unheard || decide === null) && (
        <p className="dipeo-wrong" role="alert">
          {decide === null ? why : "Nobody has heard this. Try again, or run the cell again."}
        </p>
      )}
    </section>
  );
}

/** Takes the focus when it comes, unless somebody types, and gives it back when it goes. */
function useFocus() {
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    const here = place.current;
    let before: Element | null = null;
    const take = (): void => {
      if (!here?.isConnected) {
        frame = requestAnimationFrame(take); // it is made before it is put into the page
        return;
      }
      before = document.activeElement;
      here.scrollIntoView({ block: "nearest" });
      if (types(before)) before = null;
      else here.focus({ preventScroll: true });
    };
    let frame = requestAnimationFrame(take);
    return () => {
      cancelAnimationFrame(frame);
      const now = document.activeElement;
      if (now !== document.body && !here?.contains(now)) return;
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  return place;
}

function types(element: Element | null): boolean {
  return element?.matches("input, textarea, select, [contenteditable=true]") ?? false;
}

function Shield() {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true">
      <path d="M8 1.5 13.5 3.5V8c0 3.2-2.3 5.4-5.5 6.5C4.8 13.4 2.5 11.2 2.5 8V3.5ZM8 4.8v3.6M8 10.9v.2" />
    </svg>
  );
}
