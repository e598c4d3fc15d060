/** Makes the run card: one ES module and one style sheet, which Python hands to the notebook. */
import { mkdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build, context } from "esbuild";

const STATIC = new URL("../../dipeo_jupyter/static/", import.meta.url).pathname;
export const LARGEST_KB = 150;

const options = {
  entryPoints: { card: "src/card/index.ts" },
  outdir: STATIC,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
};

await mkdir(STATIC, { recursive: true });
if (process.argv.includes("--watch")) {
  await (await context({ ...options, logLevel: "info" })).watch();
} else {
  await build(options);
  for (const name of ["card.js", "card.css"]) {
    const kb = gzipSync(await readFile(STATIC + name)).length / 1024;
    console.log(`${name}: ${kb.toFixed(1)} kB gzipped`);
    if (kb > LARGEST_KB) throw new Error(`${name} is larger than ${LARGEST_KB} kB gzipped`);
  }
}
