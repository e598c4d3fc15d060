"""Where Linux has no walls: Deno keeps JavaScript in, and Python in Pyodide; Bash does not run.

What JavaScript tries is in `hostile/`. Python is tried with the Pyodide that the front end's
packages bring along, or with that of `DIPEO_PYODIDE`.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dipeo_jupyter.engine.ports import Job, JobLanguage, JobResult
from dipeo_jupyter.errors import NodeError, NodeTimeoutError
from dipeo_jupyter.services.sandbox.deno import Deno, deno_program
from dipeo_jupyter.services.sandbox.limits import Limits
from dipeo_jupyter.services.sandbox.probe import trouble
from dipeo_jupyter.services.sandbox.process import ProcessSandbox
from dipeo_jupyter.services.sandbox.walls import Walls
from dipeo_jupyter.settings import Settings
from tests.services.hostile.world import processes, world

PROGRAM = deno_program()
FETCHED = Path(__file__).parents[2] / "labextension" / "node_modules" / "pyodide"
PYODIDE = Settings.from_environment(os.environ).pyodide or (FETCHED if FETCHED.is_dir() else None)
needs_deno = pytest.mark.skipif(
    PROGRAM is None or os.name != "posix", reason="Deno is not installed"
)
needs_pyodide = pytest.mark.skipif(
    PROGRAM is None or PYODIDE is None,
    reason="NO TEST OF PYTHON IN DENO WAS RUN: that takes Deno, and `npm ci` in labextension",
)
SLOW = 90.0
"""Seconds: Pyodide takes four of a whole processor to begin."""


def run(
    code: str,
    language: JobLanguage = "javascript",
    timeout: float = 20,
    pyodide: Path | None = PYODIDE,
    **inputs: Any,
) -> JobResult:
    sandbox = ProcessSandbox(walls=Walls("deno", pyodide=pyodide))
    return asyncio.run(sandbox.run(Job(language, code, inputs, timeout=timeout), lambda _: None))


@needs_deno
def test_it_is_tried_before_it_is_used():
    assert asyncio.run(trouble(Deno(str(PROGRAM), Limits()), Limits())) is None


def test_a_program_that_allows_everything_is_found_out(tmp_path):
    if PROGRAM is None:
        pytest.skip("Deno is not installed")
    forgetful = tmp_path / "deno"
    forgetful.write_text(
        '#!/bin/sh\nwhile [ "$1" != run ]; do shift; done; shift\n'
        'while case "$1" in -*) true;; *) false;; esac; do shift; done\n'
        f'exec {PROGRAM} run --allow-all --quiet "$@"\n'
    )
    forgetful.chmod(0o755)
    reason = asyncio.run(trouble(Deno(str(forgetful), Limits()), Limits()))
    assert "did not keep a job from" in str(reason)
    assert "running a program" in str(reason)
    assert "killing a process" in str(reason)


@needs_deno
@pytest.mark.parametrize("platform", ["darwin", "linux"])
def test_it_is_used_where_nothing_else_holds(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("dipeo_jupyter.services.sandbox.probe._of_linux", lambda *_: iter(()))
    assert asyncio.run(Walls().find()).name == "deno"


@needs_deno
def test_javascript_has_its_inputs_and_its_folder():
    code = """
require('fs').writeFileSync('a', text)
console.log('said')
return Deno.readTextFileSync('a')
"""
    result = run(code, text="kept")
    assert (result.value, result.stdout) == ("kept", "said\n")


@needs_deno
def test_what_javascript_keeps_in_deno_goes_with_it():
    code = "const was = localStorage.getItem('x'); localStorage.setItem('x', 'y'); return was"
    assert run(code).value is None
    assert run(code).value is None


@needs_deno
def test_bash_is_refused():
    with pytest.raises(NodeError, match="Bash does not run here") as caught:
        run("echo 1", "bash")
    assert caught.value.field == "language"


@needs_deno
def test_python_says_what_is_missing(tmp_path):
    with pytest.raises(NodeError, match="set DIPEO_PYODIDE to the folder with"):
        run("return 1", "python", pyodide=None)
    with pytest.raises(NodeError, match=r"has no pyodide\.mjs"):
        run("return 1", "python", pyodide=tmp_path)


SERVER = """
import asyncio, sys
from dipeo_jupyter.engine.ports import Job
from dipeo_jupyter.services.sandbox.process import ProcessSandbox
from dipeo_jupyter.services.sandbox.walls import Walls

