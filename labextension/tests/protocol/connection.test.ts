import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CommTransport } from "../../src/protocol/comm";
import { RefusedError, TransportConnection } from "../../src/protocol/connection";
import { EitherTransport } from "../../src/protocol/either";
import type { CommandFrame, EventFrame, ServerFrame } from "../../src/protocol/messages";
import { type Socket, SocketTransport, socketUrl } from "../../src/protocol/socket";
import { entriesOf } from "../golden";

const ENTRIES = entriesOf("launch");
const RUN = ENTRIES[0]?.execution_id ?? "";

/** A server as far as one page sees it: it takes connections, and says what a test wants. */
class Server {
  readonly sockets: (Socket & { sent: CommandFrame[] })[] = [];

  readonly take = (): Socket => {
    const sent: CommandFrame[] = [];
    const socket = {
      sent,
      readyState: 1,
      send: (text: string) => sent.push(JSON.parse(text)),
      close: () => {},
      onmessage: null,
      onclose: null,
      onopen: null,
    } as unknown as Socket & { sent: CommandFrame[] };
    this.sockets.push(socket);
    return socket;
  };

  get last(): Socket & { sent: CommandFrame[] } {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("nobody has connected");
    return socket;
  }

  say(...frames: object[]): void {
    for (const frame of frames) {
      this.last.onmessage?.call(
        this.last as unknown as WebSocket,
        { data: JSON.stringify(frame) } as MessageEvent,
      );
    }
  }

  greet(): void {
    this.say({ type: "connected", payload: { client_id: "c", most_bytes: 1 }, timestamp: "" });
  }

  hangUp(code = 1006): void {
    this.last.onclose?.call(this.last as unknown as WebSocket, { code } as CloseEvent);
  }
}

let server: Server;
let connection: TransportConnection;
let heard: number[];

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  connection = new TransportConnection(new SocketTransport("ws://here/dipeo/ws", server.take));
  heard = [];
});
afterEach(() => {
  connection.close();
  vi.useRealTimers();
});

function follow(after = 0): () => void {
  return connection.follow(RUN, after, (entries) => heard.push(...entries.map((each) => each.seq)));
}

test("a run that nobody goes on with is followed again when it obeys somebody", async () => {
  const rest = vi.fn();
  connection.follow("exec_rest", 0, () => {}, rest);
  server.greet();
  const end = { type: "end_of_events", payload: { after_seq: 0 }, execution_id: "exec_rest" };
  server.say({ ...end, timestamp: "" });
  const before = subscriptions("exec_rest");
  const asked = connection.ask({ type: "resume_execution", execution_id: "exec_rest" });
  const correlation_id = server.last.sent.at(-1)?.correlation_id;
  server.say({ type: "ack", payload: { seq: 0 }, correlation_id, timestamp: "" });
  await asked;

  expect(rest).toHaveBeenCalledOnce();
  expect(subscriptions("exec_rest") - before).toBe(1);
});

function subscriptions(id: string): number {
  const { sent } = server.last;
  return sent.filter((each) => each.type === "subscribe" && each.execution_id === id).length;
}

