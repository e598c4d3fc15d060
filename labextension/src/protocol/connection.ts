/** Commands with their replies, and entries of runs, each of them once, over any transport. */
import type {
  Ack,
  AskedPower,
  Command,
  CommandFrame,
  EventFrame,
  Refusal,
  ServerFrame,
} from "./messages";
import { isEvent, type Transport } from "./transport";

export type Hear = (entries: readonly EventFrame[]) => void;

export interface Connection {
  /** What the engine replies; rejects with a `RefusedError` when it does not obey. */
  ask(command: Command): Promise<Ack>;
  /**
   * Tell of a run's entries behind number `after`, until the returned function is called.
   * `rest` hears that nothing more happens, because the run is over or nobody goes on with it.
   */
  follow(executionId: string, after: number, hear: Hear, rest?: () => void): () => void;
  close(): void;
}

/** A command was not obeyed; `code` is for programs, the message for people. */
export class RefusedError extends Error {
  readonly code: string;
  readonly hint: string | null;
  /** What an `untrusted` diagram asks for. */
  readonly powers: readonly AskedPower[];

  constructor(refusal: Pick<Refusal, "code" | "message" | "hint" | "powers">) {
    super(refusal.hint ? `${refusal.message} ${refusal.hint}` : refusal.message);
    this.name = "RefusedError";
    this.code = refusal.code;
    this.hint = refusal.hint ?? null;
    this.powers = refusal.powers ?? [];
  }
}

interface Asked {
  readonly frame: CommandFrame;
  readonly resolve: (ack: Ack) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Milliseconds until who has asked is told that nobody answers. */
const PATIENCE = 30_000;
/** Commands that leave a run as it is. */
const READS: ReadonlySet<string> = new Set(["get_execution", "subscribe", "unsubscribe"]);

interface Following {
  heard: number;
  /** Whether what is missing has been asked for, and has not come yet. */
  behind: boolean;
  /** Whether nobody goes on with it, and the engine has stopped telling of it. */
  rests: boolean;
  readonly hear: Hear;
  readonly rest: () => void;
}

export class TransportConnection implements Connection {
  readonly #transport: Transport;
  readonly #asked = new Map<string, Asked>();
  readonly #following = new Map<string, Set<Following>>();
  readonly #name = Math.random().toString(36).slice(2, 10);
  #count = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.open({ frames: (frames) => this.#take(frames), up: () => this.#resume() });
  }

  ask(command: Command): Promise<Ack> {
    const number = `${this.#name}-${++this.#count}`;
    return new Promise((resolve, reject) => {
      const frame = { ...command, correlation_id: number };
      const timer = setTimeout(() => this.#giveUp(number), PATIENCE);
      this.#asked.set(number, { frame, resolve, reject, timer });
      this.#transport.send(frame);
    });
  }

  follow(executionId: string, after: number, hear: Hear, rest = () => {}): () => void {
    const following = { heard: after, behind: false, rests: false, hear, rest };
    const others = this.#following.get(executionId) ?? new Set();
    this.#following.set(executionId, others.add(following));
    this.#subscribe(executionId, after);
    return () => {
      others.delete(following);
      if (others.size || this.#following.get(executionId) !== others) return;
      this.#following.delete(executionId);
      this.#transport.send({ type: "unsubscribe", execution_id: executionId });
    };
  }

  close(): void {
    this.#following.clear();
    const gone = { code: "closed", message: "The connection was closed before this was answered." };
    for (const { reject, timer } of this.#asked.values()) {
      clearTimeout(timer);
      reject(new RefusedError(gone));
    }
    this.#asked.clear();
    this.#transport.close();
  }

  #giveUp(number: string): void {
    const message = `Nobody has answered for ${PATIENCE / 1000} seconds.`;
    const hint = "The kernel or the server may be gone; what was asked may have been done.";
    this.#asked.get(number)?.reject(new RefusedError({ code: "no_answer", message, hint }));
    this.#asked.delete(number);
  }

  /** Ask again what nobody has answered, and for what was missed meanwhile. */
  #resume(): void {
    for (const { frame } of this.#asked.values()) this.#transport.send(frame);
    for (const executionId of this.#following.keys()) this.#followAgain(executionId);
  }

  #followAgain(executionId: string): void {
    const all = [...(this.#following.get(executionId) ?? [])];
    for (const each of all) each.rests = false;
    if (all.length) this.#subscribe(executionId, Math.min(...all.map((each) => each.heard)));
  }

  #subscribe(executionId: string, after: number): void {
    this.#transport.send({ type: "subscribe", execution_id: executionId, after_seq: after });
  }

  #take(frames: readonly ServerFrame[]): void {
    const entries = new Map<string, EventFrame[]>();
    for (const frame of frames) {
      if (!isEvent(frame)) this.#reply(frame);
      else if (entries.has(frame.execution_id)) entries.get(frame.execution_id)?.push(frame);
      else entries.set(frame.execution_id, [frame]);
    }
    for (const [executionId, told] of entries) {
      for (const each of this.#following.get(executionId) ?? [])
        this.#pass(executionId, each, told);
    }
  }

  /** Pass on what is new, up to the first gap, and ask for what is missing there. */
  #pass(executionId: string, following: Following, entries: readonly EventFrame[]): void {
    const fresh: EventFrame[] = [];
    for (const entry of entries) {
      // A piece of an answer is not kept; it has the number of the entry that it follows.
      if (entry.type === "token_delta") {
        if (entry.seq === following.heard) fresh.push(entry);
      } else if (entry.seq === following.heard + 1) {
        fresh.push(entry);
        following.heard = entry.seq;
        following.behind = false;
      } else if (entry.seq > following.heard && !following.behind) {
        following.behind = true;
        this.#subscribe(executionId, following.heard);
      }
    }
    if (fresh.length) following.hear(fresh);
  }

  #reply(frame: Exclude<ServerFrame, EventFrame>): void {
    if (frame.type === "end_of_events") this.#rest(frame.execution_id ?? "");
    const number = frame.correlation_id;
    const asked = number === undefined ? undefined : this.#asked.get(number);
    if (number === undefined || asked === undefined) return;
    this.#asked.delete(number);
    clearTimeout(asked.timer);
    if (frame.type === "ack") {
      this.#awake(asked.frame);
      asked.resolve({ type: "ack", ...frame.payload });
    } else if (frame.type === "error") asked.reject(new RefusedError(frame.payload));
  }

  #rest(executionId: string): void {
    for (const each of this.#following.get(executionId) ?? []) {
      each.rests = true;
      each.rest();
    }
  }

  /** What has obeyed goes on, or may: it is followed again if nothing was told of it any more. */
  #awake(frame: CommandFrame): void {
    const id = "execution_id" in frame ? frame.execution_id : undefined;
    if (id === undefined || READS.has(frame.type)) return;
    if ([...(this.#following.get(id) ?? [])].some((each) => each.rests)) this.#followAgain(id);
  }
}
