/** Makes the prebuilt JupyterLab extension of what `tsc` has left in `lib/`. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const builder = require.resolve("@jupyter/builder/lib/build-labextension.js");
const core = require.resolve("@jupyterlab/core-meta/core.package.json");
const options = ["--core-package-file", core, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, [builder, ...options, "."], { stdio: "inherit" });
process.exit(status ?? 1);
