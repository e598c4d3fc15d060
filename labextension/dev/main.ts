/** The card without Jupyter: `?journal=launch&speed=2&from=10&theme=dark&width=700`. */
import card from "../src/card/index";
import type { EventFrame } from "../src/protocol/messages";
import { firingsOf, frames } from "./measure";
import { ReplayModel } from "./model";
import { synthetic } from "./synthetic";

const asked = new URLSearchParams(location.search);
const journal = asked.get("journal") ?? "launch";
const cell = document.getElementById("cell") as HTMLElement;
if (asked.get("theme") === "dark") document.documentElement.classList.add("dark");
if (asked.has("width")) cell.style.width = `${asked.get("width")}px`;

const { entries, layout } = asked.has("nodes")
  ? synthetic(Number(asked.get("nodes")))
  : await recorded();
const [first] = entries;
if (first?.type !== "execution_started") throw new Error("a journal begins with execution_started");
const traits = {
  execution_id: first.execution_id,
  status: "running",
  diagram: first.payload.diagram,
  places: layout,
  server: null,
  script: "",
  snapshot: [],
  control: "",
};
const speed = Number(asked.get("speed") ?? 1);
const model = new ReplayModel(traits, entries, speed, Number(asked.get("from") ?? 1));
card.initialize({ model });
performance.mark("card");
const seen = new MutationObserver(() => {
  if (!cell.querySelector(".dipeo-node")) return;
  seen.disconnect();
  requestAnimationFrame(() => setTimeout(() => performance.mark("seen")));
});
seen.observe(cell, { childList: true, subtree: true });
card.render({ model, el: cell });
if (!asked.has("still")) model.play();
Object.assign(globalThis, { model, frames, firingsOf });

async function recorded() {
  const [text, made] = await Promise.all([
    fetch(`journals/${journal}.jsonl`).then((response) => response.text()),
    fetch(`journals/${journal}.layout.json`).then((response) => response.json()),
  ]);
  const lines = text.trimEnd().split("\n");
  return { entries: lines.map((line): EventFrame => JSON.parse(line)), layout: made };
}
