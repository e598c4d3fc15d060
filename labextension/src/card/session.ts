/** One run as a widget knows it, however many cells show it. */
import type { RunCommand } from "../execution/context";
import { RunStore } from "../execution/store";
import { CommTransport } from "../protocol/comm";
import { TransportConnection } from "../protocol/connection";
import { EitherTransport } from "../protocol/either";
import type { Ack, Command } from "../protocol/messages";
import { SocketTransport, socketUrl } from "../protocol/socket";
import type { Transport } from "../protocol/transport";
import { sayByControl } from "./control";
import type { CardModel } from "./model";

export interface Session {
  readonly store: RunStore;
  readonly ask: (command: RunCommand) => Promise<Ack>;
  /** Whether nobody can be spoken to any more: the run was in a kernel that has ended. */
  readonly gone: () => boolean;
  readonly end: () => void;
}

export function begin(model: CardModel): Session {
  const connection = new TransportConnection(transportOf(model));
  const execution_id = model.get("execution_id");
  const store = new RunStore(model.get("snapshot") ?? [], model.get("diagram"));
  connection.follow(execution_id, store.get().seq, store.take, store.rest);
  let gone = false;
  // It was alive when it came; there is only one thing that can have changed.
  const left = (): void => {
    gone = model.get("server") === null;
  };
  model.on("comm_live_update", left);
  return {
    store,
    ask: (command) => connection.ask({ ...command, execution_id } as Command),
    gone: () => gone,
    end: () => connection.close(),
  };
}

/** Straight to the server when there is one, which helps even while the kernel is busy. */
function transportOf(model: CardModel): Transport {
  const comm = new CommTransport(model, (said) => sayByControl(model, said));
  const server = model.get("server");
  if (!server) return comm;
  const { pathname } = new URL(server.url);
  return new EitherTransport(new SocketTransport(socketUrl(pathname, location)), comm);
}
