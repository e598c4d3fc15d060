/** One field of a form. */
import { useId } from "react";
import type { Field } from "./form";

interface FieldProps {
  readonly field: Field;
  readonly value: string | boolean;
  readonly wrong: string | undefined;
  readonly change: (value: string | boolean) => void;
}

/** So many choices are buttons, more are a list. */
const FEW = 5;

export function FieldView({ field, value, wrong, change }: FieldProps) {
  const id = useId();
  const told = [field.help && `${id}-help`, wrong && `${id}-wrong`].filter(Boolean).join(" ");
  const state = {
    id,
    "aria-invalid": wrong !== undefined,
    ...(told && { "aria-describedby": told }),
  };
  return (
    <div className={`dipeo-field is-${field.kind}`}>
      <FieldLabel field={field} id={id} />
      <Control field={field} value={value} change={change} state={state} />
      {field.help && (
        <small id={`${id}-help`} className="dipeo-note">
          {field.help}
        </small>
      )}
      {wrong && (
        <p id={`${id}-wrong`} className="dipeo-wrong" role="alert">
          {wrong}
        </p>
      )}
    </div>
  );
}

function FieldLabel({ field, id }: { field: Field; id: string }) {
  const words = (
    <>
      {field.title}
      {field.name !== null && !field.required && <span className="dipeo-note"> optional</span>}
    </>
  );
  const group = field.kind === "choice" && field.choices.length <= FEW;
  const className = field.name === null ? "dipeo-hidden" : "";
  return group ? (
    <span id={`${id}-name`} className={className}>
      {words}
    </span>
  ) : (
    <label htmlFor={id} className={className}>
      {words}
    </label>
  );
}

interface ControlProps extends Omit<FieldProps, "wrong"> {
  readonly state: { id: string; "aria-invalid": boolean; "aria-describedby"?: string };
}

function Control({ field, value, change, state }: ControlProps) {
  const text = String(value);
  switch (field.kind) {
    case "boolean":
      return (
        <input
          {...state}
          type="checkbox"
          checked={value === true}
          onChange={(event) => change(event.currentTarget.checked)}
        />
      );
    case "choice":
      return <Choice field={field} value={text} change={change} state={state} />;
    case "lines":
    case "json":
      return (
        <textarea
          {...state}
          rows={3}
          value={text}
          onChange={(e) => change(e.currentTarget.value)}
        />
      );
    default:
      return (
        <input
          {...state}
          type="text"
          inputMode={field.kind === "text" ? "text" : "decimal"}
          value={text}
          onChange={(event) => change(event.currentTarget.value)}
        />
      );
  }
}

function Choice({ field, value, change, state }: ControlProps) {
  const choices = field.choices.map((each) => ({ key: JSON.stringify(each), words: String(each) }));
  if (choices.length > FEW) {
    return (
      <select
        {...state}
        value={String(value)}
        onChange={(event) => change(event.currentTarget.value)}
      >
        <option value="">Choose…</option>
        {choices.map(({ key, words }) => (
          <option key={key} value={key}>
            {words}
          </option>
        ))}
      </select>
    );
  }
  return (
    <div
      className="dipeo-choices"
      role="radiogroup"
      aria-labelledby={`${state.id}-name`}
      {...state}
    >
      {choices.map(({ key, words }) => (
        <label key={key}>
          <input
            type="radio"
            name={state.id}
            checked={value === key}
            onChange={() => change(key)}
          />
          {words}
        </label>
      ))}
    </div>
  );
}
