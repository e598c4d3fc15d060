// Made of dipeo_jupyter/protocol; changes here are lost. To make it anew:
// python -m dipeo_jupyter.protocol.schema labextension/src/protocol

export const PROTOCOL_VERSION = 1;

export type JsonValue =
  null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** What travels in one text frame. */
export type Framed<M extends { type: string }> = M extends unknown
  ? {
      type: M["type"];
      payload: Omit<M, "type">;
      timestamp: string;
      correlation_id?: string;
      execution_id?: string;
      seq?: number;
    }
  : never;

/** An event as an entry of a run: numbered, from 1. */
export type EventFrame = Framed<AnyEvent> & { execution_id: string; seq: number };
export type ServerFrame = EventFrame | Framed<ServerMessage>;

/** A command as it is sent. */
export type CommandFrame = Command & { correlation_id?: string };

/**
 * A command was obeyed. `execution_id` is the run it was about, `result` what was asked for.
 *
 * `seq` is the number of the run's last entry by then: whoever has read it sees the effect.
 */
export interface Ack {
  type: "ack";
  execution_id?: string | null;
  seq?: number;
  result?: JsonValue;
}

export type AnyEvent = ExecutionStarted | ExecutionPaused | ExecutionResumed | ExecutionRecovered | ExecutionEdited | BreakpointsSet | ExecutionCompleted | ExecutionFailed | ExecutionCancelled | NodeStarted | NodePaused | NodeResumed | SkipRequested | EffectStarted | EffectCompleted | NodeProgress | TokenDelta | NodeCompleted | NodeFailed | NodeSkipped | InputRequired | InputReceived | BudgetWarning | Broadcast;

/**
 * Something that a diagram can do beyond its walls, and for which people are asked.
 *
 * "Node 'scan'" goes on with what it `says`. `node` is a way through diagrams within diagrams
 * (`review/scan`), `file` the one that it stands in, if that is another one than the diagram's
 * own, and `line` the line there. `digest` is what it is known by: it changes with what is done.
 */
export interface AskedPower {
  code: string;
  node: string;
  says: string;
  hint: string;
  digest: string;
  path?: (string | number)[];
  file?: string | null;
  line?: number | null;
  trusted?: boolean;
}

/** From now on a run asks this kernel, and not the one that it has asked so far. */
export interface AttachKernel {
  execution_id: string;
  type: "attach_kernel";
}

/**
 * Where a run pauses by itself: before or after a node fires.
 *
 * `visit` is one firing only (`argue[2]`), `condition` an expression that must hold; it sees what
 * the node sees, and after the node also `output`.
 */
export interface Breakpoint {
  node: string;
  when?: "before" | "after";
  visit?: number | null;
  condition?: string | null;
}

export interface BreakpointsSet {
  type: "breakpoints_set";
  breakpoints: Breakpoint[];
}

/** Something a tool outside the engine wants everyone watching to know. */
export interface Broadcast {
  type: "broadcast";
  name: string;
  data: JsonValue;
}

/** Tell everyone who watches a run. */
export interface BroadcastEvent {
  execution_id: string;
  type: "broadcast_event";
  name: string;
  data?: JsonValue;
}

/** What a run may take: dollars, calls to models, tokens in and out. None is no limit. */
export interface Budget {
  usd?: number | null;
  calls?: number | null;
  tokens?: number | null;
}

/** Nearly all of the budget is used up: `used` of `budget`. */
export interface BudgetWarning {
  type: "budget_warning";
  used: Usage;
  budget: Budget;
}

/** What came of a function; that it `failed` is for the model to know. */
export interface CallDone {
  type: "call_done";
  text?: string;
  images?: string[];
  failed?: boolean;
}

export interface CancelExecution {
  execution_id: string;
  type: "cancel_execution";
}

/** Find all problems of a diagram, without running anything. */
export interface CheckDiagram {
  type: "check_diagram";
  diagram: Diagram | string | { [key: string]: JsonValue };
  folder?: string;
  /** Parts that could not be read are missing. */
  partial?: boolean;
}

/**
 * A table of a database: its columns, with what the database says that each holds.
 *
 * By its `keys` rows are told apart.
 */
