/** The way through the kernel: messages of the widget. */
import type { CommandFrame, EventFrame, ServerFrame } from "./messages";
import type { Hearing, Transport } from "./transport";

/** What a widget's model is, as far as it is needed. */
export interface MessageModel {
  send(content: unknown): void;
  on(event: "msg:custom", callback: (message: unknown) => void): void;
  off(event: "msg:custom", callback: (message: unknown) => void): void;
}

type Told = { kind: "entries"; entries: EventFrame[] } | ({ kind: "reply" } & ServerFrame);

export class CommTransport implements Transport {
  readonly #model: MessageModel;
  /** A quicker way to the kernel, which says whether it could be taken. */
  readonly #quicker: (content: unknown) => boolean;
  #hearing: Hearing | null = null;

  constructor(model: MessageModel, quicker: (content: unknown) => boolean = () => false) {
    this.#model = model;
    this.#quicker = quicker;
  }

  open(hearing: Hearing): void {
    this.#hearing = hearing;
    this.#model.on("msg:custom", this.#take);
  }

  send({ type, correlation_id, ...fields }: CommandFrame): boolean {
    const { execution_id, ...payload } = fields as Record<string, unknown>;
    const said = {
      type,
      payload,
      ...(correlation_id !== undefined && { correlation_id }),
      ...(execution_id !== undefined && { execution_id }),
    };
    if (!this.#quicker(said)) this.#model.send(said);
    return true;
  }

  close(): void {
    this.#model.off("msg:custom", this.#take);
    this.#hearing = null;
  }

  readonly #take = (message: unknown): void => {
    if (!isTold(message)) return;
    this.#hearing?.frames(message.kind === "entries" ? message.entries : [message]);
  };
}

function isTold(message: unknown): message is Told {
  const kind = (message as { kind?: unknown } | null)?.kind;
  return kind === "entries" || kind === "reply";
}