describe("a run that is followed", () => {
  test("is subscribed to as soon as the server has greeted", () => {
    follow(3);
    server.greet();

    expect(server.last.sent).toEqual([{ type: "subscribe", execution_id: RUN, after_seq: 3 }]);
  });

  test("is told once, though the server repeats itself", () => {
    follow();
    server.greet();
    server.say(...ENTRIES.slice(0, 4), ...ENTRIES.slice(0, 6));

    expect(heard).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("goes on behind what was heard when the connection was broken", () => {
    follow();
    server.greet();
    server.say(...ENTRIES.slice(0, 4));
    server.hangUp();
    vi.advanceTimersByTime(1000);
    server.greet();
    server.say(...ENTRIES.slice(2));

    expect(server.last.sent).toEqual([{ type: "subscribe", execution_id: RUN, after_seq: 4 }]);
    expect(heard).toEqual(ENTRIES.map((each) => each.seq));
  });

  test("is asked for again, once, at a gap", () => {
    follow();
    server.greet();
    server.say(...ENTRIES.slice(0, 2), ...ENTRIES.slice(4, 7));

    expect(server.last.sent.slice(1)).toEqual([
      { type: "subscribe", execution_id: RUN, after_seq: 2 },
    ]);
    server.say(...ENTRIES.slice(2, 7));
    expect(heard).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test("is told pieces of answers only where they belong", () => {
    follow();
    server.greet();
    const piece = {
      ...ENTRIES[0],
      type: "token_delta",
      payload: { node: "draft", activation: 1, text: "a" },
    };
    server.say(...ENTRIES.slice(0, 2), { ...piece, seq: 2 }, { ...piece, seq: 1 });

    expect(heard).toEqual([1, 2, 2]);
  });

  test("is told no more when nobody follows it", () => {
    const stop = follow();
    server.greet();
    stop();
    server.say(...ENTRIES.slice(0, 2));

    expect(heard).toEqual([]);
    expect(server.last.sent.at(-1)).toEqual({ type: "unsubscribe", execution_id: RUN });
  });
});

describe("a command", () => {
  test("gets its own reply", async () => {
    server.greet();
    const [first, second] = [connection.ask({ type: "ping" }), connection.ask({ type: "ping" })];
    const [one, two] = server.last.sent.map((each) => each.correlation_id);
    server.say(reply("ack", two, { result: 2 }), reply("ack", one, { result: 1 }));

    expect([(await first).result, (await second).result]).toEqual([1, 2]);
  });

  test("that is refused says why, and what to do", async () => {
    server.greet();
    const asked = connection.ask({ type: "pause_execution", execution_id: RUN });
    const refusal = { code: "over", message: "It is over.", hint: "Fork it." };
    server.say(reply("error", server.last.sent[0]?.correlation_id, refusal));

    await expect(asked).rejects.toThrow(new RefusedError(refusal));
  });

  test("that was not answered is said again, under its own number, on the next connection", () => {
    server.greet();
    const asked = connection.ask({ type: "ping" });
    const [frame] = server.last.sent;
    server.hangUp();
    vi.advanceTimersByTime(1000);
    server.greet();

    expect(server.last.sent).toEqual([frame]);
    asked.catch(() => {});
  });

  test("that was said before anybody listened is said when somebody does", () => {
    connection.ask({ type: "ping" }).catch(() => {});
    expect(server.last.sent).toEqual([]);
    server.greet();

    expect(server.last.sent.map((each) => each.type)).toEqual(["ping"]);
  });

  test("that nobody answers is given up, and not said again", async () => {
    server.greet();
    const asked = connection.ask({ type: "ping" });
    const told = expect(asked).rejects.toThrow("Nobody has answered for 30 seconds");
    vi.advanceTimersByTime(30_000);
    await told;
    server.hangUp();
    vi.advanceTimersByTime(1000);
    server.greet();

    expect(server.last.sent).toEqual([]);
  });

  test("that nobody will answer any more is refused", async () => {
    const asked = connection.ask({ type: "ping" });
    connection.close();

    await expect(asked).rejects.toThrow("closed before this was answered");
  });
});

test("a page that is never let in gives up", () => {
  for (let tries = 0; tries < 10; tries++) {
    server.hangUp();
    vi.advanceTimersByTime(60_000);
  }

  expect(server.sockets.length).toBe(4);
});

test("a page comes back more and more slowly, and not at all when it was sent away", () => {
  server.greet();
  for (const pause of [625, 1250, 2500]) {
    const before = server.sockets.length;
    server.hangUp();
    vi.advanceTimersByTime(pause);
    expect(server.sockets.length).toBe(before + 1);
  }
  server.hangUp(4401);
  vi.advanceTimersByTime(60_000);

  expect(server.sockets.length).toBe(4);
});

describe("by way of the kernel", () => {
  class Model {
    readonly sent: Record<string, unknown>[] = [];
    callback: ((message: unknown) => void) | null = null;
    send(content: unknown): void {
      this.sent.push(content as Record<string, unknown>);
    }
    on(_: "msg:custom", callback: (message: unknown) => void): void {
      this.callback = callback;
    }
    off(): void {
      this.callback = null;
    }
  }

  test("the same frames go out and come in", async () => {
    const model = new Model();
    const comm = new TransportConnection(new CommTransport(model));
    comm.follow(RUN, 0, (entries) => heard.push(...entries.map((each) => each.seq)));
    const asked = comm.ask({ type: "user_response", execution_id: RUN, node: "n", value: 1 });
    model.callback?.({ kind: "entries", entries: ENTRIES.slice(0, 3) });
    model.callback?.({ kind: "reply", ...reply("ack", model.sent[1]?.correlation_id, { seq: 3 }) });

    expect(model.sent[0]).toEqual({
      type: "subscribe",
      execution_id: RUN,
      payload: { after_seq: 0 },
    });
    expect(model.sent[1]).toMatchObject({ execution_id: RUN, payload: { node: "n", value: 1 } });
    expect([heard, (await asked).seq]).toEqual([[1, 2, 3], 3]);
  });

  test("it is spoken to when the server cannot be reached, and not heard when it can", () => {
    const model = new Model();
    const socket = new SocketTransport("ws://here", server.take);
    const both = new TransportConnection(new EitherTransport(socket, new CommTransport(model)));
    both.follow(RUN, 0, (entries) => heard.push(...entries.map((each) => each.seq)));
    model.callback?.({ kind: "entries", entries: ENTRIES.slice(0, 2) });
    server.greet();
    model.callback?.({ kind: "entries", entries: ENTRIES.slice(0, 4) });

    expect(model.sent).toHaveLength(1);
    expect(server.last.sent).toEqual([{ type: "subscribe", execution_id: RUN, after_seq: 2 }]);
    expect(heard).toEqual([1, 2]);
    both.close();
  });
});

test("the server is where the page comes from", () => {
  const page = { protocol: "https:", host: "hub.example:8443" };

  expect(socketUrl("/user/a/dipeo/ws", page)).toBe("wss://hub.example:8443/user/a/dipeo/ws");
});

function reply(type: "ack" | "error", number: unknown, payload: object): ServerFrame | EventFrame {
  return { type, payload, timestamp: "", correlation_id: number } as unknown as ServerFrame;
}