export interface CollectionSummary {
  name: string;
  columns: { [key: string]: string };
  keys?: string[];
}

export type Command = ExecuteDiagram | CheckDiagram | PlanExecution | TrustDiagram | PruneExecutions | Describe | ListExecutions | ListCollections | GetExecution | GetConversation | PauseExecution | ResumeExecution | StepExecution | CancelExecution | SetBreakpoints | PauseNode | ResumeNode | SkipNode | EditExecution | ForkExecution | UserResponse | BroadcastEvent | Subscribe | Unsubscribe | Ping | ConvertDiagram | DrawDiagram | RelayEvent | OfferKernel | AttachKernel | KernelOutput | KernelReply;

/** The first thing that is said. `most_bytes` is the largest frame that is taken. */
export interface Connected {
  type: "connected";
  client_id: string;
  version?: number;
  most_bytes: number;
}

/** The text of a diagram in another format. */
export interface ConvertDiagram {
  type: "convert_diagram";
  diagram: Diagram | string | { [key: string]: JsonValue };
  to?: "light" | "native" | "readable";
}

/** Tell what a diagram may contain: the JSON Schema of the light format, and the node types. */
export interface Describe {
  type: "describe";
}

/** A workflow as written. `extra` keeps the top-level entries that mean nothing to us. */
export interface Diagram {
  /** What the diagram is called. */
  name?: string | null;
  /** What the diagram is for. */
  description?: string | null;
  /** The steps of the workflow. */
  nodes?: NodeSpec[];
  /** Which values go from where to where. */
  edges?: Edge[];
  /** The models that `person_job` nodes speak to, by their labels. */
  persons?: { [key: string]: Person };
  /** Unknown entries, written back. */
  extra?: { [key: string]: JsonValue };
}

/**
 * Tell where everything in a diagram stands, and all that is wrong with it; nothing is run.
 *
 * A diagram that says no name has the one of its `file`. The result has the `diagram`, as far as
 * it can be read, its `places` and its `problems`.
 */
export interface DrawDiagram {
  type: "draw_diagram";
  diagram: Diagram | string | { [key: string]: JsonValue };
  folder?: string;
  file?: string;
}

/**
 * Carries values from a handle of one node to a handle of another.
 *
 * `label` is the name under which the value arrives; `content_type` picks one of the
 * representations that the output offers (`raw_text`, `object`, `conversation_state`).
 */
export interface Edge {
  /** The node that gives the value. */
  source: string;
  /** The node that gets the value. */
  target: string;
  /** The output by which the value leaves. */
  source_handle?: string;
  /** The input by which the value arrives. */
  target_handle?: string;
  /** The name under which the value arrives. Without it, the value is `default` there, and the keys of an object are names too. */
  label?: string | null;
  /** What is taken of the value. `raw_text` is its text, `object` its structure, `conversation_state` the messages of the person. By default it arrives as it is. */
  content_type?: string | null;
  /** Anything else about the edge; it is kept and changes nothing. */
  data?: { [key: string]: JsonValue };
}

/**
 * Give a run another diagram; it is paused then, and goes on by `resume_execution`.
 *
 * What does not depend on the change keeps its results. `values` are outputs of activations
 * (`argue[2]`) given by hand; with `keep`, whatever has fired keeps its result. Inputs of the run
 * that are not given stay.
 */
export interface EditExecution {
  /** The diagram may have come from elsewhere, as any file may: it is refused (`untrusted`) when it asks for powers that are neither granted here nor trusted for good. Without it the diagram is the sender's own, and only diagrams in files that it runs are held to that. */
  foreign?: boolean;
  /** Powers that it may use in this run, each as its `digest` says. */
  granted?: string[];
  /** Trust what is granted here for good, until it changes. */
  remember?: boolean;
  execution_id: string;
  type: "edit_execution";
  diagram?: Diagram | null | string | { [key: string]: JsonValue };
  inputs?: { [key: string]: JsonValue } | null;
  values?: { [key: string]: JsonValue };
  keep?: boolean;
}

/**
 * It is done, and need not be done again. A `reused` one was done earlier, and is free.
 *
 * `usage` is what it took, if it was a call to a model.
 */
