/** Stands for the kernel: replays a journal into a card, and obeys it as far as that can be told. */
import type { CardModel, Traits } from "../src/card/model";
import type { AnyEvent, EventFrame } from "../src/protocol/messages";

type Callback = (message: unknown) => void;
type Told = { type: string; payload: Record<string, never>; correlation_id?: string };

/** Pieces of answers come at least so many milliseconds apart, for people to see them come. */
const PIECE = 80;

/** Nobody waits longer for what is only replayed. */
const LONGEST = 1500;

export class ReplayModel implements CardModel {
  readonly #traits: Traits;
  readonly #left: EventFrame[];
  readonly #told: EventFrame[] = [];
  readonly #callbacks = new Set<Callback>();
  readonly #speed: number;
  /** How much later all of it happens than it did, in milliseconds. */
  readonly #later: number;
  #seq = 0;
  #holds = false;

  /** Replays `entries` `speed` times as fast as they came about, the first `start` at once. */
  constructor(traits: Traits, entries: readonly EventFrame[], speed: number, start: number) {
    this.#traits = traits;
    this.#left = [...entries];
    this.#speed = speed;
    const now = this.#left[start] ?? this.#left.at(-1);
    this.#later = Date.now() - Date.parse(now?.timestamp ?? "");
    for (const entry of this.#left.splice(0, start)) this.#number(entry);
  }

  get<K extends keyof Traits>(name: K): Traits[K] {
    return name === "snapshot" ? (this.#told as unknown as Traits[K]) : this.#traits[name];
  }

  on(event: string, callback: Callback): void {
    if (event === "msg:custom") this.#callbacks.add(callback);
  }

  off(_: string, callback: Callback): void {
    this.#callbacks.delete(callback);
  }

  send(content: unknown): void {
    const { type, payload, correlation_id } = content as Told;
    this.#obey(type, payload);
    const ack = {
      kind: "reply",
      type: "ack",
      payload: { seq: this.#seq },
      timestamp: "",
      correlation_id,
    };
    if (correlation_id) this.#say(ack);
  }

  play(): void {
    const entry = this.#left[0];
    if (this.#holds || !entry) return;
    const next = this.#left[1];
    this.tell([this.#left.shift() as EventFrame]);
    if (entry.type === "input_required") this.#holds = true;
    if (!next) return;
    const pause = (Date.parse(next.timestamp) - Date.parse(entry.timestamp)) / this.#speed;
    const least = entry.type === "token_delta" ? PIECE / this.#speed : 0;
    setTimeout(() => this.play(), Math.min(LONGEST, Math.max(least, pause)));
  }

  tell(entries: readonly EventFrame[]): void {
    this.#say({ kind: "entries", entries: entries.map((entry) => this.#number(entry)) });
  }

  #obey(type: string, payload: Record<string, never>): void {
    if (type === "pause_execution") {
      this.#holds = true;
      this.#happens({
        type: "execution_paused",
        interrupted: [],
        reason: "asked",
        at: null,
        message: null,
      });
    } else if (type === "resume_execution" || type === "step_execution") {
      this.#happens({ type: "execution_resumed", steps: null, budget: null });
      this.#goOn();
    } else if (type === "cancel_execution") {
      this.#left.length = 0;
      this.#happens({ type: "execution_cancelled" });
    } else if (type === "set_breakpoints") {
      this.#happens({ type: "breakpoints_set", breakpoints: payload.breakpoints ?? [] });
    } else if (type === "user_response") {
      this.#goOn();
    }
  }

  #goOn(): void {
    this.#holds = false;
    setTimeout(() => this.play(), 100);
  }

  #happens(event: AnyEvent): void {
    const { type, ...payload } = event;
    const timestamp = new Date(Date.now() - this.#later).toISOString();
    const execution_id = this.#traits.execution_id;
    this.tell([{ type, payload, timestamp, execution_id, seq: 0 } as EventFrame]);
  }

  #number(entry: EventFrame): EventFrame {
    if (entry.type !== "token_delta") this.#seq++;
    const timestamp = new Date(Date.parse(entry.timestamp) + this.#later).toISOString();
    const numbered = { ...entry, timestamp, seq: this.#seq };
    if (entry.type !== "token_delta") this.#told.push(numbered);
    return numbered;
  }

  #say(message: unknown): void {
    setTimeout(() => {
      for (const callback of this.#callbacks) callback(message);
    });
  }
}
