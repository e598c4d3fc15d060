/** Two ways to one engine: the first whenever it is up, else the second. */
import type { CommandFrame } from "./messages";
import type { Hearing, Transport } from "./transport";

export class EitherTransport implements Transport {
  readonly #first: Transport & { readonly up: boolean };
  readonly #second: Transport;

  constructor(first: Transport & { readonly up: boolean }, second: Transport) {
    this.#first = first;
    this.#second = second;
  }

  open(hearing: Hearing): void {
    this.#first.open(hearing);
    this.#second.open({
      // Both tell the same; pieces of answers would be there twice.
      frames: (frames) => {
        const replies = frames.filter((frame) => frame.type === "ack" || frame.type === "error");
        hearing.frames(this.#first.up ? replies : frames);
      },
      up: () => hearing.up(),
    });
  }

  send(frame: CommandFrame): boolean {
    return this.#first.send(frame) || this.#second.send(frame);
  }

  close(): void {
    this.#first.close();
    this.#second.close();
  }
}
