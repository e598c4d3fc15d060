/** The way straight to the server: its WebSocket, taken up again whenever it breaks. */
import type { CommandFrame, ServerFrame } from "./messages";
import type { Hearing, Transport } from "./transport";

/** What of a browser's WebSocket is needed. */
export type Socket = Pick<
  WebSocket,
  "send" | "close" | "readyState" | "onmessage" | "onclose" | "onopen"
>;

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
const OPEN = 1;
/** The server has said that coming back is of no use. */
const FOR_GOOD = new Set([4401, 1008]);
/** Who was never let in so often is at the wrong door. */
const MOST_VAIN = 4;

export class SocketTransport implements Transport {
  readonly #open: () => Socket;
  #socket: Socket | null = null;
  #hearing: Hearing | null = null;
  #pause = FIRST_PAUSE;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #greeted = false;
  #vain = 0;

  constructor(url: string, open: (url: string) => Socket = (at) => new WebSocket(at)) {
    this.#open = () => open(url);
  }

  get up(): boolean {
    return this.#greeted;
  }

  open(hearing: Hearing): void {
    this.#hearing = hearing;
    this.#connect();
  }

  send(frame: CommandFrame): boolean {
    if (!this.#greeted || this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#hearing = null;
    this.#socket?.close();
  }

  #connect(): void {
    const socket = this.#open();
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)));
    socket.onclose = ({ code }) => this.#broken(code);
  }

  #take(frame: ServerFrame): void {
    if (frame.type === "connected") {
      this.#greeted = true;
      this.#vain = Number.NEGATIVE_INFINITY;
      this.#pause = FIRST_PAUSE;
      this.#hearing?.up();
    } else {
      this.#hearing?.frames([frame]);
    }
  }

  #broken(code: number): void {
    this.#greeted = false;
    this.#socket = null;
    if (this.#hearing === null || FOR_GOOD.has(code) || ++this.#vain >= MOST_VAIN) return;
    // Not all pages at once, when a server comes back.
    this.#timer = setTimeout(() => this.#connect(), this.#pause * (0.75 + Math.random() / 2));
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }
}

/** The address of the server that a page comes from, in the page's own words: same host, port and cookies. */
export function socketUrl(path: string, page: { protocol: string; host: string }): string {
  return `${page.protocol === "https:" ? "wss:" : "ws:"}//${page.host}${path}`;
}
