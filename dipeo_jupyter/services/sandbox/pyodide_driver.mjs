// Runs one Python job in Pyodide, inside Deno: the job comes as JSON on stdin, the report goes to a
// file. What a job is, and its report, says python_driver.py, which runs inside. The arguments are
// that script and its neighbours, Pyodide's folder, and the file. Pyodide is loaded before the job is
// there.

const scripts = Deno.args.slice(0, -2);
const [folder, target] = Deno.args.slice(-2);
const { readTextFileSync, writeTextFileSync, exit } = Deno; // the code may change what it finds

const { loadPyodide } = await import(new URL(`file://${folder}/pyodide.mjs`).href);
const python = await loadPyodide({ indexURL: `${folder}/` });
python.setStdin({ stdin: () => null });
python.setStdout({ write: (data) => written(Deno.stdout, data) });
python.setStderr({ write: (data) => written(Deno.stderr, data) });
python.FS.mkdir("/lib/dipeo");
for (const script of scripts) {
  python.FS.writeFile(`/lib/dipeo/${script.split("/").at(-1)}`, readTextFileSync(script));
}
const run = python.runPython(`
import json, os, sys
sys.path.insert(0, "/lib/dipeo")
import python_driver
del sys.path[0]

def run(text):
    job = json.loads(text)
    os.environ.update(job["environment"])
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    sys.argv[:] = ["<job>"]
    report = python_driver.report(job)
    sys.stdout.flush()
    sys.stderr.flush()
    return report.decode()

run`);

const job = await new Response(Deno.stdin.readable).text();
writeTextFileSync(target, await run.callPromising(job));
exit(0);

function written(stream, data) {
  for (let sent = 0; sent < data.length; ) sent += stream.writeSync(data.subarray(sent));
  return data.length;
}
