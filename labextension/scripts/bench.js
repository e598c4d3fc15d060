/** First paint, panning, and many changes: in a headless Chromium, against what people notice. */
import { chromium } from "playwright-core";
import { openWorkshop } from "./workshop.js";

const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run"];
const SIZES = [20, 200, 1000];
const SECONDS = 3;

const workshop = await openWorkshop();
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
const rows = [];
for (const size of SIZES) rows.push(await measure(size));
await browser.close();
await workshop.close();
console.table(rows);

async function measure(size) {
  const page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
  const paints = [];
  for (let round = 0; round < 3; round++) paints.push(await paint(page, size));
  const row = { nodes: size, "first paint (ms)": median(paints) };
  add(row, "panning", await pan(page));
  await page.getByRole("button", { name: "Show all" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForTimeout(500);
  add(row, "all in sight, panning", await pan(page));
  add(row, "200 events/s", await change(page, size, 200));
  await page.close();
  return row;
}

/** From the call of `render` until the boxes have been painted. */
async function paint(page, size) {
  await page.goto(`${workshop.url}?nodes=${size}&still`);
  await page.waitForSelector(".dipeo-node");
  return page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const [begun] = performance.getEntriesByName("card");
    const [seen] = performance.getEntriesByName("seen");
    return (seen?.startTime ?? performance.now()) - begun.startTime;
  });
}

async function pan(page) {
  const box = await page.locator(".dipeo-canvas").boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + 5];
  await page.mouse.move(x, y);
  await page.mouse.down();
  const lengths = page.evaluate((ms) => globalThis.frames(ms, () => {}), SECONDS * 1000);
  for (let step = 0; step < 60 * SECONDS; step++) {
    await page.mouse.move(x + 150 * Math.sin(step / 15), y + 2);
    await page.waitForTimeout(8);
  }
  await page.mouse.up();
  return lengths;
}

function change(page, size, rate) {
  return page.evaluate(
    async ([nodes, events, ms]) => {
      const stop = globalThis.firingsOf(globalThis.model, nodes, events);
      const lengths = await globalThis.frames(ms, () => {});
      stop();
      return lengths;
    },
    [size, rate, SECONDS * 1000],
  );
}

function add(row, name, lengths) {
  const sorted = lengths.toSorted((left, right) => left - right);
  const mean = lengths.reduce((sum, each) => sum + each, 0) / lengths.length;
  row[`${name} (frames/s)`] = Math.round(1000 / mean);
  row[`${name} p99 (ms)`] = Math.round(sorted[Math.floor(sorted.length * 0.99)]);
}

function median(values) {
  return Math.round(values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)]);
}
