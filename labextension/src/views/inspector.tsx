/** What happened at one node: what came in, what was seen and said, what came out. */
import { useState } from "react";
import { useNode, useRun } from "../execution/context";
import type { Activation, NodeState } from "../execution/state";
import type { NodeSpec } from "../protocol/messages";
import { Failure, History, Output, Seen, Values } from "./firing";
import { Settings } from "./settings";
import { type Tab, Tabs } from "./tabs";

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
  const none = node.skipped ? "It was left out: nothing came along its edges." : undefined;
  const settings = { name: "Settings", view: () => <Settings node={spec} none={none} /> };
  if (!firing) return [settings];
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
  tabs.push(settings);
  return tabs;
}
