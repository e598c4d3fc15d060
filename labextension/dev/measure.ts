/** What the benchmark measures inside the page. */
import type { EventFrame } from "../src/protocol/messages";
import type { ReplayModel } from "./model";

/** Lengths of frames in milliseconds, as long as something goes on. */
export async function frames(
  milliseconds: number,
  each: (share: number) => void,
): Promise<number[]> {
  const lengths: number[] = [];
  const start = performance.now();
  for (let before = start; ; ) {
    const now = await new Promise<number>(requestAnimationFrame);
    lengths.push(now - before);
    before = now;
    if (now - start > milliseconds) return lengths.slice(1);
    each((now - start) / milliseconds);
  }
}

/** Firings that begin and end, `rate` events in a second, in bundles as the kernel sends them. */
export function firingsOf(model: ReplayModel, nodes: number, rate: number): () => void {
  const bundle = Math.max(1, Math.round(rate / 20));
  let count = 0;
  const timer = setInterval(() => {
    const entries = Array.from({ length: bundle }, () => entry(count++, nodes));
    model.tell(entries);
  }, 50);
  return () => clearInterval(timer);
}

function entry(count: number, nodes: number): EventFrame {
  const node = `node ${Math.floor(count / 2) % nodes}`;
  const activation = 1 + Math.floor(count / (2 * nodes));
  const started = { node, activation, inputs: {} };
  const done = {
    ...{ node, activation, outputs: { default: count }, person: null, messages: [], seen: [] },
    ...{ usage: null, cached: false, duration_ms: 25 },
  };
  return {
    type: count % 2 ? "node_completed" : "node_started",
    payload: count % 2 ? done : started,
    timestamp: new Date().toISOString(),
    execution_id: "exec_synthetic",
    seq: 0,
  } as EventFrame;
}