export interface EffectCompleted {
  node: string;
  activation: number;
  type: "effect_completed";
  effect: string;
  key: string;
  value: JsonValue;
  reused: boolean;
  usage: Usage | null;
}

/**
 * Something that costs or changes something has begun: whether it is done, the end tells.
 *
 * `effect` names it within the activation, `key` says what exactly is done: `engine/reuse.py`.
 */
export interface EffectStarted {
  node: string;
  activation: number;
  type: "effect_started";
  effect: string;
  key: string;
}

/**
 * A run is over, or nobody holds it any more: nothing more is told, unless it is gone on with.
 *
 * What was told is all up to number `after_seq`; then `subscribe` again.
 */
export interface EndOfEvents {
  type: "end_of_events";
  after_seq: number;
}

/**
 * An error as it travels: for people (`message`) and for programs (`type`).
 *
 * `field` is the property of the node at fault; `details` is longer text, worth showing on demand.
 */
export interface ErrorInfo {
  type: string;
  message: string;
  node?: string | null;
  activation?: number | null;
  field?: string | null;
  details?: string | null;
}

/**
 * Run a diagram. `inputs` are JSON values, `max_concurrency` limits activations at once.
 *
 * A `fresh` run asks models again what has been asked before; `origin` is a run whose results
 * hold where nothing has changed, `values` are outputs of activations (`argue[2]`) given by hand.
 * It begins with the conversation that the last run of its `thread` has ended with, or without a
 * thread, with that of its origin, if that had one. With a `traceparent` it is part of the trace
 * that this names.
 */
export interface ExecuteDiagram {
  /** The diagram may have come from elsewhere, as any file may: it is refused (`untrusted`) when it asks for powers that are neither granted here nor trusted for good. Without it the diagram is the sender's own, and only diagrams in files that it runs are held to that. */
  foreign?: boolean;
  /** Powers that it may use in this run, each as its `digest` says. */
  granted?: string[];
  /** Trust what is granted here for good, until it changes. */
  remember?: boolean;
  type: "execute_diagram";
  diagram: Diagram | string | { [key: string]: JsonValue };
  folder?: string;
  inputs?: { [key: string]: JsonValue };
  thread?: string | null;
  max_concurrency?: number | null;
  max_rounds?: number | null;
  /** Wait for the first step or resume. */
  paused?: boolean;
  breakpoints?: Breakpoint[];
  fresh?: boolean;
  origin?: Origin | null;
  values?: { [key: string]: JsonValue };
  budget?: Budget;
  traceparent?: string | null;
}

export interface ExecutionCancelled {
  type: "execution_cancelled";
}

/** `outputs` holds the value of each endpoint (without any: of each last node) by label. */
export interface ExecutionCompleted {
  type: "execution_completed";
  outputs: { [key: string]: JsonValue };
}

/**
 * The run has another diagram from now on, and is gone through again from its beginning.
 *
 * Whatever does not depend on the change takes the result it had. `values` are outputs that
 * activations (`argue[2]`) have whatever they would do; with `keep`, all that has fired keeps its
 * result, and the change counts from here on. `before`, `generation`, `foreign` and `granted` are
 * as at the start.
 */
export interface ExecutionEdited {
  type: "execution_edited";
  diagram: Diagram;
  inputs: { [key: string]: JsonValue };
  values: { [key: string]: JsonValue };
  keep: boolean;
  before: Message[];
  generation: number;
  foreign: boolean;
  granted: string[];
}

export interface ExecutionFailed {
  type: "execution_failed";
  error: ErrorInfo;
}

/**
 * Nothing new starts. `interrupted` nodes were stopped at once and will run again.
 *
 * `at` is the activation at whose breakpoint the run stands (`before argue[2]`), `message` what
 * people should know about the pause.
 */
export interface ExecutionPaused {
  type: "execution_paused";
  interrupted: string[];
  reason: "asked" | "steps" | "breakpoint" | "edited" | "journal" | "budget" | "closed";
  at: string | null;
  message: string | null;
}

/** A new process has taken the run over. `repeated` were under way, and run once more. */
export interface ExecutionRecovered {
  type: "execution_recovered";
  repeated: string[];
}

