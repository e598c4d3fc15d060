"use strict";
// Runs one JavaScript job in its own process: the job comes as JSON on stdin, the report goes to the
// pipe whose number is the argument, or to the file (Deno gives nobody a pipe). The contract is that of python_driver.py, with the differences
// of the language: a function named by the job gets all inputs as one object, and what is not
// returned cannot be told from `undefined`.

const fs = require("node:fs");
const vm = require("node:vm");
const { createRequire } = require("node:module");

const { parse, stringify } = JSON; // the code may change what it finds
const { isArray } = Array;
const { readdirSync, writeSync } = fs;
const exit = process.exit.bind(process);
const folder = process.cwd();
const FILE = "<job>";
const PROVIDED = ["inputs", "require", "module", "exports"];
const target = process.argv.pop();
const pipe = /^\d+$/.test(target) ? Number(target) : fs.openSync(target, "w");
let reported = false;

class JobError extends Error {
  constructor(message, field = "code") {
    super(message);
    this.field = field;
  }
}

function report(json) {
  reported = true;
  const data = Buffer.from(json + "\n");
  for (let sent = 0; sent < data.length; ) sent += fs.writeSync(pipe, data, sent);
}

// Only after stdout is written out, which takes a moment on some systems.
const leave = (status) => process.stdout.write("", () => exit(status));

function fail(error) {
  report(stringify({ error: describe(error) }));
  leave(1);
}

function describe(error) {
  if (error instanceof JobError) return { message: error.message, details: null, field: error.field };
  const stack = String(error?.stack ?? "");
  const line = /<job>:(\d+)/.exec(stack)?.[1];
  const message = error instanceof Error ? `${error.name}: ${error.message}` : text(error);
  const own = stack.split("\n").filter((each) => !each.includes(__filename) && !each.includes("node:"));
  return {
    message: message.slice(0, 5000) + (line ? ` (line ${line} of the code)` : ""),
    details: own.join("\n").slice(0, 30000) || null,
    field: "code",
  };
}

function text(thrown) {
  try {
    return `The code threw ${typeof thrown === "object" ? stringify(thrown) : String(thrown)}`;
  } catch {
    return "The code threw something that cannot be shown";
  }
}

// A name is put into the source only when it is nothing but a name.
function isName(name) {
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) || name.startsWith("__")) return false;
  try {
    return Boolean(new Function(name, ""));
  } catch {
    return false;
  }
}

// The code is the body of an async function, so that `return` and `await` work at its top level;
// around it is one whose parameters are the inputs, so that the code may declare the same names.
function compile(job) {
  if (job.function !== null && !isName(job.function))
    throw new JobError(`\`${job.function}\` is no name of a function.`, "function_name");
  const names = Object.keys(job.inputs).filter((name) => isName(name) && !PROVIDED.includes(name));
  const held = (name) => `typeof ${name} === "undefined" ? void 0 : ${name}`;
  const end = `return new __Ended__(${["result", "main", job.function ?? "main"].map(held)});`;
  const source = `(function (__Ended__, ${[...PROVIDED, ...names]}) { return async () => {\n${job.code}\n;${end}\n}; })`;
  const make = new vm.Script(source, {
    filename: FILE,
    lineOffset: -1,
    importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }).runInThisContext();
  const module = { exports: {} };
  const require = createRequire(process.cwd() + "/job.js");
  const values = [job.inputs, require, module, module.exports, ...names.map((name) => job.inputs[name])];
  return { module, run: make(Ended, ...values) };
}

// Whoever has written files may think that they are kept.
function tellOfFiles() {
  let files = [];
  try {
    files = readdirSync(folder, { withFileTypes: true }).filter((each) => each.isFile() && !each.name.startsWith("."));
  } catch {
    return; // it is not ours to read any more
  }
  if (files.length === 0) return;
  const names = files.map((each) => each.name).sort();
  const told = names.slice(0, 3).join(", ") + (names.length > 3 ? ", …" : "");
  const verb = names.length === 1 ? "is" : "are";
  writeSync(2, `${told} ${verb} not kept: return what is in there, and let a db write it.\n`);
}

class Ended {
  constructor(result, main, named) {
    Object.assign(this, { result, main, named });
  }
}

async function execute(job) {
  const { module, run } = compile(job);
  const value = await run();
  if (!(value instanceof Ended)) return value;
  if (job.function !== null) return callNamed(job, value.named ?? module.exports[job.function]);
  // An input of this name is a result only when the code has set it.
  const set = !("result" in job.inputs) || /\bresult\s*=[^=]/.test(job.code);
  if (value.result !== undefined && set) return value.result;
  const unused = (job.code.match(/\bmain\b/g) ?? []).length === 1;
  return typeof value.main === "function" && unused ? value.main(job.inputs) : undefined;
}

function callNamed(job, named) {
  if (typeof named === "function") return named(job.inputs);
  throw new JobError(`The code defines no function \`${job.function}\`.`, "function_name");
}

// What JSON.stringify would change beyond recognition. NaN becomes null, as everywhere.
function plain(key, value) {
  if (value === Infinity || value === -Infinity)
    throw new JobError(`The code returned the number ${value}, which is not JSON; return text.`);
  if (typeof value === "bigint") throw notJson("BigInt");
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set || (ArrayBuffer.isView(value) && !isArray(value))) return [...value];
  return value;
}

function notJson(kind) {
  return new JobError(`The code returned a ${kind}, which is not JSON; return text, numbers, arrays or objects.`);
}

function asJson(value) {
  let json;
  try {
    json = stringify(value, plain);
  } catch (error) {
    if (error instanceof RangeError || /circular/i.test(error?.message))
      throw new JobError("The code returned a value that is nested too deeply, or contains itself.");
    throw error;
  }
  if (json === undefined) throw notJson(typeof value);
  return json;
}

async function main() {
  process.on("uncaughtException", fail);
  process.on("exit", (status) => status === 0 && reported && tellOfFiles());
  // `import()` in the code works, and says each time that it is an experiment of Node's.
  process.removeAllListeners("warning").on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") console.error(`${warning.name}: ${warning.message}`);
  });
  // Not called after process.exit: nothing is left to do, and yet the code has not ended.
  process.on("beforeExit", () => {
    if (!reported) fail(new JobError("The code waits for a promise that nothing will ever settle."));
  });
  try {
    const job = parse(fs.readFileSync(0, "utf8"));
    Object.assign(process.env, job.environment);
    const value = await execute(job);
    // Nothing returned: what it prints is its value, so let it finish what it has begun.
    if (value === undefined) return report('{"nothing":true}');
    report(`{"value":${asJson(value)}}`);
    leave(0);
  } catch (error) {
    fail(error);
  }
}

main();
