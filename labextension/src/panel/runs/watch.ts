/** Keeps the list of runs as it is on the server. */
import type { ExecutionSummary, ServerFrame } from "../../protocol/messages";
import { isEvent, type Transport } from "../../protocol/transport";
import type { RunList } from "./list";

const LISTED = "runs";
const ALL_RUNS = "*";

export class RunsWatch {
  readonly #transport: Transport;
  readonly #list: RunList;

  constructor(transport: Transport, list: RunList) {
    this.#transport = transport;
    this.#list = list;
    transport.open({ frames: (frames) => this.#take(frames), up: () => this.#begin() });
  }

  /** Ask what runs there are: of those that nobody holds, nothing is told by itself. */
  readonly refresh = (): void => {
    this.#transport.send({ type: "list_executions", correlation_id: LISTED });
  };

  readonly close = (): void => this.#transport.close();

  #begin(): void {
    this.#list.trouble(null);
    this.#list.beginAgain();
    this.refresh();
    this.#transport.send({ type: "subscribe", execution_id: ALL_RUNS, brief: true });
  }

  #take(frames: readonly ServerFrame[]): void {
    for (const frame of frames) {
      if (isEvent(frame)) continue;
      if (frame.type === "standing") this.#list.tell(frame.payload.summary);
      if (frame.correlation_id !== LISTED) continue;
      if (frame.type === "ack")
        this.#list.list(frame.payload.result as unknown as ExecutionSummary[]);
      else if (frame.type === "error") this.#list.trouble(frame.payload.message);
    }
  }
}
