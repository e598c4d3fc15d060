import { expect, test } from "vitest";
import { RunList } from "../../src/panel/runs/list";
import { RunsWatch } from "../../src/panel/runs/watch";
import type { CommandFrame, ServerFrame } from "../../src/protocol/messages";
import type { Hearing, Transport } from "../../src/protocol/transport";

class FakeTransport implements Transport {
  readonly said: CommandFrame[] = [];
  #hearing: Hearing | undefined;

  open(hearing: Hearing): void {
    this.#hearing = hearing;
  }
  send(frame: CommandFrame): boolean {
    this.said.push(frame);
    return true;
  }
  close(): void {}
  up(): void {
    this.#hearing?.up();
  }
  tell(...frames: object[]): void {
    this.#hearing?.frames(frames as ServerFrame[]);
  }
}

function watching() {
  const list = new RunList();
  const transport = new FakeTransport();
  return { list, transport, watch: new RunsWatch(transport, list) };
}

test("each time the server is there, it is asked for all runs, and to tell of them", () => {
  const { transport } = watching();
  transport.up();
  transport.up();

  expect(transport.said.map((each) => each.type)).toEqual([
    "list_executions",
    "subscribe",
    "list_executions",
    "subscribe",
  ]);
});

test("trouble is over when the server is there again", () => {
  const { list, transport } = watching();
  list.trouble("away");
  transport.up();

  expect(list.get().problem).toBeNull();
});

test("the list that was asked for becomes the lines", () => {
  const { list, transport } = watching();
  const run = { execution_id: "exec_1", name: "Tea", status: "paused", started: 1, events: 3 };
  transport.tell({ type: "ack", correlation_id: "runs", payload: { result: [run] } });

  expect(list.find("exec_1")?.status).toBe("paused");
});

test("a refusal is told in its words", () => {
  const { list, transport } = watching();
  transport.tell({ type: "error", correlation_id: "runs", payload: { message: "Not for you." } });

  expect(list.get().problem).toBe("Not for you.");
});

test("only how runs stand is asked for, and becomes their lines", () => {
  const { list, transport } = watching();
  transport.up();
  const summary = { execution_id: "exec_1", name: "Tea", status: "running", started: 1, events: 3 };
  transport.tell({ type: "standing", execution_id: "exec_1", payload: { summary } });

  expect(transport.said.at(-1)).toEqual({ type: "subscribe", execution_id: "*", brief: true });
  expect(list.find("exec_1")?.status).toBe("running");
});