/**
 * `steps` activations may start before the next pause; None means no limit.
 *
 * A `budget` takes the place of the one that the run had.
 */
export interface ExecutionResumed {
  type: "execution_resumed";
  steps: number | null;
  budget: Budget | null;
}

/**
 * `values` are outputs that activations (`argue[2]`) have whatever they would do.
 *
 * A `fresh` run reuses nothing that other runs have recorded. `parent` is the run that this one
 * is a part of, and `generation` how often that one had been edited by then. `before` is what had
 * been said there, or in the earlier runs of the `thread`. `traceparent` is where the run stands
 * in its trace, as of W3C Trace Context; `folder` is where it works, below the root. The diagram
 * of a `foreign` run may have come from elsewhere; `granted` are the powers that it, and diagrams
 * in files that it runs, may use.
 */
export interface ExecutionStarted {
  type: "execution_started";
  diagram: Diagram;
  inputs: { [key: string]: JsonValue };
  max_concurrency: number;
  max_rounds: number;
  breakpoints: Breakpoint[];
  fresh: boolean;
  thread: string | null;
  origin: Origin | null;
  parent: string | null;
  values: { [key: string]: JsonValue };
  before: Message[];
  generation: number;
  budget: Budget;
  traceparent: string | null;
  folder: string;
  foreign: boolean;
  granted: string[];
}

/**
 * A run in one line. `started` is Unix time; `waiting_for` lists nodes with open questions.
 *
 * `live` runs are held by a process; the others wait for one that resumes them. `origin` is the
 * run whose past it shares, `thread` the conversation that it carries on, `usage` what all
 * nodes that are done have taken, where it is known.
 */
export interface ExecutionSummary {
  execution_id: string;
  name: string | null;
  thread?: string | null;
  status: "pending" | "running" | "waiting" | "paused" | "completed" | "failed" | "cancelled";
  started: number;
  events: number;
  waiting_for?: string[];
  live?: boolean;
  origin?: string | null;
  usage?: Usage | null;
}

/**
 * Start a new run with the past of this one, up to the activation `at` (`argue[2]`).
 *
 * What happened before that is kept as it was; the activation itself is run anew, with the
 * changes. Without `at`, the new run takes over whatever does not depend on the changes.
 */
export interface ForkExecution {
  /** The diagram may have come from elsewhere, as any file may: it is refused (`untrusted`) when it asks for powers that are neither granted here nor trusted for good. Without it the diagram is the sender's own, and only diagrams in files that it runs are held to that. */
  foreign?: boolean;
  /** Powers that it may use in this run, each as its `digest` says. */
  granted?: string[];
  /** Trust what is granted here for good, until it changes. */
  remember?: boolean;
  execution_id: string;
  type: "fork_execution";
  at?: string[];
  diagram?: Diagram | null | string | { [key: string]: JsonValue };
  inputs?: { [key: string]: JsonValue } | null;
  values?: { [key: string]: JsonValue };
  budget?: Budget;
  paused?: boolean;
  traceparent?: string | null;
}

/** Tell who said what to whom so far, and who still sees it: a list of `conversation.Said`. */
export interface GetConversation {
  execution_id: string;
  type: "get_conversation";
}

export interface GetExecution {
  execution_id: string;
  type: "get_execution";
}

export interface InputReceived {
  node: string;
  activation: number;
  type: "input_received";
  value: JsonValue;
}

/** A human must answer. `asked_by` is the activation that asks, when it is one of a part. */
export interface InputRequired {
  node: string;
  activation: number;
  type: "input_required";
  question: Question;
  asked_by: string | null;
}

/** What a job has returned, and printed. */
export interface JobDone {
  type: "job_done";
  value?: JsonValue;
  stdout?: string;
  returned?: boolean;
}

/** A function to be called. */
export interface KernelCall {
  type: "call";
  function: string;
  arguments?: { [key: string]: JsonValue };
}

/** A request that nobody waits for any more. */
export interface KernelCancel {
  type: "kernel_cancel";
  number: string;
}

/** It could not be done: the code has failed, took too long, or cannot be run there. */
export interface KernelFailed {
  type: "kernel_failed";
  why: "code" | "timeout" | "service";
  message: string;
  field?: string | null;
  details?: string | null;
}

