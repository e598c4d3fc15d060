/** Serves the card without Jupyter (`dev/`), made anew at every look. */
import { context } from "esbuild";
import { cardOptions } from "./card-options.js";

/** @returns its address, and what ends it */
export async function openWorkshop(port = 0, more = {}) {
  const made = await context({
    ...cardOptions,
    ...more,
    entryPoints: { main: "dev/main.ts" },
    outdir: "dev",
    write: false,
  });
  const { port: taken } = await made.serve({ servedir: "dev", host: "127.0.0.1", port });
  return { url: `http://127.0.0.1:${taken}/`, close: () => made.dispose() };
}
