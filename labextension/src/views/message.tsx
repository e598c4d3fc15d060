/** One message, in the colour of who said it. */
import { useState } from "react";
import { useRun } from "../execution/context";
import type { Message, ToolUse } from "../protocol/messages";
import { Markdown } from "./markdown";
import { colourOf } from "./person";
import { Picture } from "./picture";

const NOBODY: readonly string[] = [];
const DIAGRAM = "diagram";

export function usePersons(): readonly string[] {
  const persons = useRun((state) => state.diagram?.persons);
  return persons ? Object.keys(persons) : NOBODY;
}

interface MessageProps {
  readonly message: Message;
  readonly forgotten?: boolean;
  readonly note?: string;
}

export function MessageView({ message, forgotten = false, note }: MessageProps) {
  const persons = usePersons();
  return (
    <article
      className={`dipeo-message ${colourOf(message.sender, persons)}${forgotten ? " is-forgotten" : ""}`}
    >
      <header>
        <b>{message.sender ?? DIAGRAM}</b> → {message.recipient ?? DIAGRAM}
        <span className="dipeo-note">{note ?? (forgotten ? "forgotten" : "")}</span>
      </header>
      <Said text={message.content} />
      {message.images?.map((url) => (
        <Picture key={url} url={url} alt="image" />
      ))}
      {message.uses?.map((use) => (
        <Tool key={use.id} use={use} />
      ))}
    </article>
  );
}

/** Letters and lines that are shown at once; what is longer is opened by a click. */
const [LETTERS, LINES] = [700, 8];

function Said({ text }: { text: string }) {
  const [open, set] = useState(false);
  const long = text.length > LETTERS || text.split("\n", LINES + 1).length > LINES;
  if (!long) return <Markdown text={text} />;
  return (
    <>
      <div className={open ? "" : "dipeo-cut"}>
        <Markdown text={text} />
      </div>
      <button
        type="button"
        className="dipeo-link"
        aria-expanded={open}
        onClick={() => set((before) => !before)}
      >
        {open ? "Show less" : "Show all of it"}
      </button>
    </>
  );
}

function Tool({ use }: { use: ToolUse }) {
  return (
    <details className={`dipeo-tool${use.failed ? " is-failed" : ""}`}>
      <summary>
        used <code>{use.name}</code>
      </summary>
      <pre>
        {use.arguments}
        {"\n→ "}
        {use.result}
      </pre>
    </details>
  );
}