/** Python to be run among the names of the notebook; `timeout` is in seconds. */
export interface KernelJob {
  type: "job";
  code: string;
  inputs?: { [key: string]: JsonValue };
  function?: string | null;
  timeout: number;
}

/** What is printed in the course of a request. */
export interface KernelOutput {
  type: "kernel_output";
  number: string;
  text: string;
}

/** What came of a request. */
export interface KernelReply {
  type: "kernel_reply";
  number: string;
  outcome: JobDone | CallDone | KernelFailed;
}

/** Something that the kernel is to do. */
export interface KernelRequest {
  type: "kernel_request";
  number: string;
  key: string;
  work: KernelJob | KernelCall;
}

/**
 * Tell which collections a database has, and of which columns: a list of `CollectionSummary`.
 *
 * Without a name it is the usual database of the folder.
 */
export interface ListCollections {
  type: "list_collections";
  folder?: string;
  database?: string;
}

export interface ListExecutions {
  type: "list_executions";
}

/**
 * One thing said in the run's conversation.
 *
 * `sender` and `recipient` are persons; None is the diagram itself, which asks and is answered.
 * `id` is unique in a run: the activation, and which of its messages (`argue[2].0`), behind the
 * run that it was said in, if that was an earlier one of the thread. `images` are URLs. Whoever
 * used tools said so, and heard what came of it, in one message: none of it is seen without the
 * rest.
 */
export interface Message {
  id: string;
  sender?: string | null;
  recipient?: string | null;
  content: string;
  images?: string[];
  uses?: ToolUse[];
}

/**
 * `outputs` has one value for each handle that goes on; the other handles are dead.
 *
 * `messages` are the ones this activation added to the conversation, `seen` the ids of all that
 * the person was shown, in order (its system prompt apart). `duration_ms` is wall time.
 */
export interface NodeCompleted {
  node: string;
  activation: number;
  outputs: { [key: string]: JsonValue };
  person: string | null;
  messages: Message[];
  seen: string[];
  usage: Usage | null;
  cached: boolean;
  duration_ms: number;
  type: "node_completed";
}

/**
 * A node gave up. With `outputs` the run goes on with them; None means that it cannot.
 *
 * `usage` is what it took all the same.
 */
export interface NodeFailed {
  node: string;
  activation: number;
  type: "node_failed";
  error: ErrorInfo;
  outputs: { [key: string]: JsonValue } | null;
  usage: Usage | null;
  duration_ms: number;
}

/** The node starts no more, until it is resumed; all others go on. */
export interface NodePaused {
  type: "node_paused";
  node: string;
}

/** Something worth showing while a node works: a line of output, an attempt that failed. */
export interface NodeProgress {
  node: string;
  activation: number;
  type: "node_progress";
  message: string;
}

export interface NodeResumed {
  type: "node_resumed";
  node: string;
}

/**
 * Not run: nothing live arrived, somebody asked for it, or its turns are used up.
 *
 * In the last case it hands on its last outputs.
 */
export interface NodeSkipped {
  type: "node_skipped";
  node: string;
  reason: "no_live_input" | "max_iterations" | "asked";
}

/** A node as drawn. `props` are checked later, by the node type that `type` names. */
export interface NodeSpec {
  /** The name of the node; no two have the same. */
  label: string;
  /** What the node does; the name of a node type. */
  type: string;
  /** The properties of the node; they may stand beside `label` too. */
  props?: { [key: string]: JsonValue };
  /** Where the node stands; without it, a place is found when it is drawn. */
  position?: Position | null;
}

export interface NodeStarted {
  node: string;
  activation: number;
  inputs: { [key: string]: JsonValue };
  type: "node_started";
}

/**
 * A kernel says what it can be asked for; the result has the numbers of what it still is.
 *
 * `process` names this process of the kernel and no later one; `notebook` says whether there is
 * one, and what it is `called`. Its runs use the keys, and the addresses of providers, that are
 * in its `environ`.
 */
export interface OfferKernel {
  type: "offer_kernel";
  process: string;
  notebook?: boolean;
  called?: string | null;
  functions?: OfferedFunction[];
  environ?: { [key: string]: string };
}

