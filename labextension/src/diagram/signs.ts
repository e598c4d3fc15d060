/** What kind a node is and how it stands with it, as signs: the same as in static pictures. */
import type { NodeStatus } from "../execution/state";
import made from "./signs.json";

export interface Sign {
  /** The `d` of a path on a grid of 16 by 16, which is stroked, not filled. */
  readonly path: string;
  /** The name of a colour: see `style/colours.css`. */
  readonly colour: string;
}

const NAMES: Record<string, string> = made.names;
const KINDS = made.kinds as unknown as Record<string, [string, string]>;
const MARKS = made.marks as unknown as Record<NodeStatus, [string, string]>;
const OTHER = made.other as [string, string];

/** The sign of a node type, however a file writes it. */
export function signOf(type: string): Sign {
  const name = type.trim().toLowerCase().replaceAll("-", "_");
  return sign(KINDS[NAMES[name] ?? name] ?? OTHER);
}

export function markOf(status: NodeStatus): Sign {
  return sign(MARKS[status]);
}

function sign([path, colour]: [string, string]): Sign {
  return { path, colour };
}