code = "console.log('begun ' + Deno.pid); await new Promise((done) => setTimeout(done, 60_000))"
sandbox = ProcessSandbox(walls=Walls("deno"))
job = Job("javascript", code, {}, timeout=60)
asyncio.run(sandbox.run(job, lambda text: print(text, flush=True)))
"""


@needs_deno
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux waits by pidfd")
def test_a_job_ends_with_its_server():
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        job = os.pidfd_open(int(server.stdout.readline().split()[1]))
        server.kill()
    ended, _, _ = select.select([job], [], [], 20)
    os.close(job)
    assert ended == [job]


@needs_deno
def test_a_network_is_refused():
    sandbox = ProcessSandbox(walls=Walls("deno"))
    with pytest.raises(NodeError, match="Code has a network only where bubblewrap works"):
        asyncio.run(sandbox.run(Job("javascript", "1", {}, network=True), lambda _: None))


@needs_pyodide
def test_python_runs_in_pyodide():
    code = """
import asyncio, json, sys
await asyncio.sleep(0.001)
open('note.txt', 'w').write('kept')
print(sys.platform)
return {'sum': sum(numbers), 'file': open('note.txt').read()}
"""
    result = run(code, "python", SLOW, numbers=[1, 2, 3])
    assert result.value == {"sum": 6, "file": "kept"}
    assert result.stdout == "emscripten\n"


@needs_pyodide
def test_python_in_pyodide_tells_its_errors():
    with pytest.raises(NodeError, match=r"ZeroDivisionError: .*\(line 2 of the code\)"):
        run("x = 1\nx / 0", "python", SLOW)


ATTACKS = """
import os, socket, subprocess, urllib.request
from pyodide.code import run_js
import js

def tries(act):
    try:
        return act()
    except BaseException as error:
        return None

async def waits(text):
    try:
        return str(await run_js(text))
    except BaseException as error:
        return None

return [each for each in [
    tries(lambda: open(secret_file).read()),
    tries(lambda: run_js(f'Deno.readTextFileSync({secret_file!r})')),
    tries(lambda: js.Deno.readTextFileSync(secret_file)),
    tries(lambda: js.process.mainModule.require('fs').readFileSync(secret_file)),
    tries(lambda: js.Deno.writeTextFileSync(canary_file, 'x')),
    tries(lambda: js.Deno.removeSync(canary_file)),
    tries(lambda: js.Deno.kill(victim, 'SIGKILL')),
    tries(lambda: js.Deno.env.get(canary_name)),
    tries(lambda: js.Deno.dlopen('libc.so.6', js.Object.new())),
    tries(lambda: subprocess.run(['/bin/sh', '-c', ':'])),
    tries(lambda: os.fork()),
    tries(lambda: os.kill(victim, 9)),
    tries(lambda: socket.create_connection(('127.0.0.1', port), 1)),
    tries(lambda: urllib.request.urlopen(f'http://127.0.0.1:{port}/', timeout=1)),
    await waits(f"Deno.connect({{hostname: '127.0.0.1', port: {port}}})"),
    await waits(f"fetch('http://127.0.0.1:{port}/')"),
    await waits(f"import('file://{workspace}/evil.js')"),
    await waits("import('npm:left-pad')"),
    await waits("new Deno.Command('/bin/sh', {args: ['-c', ':']}).output()"),
    await waits("new Deno.Command(Deno.execPath(), {args: ['eval', '-A', '1']}).output()"),
    await waits("import('node:child_process').then((m) => m.execSync('id').toString())"),
    await waits(f"import('node:fs').then((m) => m.readFileSync({secret_file!r}))"),
] if each is not None]
"""
TRIED = re.findall(r"^    (?:tries|await waits)\(.*$", ATTACKS, re.MULTILINE)


@needs_pyodide
def test_python_in_pyodide_gets_no_further_than_javascript(tmp_path, monkeypatch):
    with world(tmp_path) as there:
        found = run(ATTACKS, "python", SLOW, **there.inputs("dipeo-pyodide")).value
        assert found == []
        assert there.damage() == []
    assert processes("dipeo-pyodide") == []


@needs_pyodide
def test_python_in_pyodide_that_never_ends_is_ended():
    with pytest.raises(NodeTimeoutError):
        run("while True: pass", "python", 8)


@needs_pyodide
def test_a_job_may_be_taken_by_a_process_that_waits():
    async def two_jobs() -> list[Any]:
        sandbox = ProcessSandbox(walls=Walls("deno", pyodide=PYODIDE), warm=1)
        jobs = [Job("python", "return n", {"n": each}, timeout=SLOW) for each in range(2)]
        try:
            return [(await sandbox.run(each, lambda _: None)).value for each in jobs]
        finally:
            await sandbox.aclose()

    assert asyncio.run(two_jobs()) == [0, 1]
