/** What a diagram asks for, node by node: in a dialog and on a card. */
import type { AskedPower } from "../protocol/messages";

export function Powers({ powers }: { powers: readonly AskedPower[] }) {
  return (
    <ul className="dipeo-powers">
      {powers.map((power) => (
        <li key={`${power.file} ${power.node} ${power.digest}`}>
          <span>
            <b>{power.node}</b> {power.says}.
          </span>{" "}
          <span className="dipeo-place">{placeOf(power)}</span> <small>{power.hint}</small>
        </li>
      ))}
    </ul>
  );
}

/** Where it is written: the file, if that is another one, and the line. */
export function placeOf({ file, line }: AskedPower): string {
  return [file, line && `line ${line}`].filter(Boolean).join(", ");
}
