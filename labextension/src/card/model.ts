/** What Python tells the card: the traits of its widget. */
import type { Layout } from "../diagram/layout";
import type { MessageModel } from "../protocol/comm";
import type { Diagram, EventFrame } from "../protocol/messages";
import type { Speaker } from "./control";

export interface Traits {
  readonly execution_id: string;
  readonly status: string;
  readonly diagram: Diagram;
  /** Where the parts of the diagram stand. */
  readonly places: Layout | null;
  /** The server's WebSocket, when the run is there; it is reached by the page's own address. */
  readonly server: { readonly url: string } | null;
  /** The version of the card's JavaScript that the kernel has. */
  readonly script: string;
  readonly snapshot: readonly EventFrame[];
  /** Its name on the kernel's control channel; empty where it is not heard there. */
  readonly control: string;
}

export interface CardModel extends MessageModel, Speaker {
  get<K extends keyof Traits>(name: K): Traits[K];
  on(event: "change:places", callback: () => void): void;
  on(event: "msg:custom", callback: (message: unknown) => void): void;
  /** The kernel has ended: nobody hears any more what is said to this model. */
  on(event: "comm_live_update", callback: () => void): void;
  off(event: "change:places", callback: () => void): void;
  off(event: "msg:custom", callback: (message: unknown) => void): void;
}
