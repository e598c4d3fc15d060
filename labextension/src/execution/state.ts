/** How far a run has come, as people look at it. Nothing in here is ever changed in place. */
import type {
  Breakpoint,
  Budget,
  Diagram,
  ErrorInfo,
  ExecutionPaused,
  JsonValue,
  Message,
  Question,
  Usage,
} from "../protocol/messages";

export type RunStatus =
  | "pending"
  | "running"
  | "waiting"
  | "paused"
  | "completed"
  | "failed"
  | "cancelled";
export type NodeStatus = RunStatus | "skipped" | "cached";

/** One firing of a node. Times are in milliseconds; `order` is the number of its first entry. */
export interface Activation {
  readonly node: string;
  readonly number: number;
  readonly order: number;
  readonly started: number;
  readonly status: NodeStatus;
  readonly inputs: Record<string, JsonValue>;
  readonly outputs: Record<string, JsonValue>;
  readonly person: string | null;
  readonly said: readonly string[];
  readonly seen: readonly string[];
  readonly usage: Usage | null;
  readonly error: ErrorInfo | null;
  readonly duration: number | null;
  readonly log: readonly string[];
  /** What has arrived of an answer that is under way. */
  readonly text: string;
}

/** What has happened at a node; `status` is what is shown of it. */
export interface NodeState {
  readonly label: string;
  readonly status: NodeStatus;
  readonly activations: readonly Activation[];
  readonly skipped: boolean;
  readonly held: boolean;
  readonly question: Question | null;
}

export interface RunState {
  readonly seq: number;
  readonly recorded: Exclude<RunStatus, "waiting">;
  /** `waiting` when nothing goes on before a human has answered, else what is recorded. */
  readonly status: RunStatus;
  readonly pause: ExecutionPaused | null;
  /** Whether no process goes on with it, whatever is recorded. */
  readonly asleep: boolean;
  readonly diagram: Diagram | null;
  readonly thread: string | null;
  readonly breakpoints: readonly Breakpoint[];
  readonly outputs: Record<string, JsonValue>;
  readonly error: ErrorInfo | null;
  readonly nodes: ReadonlyMap<string, NodeState>;
  readonly messages: ReadonlyMap<string, Message>;
  readonly gaveUp: readonly string[];
  readonly budget: Budget | null;
  readonly usage: Required<Usage>;
  /** What each activation (`argue[2]`) has taken, since the last edit. */
  readonly spent: ReadonlyMap<string, Required<Usage>>;
  /** When the run began and, if it is over, when it ended, in milliseconds. */
  readonly began: number | null;
  readonly ended: number | null;
}

export const NO_USAGE: Required<Usage> = {
  input_tokens: 0,
  output_tokens: 0,
  cached_tokens: 0,
  cache_write_tokens: 0,
  reasoning_tokens: 0,
  calls: 0,
  unpriced: 0,
  nano_usd: 0,
  image_tokens: 0,
};

export const NOTHING: RunState = {
  seq: 0,
  recorded: "pending",
  status: "pending",
  pause: null,
  asleep: false,
  diagram: null,
  thread: null,
  breakpoints: [],
  outputs: {},
  error: null,
  nodes: new Map(),
  messages: new Map(),
  gaveUp: [],
  budget: null,
  usage: NO_USAGE,
  spent: new Map(),
  began: null,
  ended: null,
};

export function untouched(label: string): NodeState {
  return {
    label,
    status: "pending",
    activations: [],
    skipped: false,
    held: false,
    question: null,
  };
}

export function isOver(state: RunState): boolean {
  return (
    state.recorded === "completed" || state.recorded === "failed" || state.recorded === "cancelled"
  );
}

export function latest(node: NodeState | undefined): Activation | undefined {
  return node?.activations.at(-1);
}

/** `argue[2]` */
export function nameOf(node: string, activation: number): string {
  return `${node}[${activation}]`;
}
