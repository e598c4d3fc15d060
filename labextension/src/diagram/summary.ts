/** A node in few words: on its box, and for those who hear it read. */
import { latest, type NodeState } from "../execution/state";
import { costOf, plus, shortNumber, shortTime, tokensOf, wholeTime } from "../execution/usage";
import type { Diagram, NodeSpec, Usage } from "../protocol/messages";

/** The person who works here and their model, or the type of the node. */
export function detailOf(diagram: Diagram, node: NodeSpec): string {
  const name = node.props?.person;
  if (typeof name !== "string") return node.type.replaceAll("_", " ");
  const model = diagram.persons?.[name]?.model?.split("/").at(-1);
  return model ? `${name} · ${model}` : name;
}

export function usageOf(node: NodeState): Usage {
  return node.activations.reduce<Usage>((sum, { usage }) => (usage ? plus(sum, usage) : sum), {});
}

/** Between words that must not need much room. */
const THIN = "\u2009";

/** `1.2 s · 2.1k tok · $0.0021`: the time of the last firing, what all of them have taken. */
export function statsOf(node: NodeState, now: number): string {
  const usage = usageOf(node);
  const parts = [timeOf(node, now)];
  if (tokensOf(usage)) parts.push(`${shortNumber(tokensOf(usage))} tok`);
  if (usage.nano_usd || usage.unpriced) parts.push(costOf(usage));
  return parts.filter(Boolean).join(" · ").replaceAll(" ", THIN);
}

/** How long it has been at it, or has waited; nothing of what took no time that one could tell. */
function timeOf(node: NodeState, now: number): string {
  const last = latest(node);
  if (last === undefined) return "";
  if (last.duration !== null) return last.duration < 1 ? "" : shortTime(last.duration);
  if (last.status !== "running") return "";
  const since = Math.max(0, now - last.started);
  return node.status === "waiting" ? `waiting ${wholeTime(since)}` : shortTime(since);
}

/** `argue, person job: running, 2 visits` */
export function spoken(spec: NodeSpec, node: NodeState): string {
  const { length } = node.activations;
  const visits = length > 1 ? `, ${length} visits` : "";
  return `${spec.label}, ${spec.type.replaceAll("_", " ")}: ${node.status}${visits}`;
}
