/** Makes the cards: ES modules, and the loader that fetches that of runs. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build, context } from "esbuild";
import { cardOptions } from "./card-options.js";
import { licencesOf } from "./licenses.js";

const STATIC = new URL("../../dipeo_jupyter/static/", import.meta.url).pathname;
const LARGEST_KB = 150;
const entryPoints = {
  card: "src/card/index.ts",
  loader: "src/card/loader.ts",
  trust: "src/trust/index.tsx",
};
const options = { ...cardOptions, entryPoints, outdir: STATIC };

await mkdir(STATIC, { recursive: true });
if (process.argv.includes("--watch")) {
  await (await context({ ...options, logLevel: "info" })).watch();
} else {
  const { metafile } = await build({ ...options, metafile: true });
  await writeFile(`${STATIC}card.licenses.txt`, await licencesOf(metafile));
  for (const name of ["card.js", "loader.js", "trust.js"]) {
    const kb = gzipSync(await readFile(STATIC + name)).length / 1024;
    console.log(`${name}: ${kb.toFixed(1)} kB gzipped`);
    if (kb > LARGEST_KB) throw new Error(`${name} is larger than ${LARGEST_KB} kB gzipped`);
  }
}
