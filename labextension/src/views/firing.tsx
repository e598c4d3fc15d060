/** One firing of a node, from all sides. */
import { useRun } from "../execution/context";
import { firingName, heardIn, outputOf } from "../execution/derive";
import type { Activation, NodeState } from "../execution/state";
import { costOf, shortTime, tokensOf } from "../execution/usage";
import type { ErrorInfo, JsonValue } from "../protocol/messages";
import { Code } from "./markdown";
import { MessageView } from "./message";
import { Value } from "./value";

export function Output({ firing }: { firing: Activation }) {
  const value = outputOf(firing);
  if (firing.status === "running") return <Running firing={firing} />;
  if (value === undefined) {
    return firing.error ? (
      <Failure error={firing.error} />
    ) : (
      <p className="dipeo-note">No output.</p>
    );
  }
  return (
    <>
      <Value value={value} name={`output of ${firingName(firing)}`} />
      {firing.log.length > 0 && <Log firing={firing} />}
    </>
  );
}

function Running({ firing }: { firing: Activation }) {
  if (!firing.text && !firing.log.length) return <p className="dipeo-note">At work…</p>;
  return (
    <>
      {firing.text && <p className="dipeo-stream">{firing.text}</p>}
      {firing.log.length > 0 && <Log firing={firing} />}
    </>
  );
}

function Log({ firing }: { firing: Activation }) {
  return (
    <details className="dipeo-log" open={firing.status === "running"}>
      <summary>Log</summary>
      <Code text={firing.log.join("\n")} />
    </details>
  );
}

export function Values({ values, none }: { values: Record<string, JsonValue>; none: string }) {
  const names = Object.entries(values);
  if (!names.length) return <p className="dipeo-note">{none}</p>;
  return (
    <dl className="dipeo-values">
      {names.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Value value={value} name={name} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function Seen({ firing }: { firing: Activation }) {
  const heard = heardIn(
    useRun((state) => state),
    firing,
  );
  if (!heard.length) return <p className="dipeo-note">Nothing but the prompt.</p>;
  return heard.map(({ message, forgotten }) => (
    <MessageView key={message.id} message={message} forgotten={forgotten} />
  ));
}

export function Failure({ error }: { error: ErrorInfo }) {
  return (
    <div className="dipeo-failure" role="alert">
      <p>
        <b>{error.type}</b>
        {error.field && <> in `{error.field}`</>}: {error.message}
      </p>
      {error.details && <Code text={error.details} />}
    </div>
  );
}

export function History({ node, want }: { node: NodeState; want: (number: number) => void }) {
  return (
    <table className="dipeo-table">
      <thead>
        <tr>
          {["visit", "status", "time", "tokens", "cost"].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {node.activations.map((each) => (
          <tr key={each.number}>
            <td>
              <button type="button" className="dipeo-link" onClick={() => want(each.number)}>
                {firingName(each)}
              </button>
            </td>
            <td>{each.status}</td>
            <td className="is-number">{each.duration === null ? "" : shortTime(each.duration)}</td>
            <td className="is-number">{each.usage ? tokensOf(each.usage) : ""}</td>
            <td className="is-number">{each.usage ? costOf(each.usage) : ""}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
