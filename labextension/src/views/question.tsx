/** A question of the run to people, and the form for its answer. */
import { type FormEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { useRunView } from "../execution/context";
import type { Asked } from "../execution/derive";
import { FieldView } from "./field";
import { begun, fieldsOf, keyOf, read, type Wrong } from "./form";
import { Markdown } from "./markdown";

export function QuestionForm({ asked }: { asked: Asked }) {
  const { node, activation, question } = asked;
  const { ask } = useRunView();
  const id = useId();
  const fields = useMemo(() => fieldsOf(question), [question]);
  const [filled, fill] = useState(() => begun(fields));
  const [wrong, tell] = useState<Wrong>({});
  const [sending, send] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    if (!Object.keys(wrong).length) return;
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [wrong]);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const answer = read(question, fields, filled);
    tell(answer.wrong ?? {});
    if (answer.wrong !== null || ask === null) return;
    send(true);
    try {
      await ask({ type: "user_response", node, activation, value: answer.value });
    } catch (error) {
      tell({ "": error instanceof Error ? error.message : String(error) });
    } finally {
      send(false);
    }
  };

  return (
    <form
      ref={form}
      className="dipeo-question"
      aria-labelledby={`${id}-prompt`}
      onSubmit={submit}
      noValidate
    >
      <div id={`${id}-prompt`} className="dipeo-prompt">
        <b className="dipeo-asker">{node}</b>
        <Markdown text={question.prompt} />
      </div>
      <div className="dipeo-fields">
        {fields.map((field) => (
          <FieldView
            key={keyOf(field)}
            field={field}
            value={filled[keyOf(field)] ?? field.initial}
            wrong={wrong[keyOf(field)]}
            change={(value) => fill((all) => ({ ...all, [keyOf(field)]: value }))}
          />
        ))}
        {fields[0]?.name !== null && wrong[""] && (
          <p className="dipeo-wrong" role="alert">
            {wrong[""]}
          </p>
        )}
        <button type="submit" className="dipeo-primary" disabled={ask === null || sending}>
          {sending ? "Sending…" : "Answer"}
        </button>
      </div>
    </form>
  );
}
