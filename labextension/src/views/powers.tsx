/** What a diagram asks for, node by node: in a dialog and on a card. */
import type { AskedPower } from "../protocol/messages";

/** More may have to be scrolled, by keys too. */
const FEW = 5;

export function Powers({ powers }: { powers: readonly AskedPower[] }) {
  const scrolls = powers.length > FEW && { tabIndex: 0, "aria-label": "What it asks for" };
  return (
    <ul className="dipeo-powers" {...scrolls}>
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
