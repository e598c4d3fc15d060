/** Lists of objects as tables. */
import type { JsonValue } from "../protocol/messages";
import { isDrawn, Picture } from "./picture";

type Row = { [key: string]: JsonValue };
const MOST_ROWS = 200;
const MOST_COLUMNS = 20;

/** The rows of a value that is a list of objects with much in common, else null. */
export function asTable(value: JsonValue): Row[] | null {
  if (!Array.isArray(value) || !value.length) return null;
  if (!value.every((each) => typeof each === "object" && each !== null && !Array.isArray(each)))
    return null;
  const columns = columnsOf(value as Row[]);
  return columns.length && columns.length <= MOST_COLUMNS ? (value as Row[]) : null;
}

function columnsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap(Object.keys))];
}

export function Table({ rows, name }: { rows: readonly Row[]; name: string }) {
  const columns = columnsOf(rows);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <div className="dipeo-scroll" tabIndex={0}>
      <table className="dipeo-table">
        <caption className="dipeo-hidden">{name}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST_ROWS).map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no names
            <tr key={index}>
              {columns.map((column) => (
                <td key={column} className={typeof row[column] === "number" ? "is-number" : ""}>
                  <Cell value={row[column]} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST_ROWS && (
        <p className="dipeo-note">and {rows.length - MOST_ROWS} more rows</p>
      )}
    </div>
  );
}

function Cell({ value }: { value: JsonValue | undefined }) {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" && isDrawn(value)) return <Picture url={value} alt="image" />;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
