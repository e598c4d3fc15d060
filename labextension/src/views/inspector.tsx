/** What happened at one node: what came in, what was seen and said, what came out. */
import { useState } from "react";
import { useNode, useRun } from "../execution/context";
import { firingName, heardIn, outputOf } from "../execution/derive";
import type { Activation, NodeState } from "../execution/state";
import { costOf, shortTime, tokensOf } from "../execution/usage";
import type { ErrorInfo, JsonValue, NodeSpec } from "../protocol/messages";
import { Code } from "./markdown";
import { MessageView } from "./message";
import { type Tab, Tabs } from "./tabs";
import { Value } from "./value";

export function Inspector({ label, close }: { label: string; close: () => void }) {
  const node = useNode(label);
  const spec = useRun((state) => state.diagram?.nodes?.find((each) => each.label === label));
  const [tab, choose] = useState("Output");
  const [wanted, want] = useState<number | null>(null);
  const { activations } = node;
  const firing = activations.find((each) => each.number === wanted) ?? activations.at(-1);
  return (
    <section className="dipeo-inspector" aria-label={`Node ${label}`}>
      <header>
        <b title={label}>{label}</b>
        <span className="dipeo-note">{spec?.type.replaceAll("_", " ")}</span>
        {activations.length > 1 && firing && <Visits node={node} firing={firing} want={want} />}
        <button type="button" className="dipeo-close" aria-label={`Close ${label}`} onClick={close}>
          ×
        </button>
      </header>
      <Tabs label={label} tabs={tabsOf(node, firing, spec, want)} chosen={tab} choose={choose} />
    </section>
  );
}

interface VisitsProps {
  readonly node: NodeState;
  readonly firing: Activation;
  readonly want: (number: number) => void;
}

function Visits({ node, firing, want }: VisitsProps) {
  return (
    <select
      aria-label="Visit"
      value={firing.number}
      onChange={(event) => want(Number(event.currentTarget.value))}
    >
      {node.activations.map((each) => (
        <option key={each.number} value={each.number}>
          visit {each.number}
        </option>
      ))}
    </select>
  );
}

function tabsOf(
  node: NodeState,
  firing: Activation | undefined,
  spec: NodeSpec | undefined,
  want: (number: number) => void,
): Tab[] {
  if (!firing) return [{ name: "Settings", view: () => <Settings spec={spec} node={node} /> }];
  const { inputs, seen, error } = firing;
  const tabs: Tab[] = [
    { name: "Output", view: () => <Output firing={firing} /> },
    { name: "Inputs", view: () => <Values values={inputs} none="Nothing came in." /> },
  ];
  if (firing.person)
    tabs.push({ name: "Seen", badge: seen.length, view: () => <Seen firing={firing} /> });
  if (error) tabs.push({ name: "Error", view: () => <Failure error={error} /> });
  const badge = node.activations.length > 1 ? node.activations.length : undefined;
  tabs.push({ name: "History", badge, view: () => <History node={node} want={want} /> });
  tabs.push({ name: "Settings", view: () => <Settings spec={spec} node={node} /> });
  return tabs;
}

function Output({ firing }: { firing: Activation }) {
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

function Values({ values, none }: { values: Record<string, JsonValue>; none: string }) {
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

function Seen({ firing }: { firing: Activation }) {
  const messages = useRun((state) => state.messages);
  const whole = useRun((state) => state);
  const heard = messages && heardIn(whole, firing);
  if (!heard.length) return <p className="dipeo-note">Nothing but the prompt.</p>;
  return heard.map(({ message, forgotten }) => (
    <MessageView key={message.id} message={message} forgotten={forgotten} />
  ));
}

function Failure({ error }: { error: ErrorInfo }) {
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

function History({ node, want }: { node: NodeState; want: (number: number) => void }) {
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

function Settings({ spec, node }: { spec: NodeSpec | undefined; node: NodeState }) {
  const none = node.skipped
    ? "It was left out: nothing came along its edges."
    : "It has no settings.";
  return <Values values={spec?.props ?? {}} none={none} />;
}