/** A Python function that is a tool; `home` says which version of it. */
export interface OfferedFunction {
  name: string;
  description?: string;
  parameters: { [key: string]: JsonValue };
  home: string;
  repeatable?: boolean;
}

/**
 * Where a run has its past from: another run, up to the activations `at` (`argue[2]`).
 *
 * What happened in the other one after its entry `seq` has no bearing on it; None is all there is.
 */
export interface Origin {
  execution_id: string;
  at?: string[];
  seq?: number | null;
}

/** Start nothing new; what runs may finish, or with `now` is stopped and run again later. */
export interface PauseExecution {
  execution_id: string;
  type: "pause_execution";
  now?: boolean;
}

/** Let this node not start any more; all others go on. */
export interface PauseNode {
  execution_id: string;
  type: "pause_node";
  node: string;
}

/**
 * An LLM agent: which model it is, and what it was told at first.
 *
 * `service` is a provider (`openai`, `claude`, `gemini`, `grok`, `demo`, …); without it, `model`
 * names the provider too (`openai/gpt-4.1-nano`). `api_key_id` is the *name* of a key, never a
 * key. Further fields (`temperature`, `max_tokens`, …) go to the model as they are.
 */
export interface Person {
  /** The provider of the model; `demo` answers by itself, without a key. Without it, `model` names the provider too. */
  service?: string | null;
  /** The model, as its provider calls it. */
  model?: string | null;
  /** The name of a key, never a key. By default the key of the service is taken. */
  api_key_id?: string | null;
  /** What the person is told before everything else, in every turn. */
  system_prompt?: string | null;
  /** A file with the system prompt, relative to the run's root. */
  prompt_file?: string | null;
  [key: string]: unknown;
}

export interface Ping {
  type: "ping";
}

/** All activations of a run that was not run, in their order. */
export interface Plan {
  activations: PlannedActivation[];
}

/** Tell what a run of this diagram would do, reuse and cost, without doing any of it. */
export interface PlanExecution {
  type: "plan_execution";
  diagram: Diagram | string | { [key: string]: JsonValue };
  folder?: string;
  inputs?: { [key: string]: JsonValue };
  thread?: string | null;
  since?: string | null;
  at?: string[];
  values?: { [key: string]: JsonValue };
  fresh?: boolean;
}

/**
 * What would become of one activation, and why.
 *
 * `run` does something that counts, `calls` times; `reuse` takes recorded results, `compute` costs
 * nothing, `fail` cannot be done. What is `assumed` comes about if the run goes on the way it went
 * before. The `estimate` is what its calls to models will take, as far as that can be told; with
 * `at_least`, what comes out is not known and not in it.
 */
export interface PlannedActivation {
  node: string;
  activation: number;
  node_type: string;
  action: "run" | "reuse" | "compute" | "fail";
  why: string;
  calls?: number;
  assumed?: boolean;
  estimate?: Usage | null;
  at_least?: boolean;
}

/** Where a node stands on the canvas, in pixels from the top left. */
export interface Position {
  /** Pixels from the left. */
  x: number;
  /** Pixels from the top. */
  y: number;
}

/** One thing that is wrong with a diagram. Lines count from 1, if it came as text. */
export interface Problem {
  code: string;
  message: string;
  node?: string | null;
  path?: (string | number)[];
  hint?: string | null;
  severity?: "error" | "warning" | "hint";
  line?: number | null;
  column?: number | null;
  within?: [number, number] | null;
}

/** Forget finished runs, the oldest first, but the last `keep_last`. */
export interface PruneExecutions {
  type: "prune_executions";
  keep_last?: number;
}

/**
 * What a human is asked. `schema_` (JSON Schema) says what a valid answer is; None: any text.
 *
 * `timeout` is in seconds; without it the question waits for ever.
 */
export interface Question {
  prompt: string;
  schema?: { [key: string]: JsonValue } | null;
  timeout?: number | null;
}

/**
 * A command was not obeyed: `code` for programs, `message` and `hint` for people.
 *
 * The `powers` of an `untrusted` diagram are those that it asks for and nobody has granted.
 */
