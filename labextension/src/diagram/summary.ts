/** A node in few words: on its box, and for those who hear it read. */
import { latest, type NodeState } from "../execution/state";
import { costOf, plus, shortNumber, shortTime, tokensOf } from "../execution/usage";
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
  const last = latest(node);
  if (!last) return "";
  const usage = usageOf(node);
  const time =
    last.duration ?? (last.status === "running" ? Math.max(0, now - last.started) : null);
  const parts = [time === null ? "" : shortTime(time)];
  if (tokensOf(usage)) parts.push(`${shortNumber(tokensOf(usage))} tok`);
  if (usage.nano_usd || usage.unpriced) parts.push(costOf(usage));
  return parts.filter(Boolean).join(" · ").replaceAll(" ", THIN);
}

/** `argue, person job: running, 2 visits` */
export function spoken(spec: NodeSpec, node: NodeState): string {
  const { length } = node.activations;
  const visits = length > 1 ? `, ${length} visits` : "";
  return `${spec.label}, ${spec.type.replaceAll("_", " ")}: ${node.status}${visits}`;
}
