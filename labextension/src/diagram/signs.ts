/** What kind a node is and how it stands with it, as signs: the same as in static pictures. */
import type { NodeStatus } from "../execution/state";
import made from "./signs.json";

export interface Sign {
  /** The `d` of a path on a grid of 16 by 16, which is stroked, not filled. */
  readonly path: string;
  /** The name of a colour: see `style/colours.css`. */
  readonly colour: string;
}

type Made = [path: string, colour: string];
// Maps, because a type may be called `constructor`.
const NAMES = new Map<string, string>(Object.entries(made.names));
const KINDS = new Map(Object.entries(made.kinds) as [string, Made][]);
const MARKS = made.marks as unknown as Record<NodeStatus, Made>;
const OTHER = made.other as Made;

/** The sign of a node type, however a file writes it. */
export function signOf(type: string): Sign {
  const name = type.trim().toLowerCase().replaceAll("-", "_");
  return sign(KINDS.get(NAMES.get(name) ?? name) ?? OTHER);
}

export function markOf(status: NodeStatus): Sign {
  return sign(MARKS[status]);
}

function sign([path, colour]: Made): Sign {
  return { path, colour };
}