export interface Refusal {
  type: "error";
  code: string;
  message: string;
  hint?: string | null;
  problems?: Problem[] | null;
  powers?: AskedPower[] | null;
}

/** Tell every connection of this user something that is about no run. */
export interface RelayEvent {
  type: "relay_event";
  name: string;
  data?: JsonValue;
}

/** What somebody had relayed to all connections. */
export interface Relayed {
  type: "relayed";
  name: string;
  data?: JsonValue;
}

/** Go on. A `budget` takes the place of the one that the run has. */
export interface ResumeExecution {
  execution_id: string;
  type: "resume_execution";
  budget?: Budget | null;
}

export interface ResumeNode {
  execution_id: string;
  type: "resume_node";
  node: string;
}

/**
 * One message as it stands in a run's conversation, which is in the order of the flow.
 *
 * It is of an `activation` (`argue[2]`), or `earlier` than the run. `seen_by` are the persons who
 * knew it when they were last asked: they were shown it, or have said it. `forgotten` has, by
 * person, the first activation of those that had known it once, and were not shown it any more.
 */
export interface Said {
  message: Message;
  activation: string;
  earlier?: boolean;
  seen_by?: string[];
  forgotten?: { [key: string]: string };
}

export type ServerMessage = Connected | Ack | Refusal | Relayed | EndOfEvents | Standing | KernelRequest | KernelCancel;

/** Replace all breakpoints of a run. */
export interface SetBreakpoints {
  execution_id: string;
  type: "set_breakpoints";
  breakpoints?: Breakpoint[];
}

/** Leave out the next firing of a node, or the one that is under way; its edges die. */
export interface SkipNode {
  execution_id: string;
  type: "skip_node";
  node: string;
}

/** The next firing of this node (or the one under way) is left out, and its edges die. */
export interface SkipRequested {
  type: "skip_requested";
  node: string;
}

/** How a run stands now. */
export interface Standing {
  type: "standing";
  summary: ExecutionSummary;
}

/** Let `steps` activations through, then pause again. */
export interface StepExecution {
  execution_id: string;
  type: "step_execution";
  steps?: number;
}

/**
 * Tell what happens in a run, from the entry behind number `after_seq` on, until it is over.
 *
 * The run `*` is all runs of this user that go on, and all that will begin. With `brief`, it is
 * told by a `standing` now and then how each of them stands, and not what happens in it.
 */
export interface Subscribe {
  execution_id: string;
  type: "subscribe";
  after_seq?: number;
  brief?: boolean;
}

/** A piece of an answer, as it arrives. */
export interface TokenDelta {
  node: string;
  activation: number;
  type: "token_delta";
  text: string;
}

/** A tool that was used, and what came of it; `images` are URLs. */
export interface ToolUse {
  id: string;
  name: string;
  arguments: string;
  result: string;
  failed?: boolean;
  images?: string[];
}

/**
 * Tell which powers a diagram asks for, and trust those that are `granted` for good.
 *
 * The result is a list of `AskedPower`, those of diagrams in files that it runs among them.
 */
export interface TrustDiagram {
  type: "trust_diagram";
  diagram: Diagram | string | { [key: string]: JsonValue };
  folder?: string;
  granted?: string[];
}

/** Tell no more of a run (`*`: of any). */
export interface Unsubscribe {
  execution_id: string;
  type: "unsubscribe";
}

/**
 * What calls to models took, in tokens and money.
 *
 * `input_tokens` includes the cached ones and those written to the cache, `output_tokens` the
 * reasoning ones and those that make up images. `nano_usd` are billionths of a dollar, whole, so
 * that sums are the same in any order; what the `unpriced` ones of the `calls` cost is not known
 * and not among it.
 */
export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
  cached_tokens?: number;
  cache_write_tokens?: number;
  reasoning_tokens?: number;
  calls?: number;
  unpriced?: number;
  nano_usd?: number;
  image_tokens?: number;
}

/**
 * Answer a question. The first valid answer wins.
 *
 * With `activation` it is for the question of this firing only, and refused when that is over.
 */
export interface UserResponse {
  execution_id: string;
  type: "user_response";
  node: string;
  activation?: number | null;
  value: JsonValue;
}
