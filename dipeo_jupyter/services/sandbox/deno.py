"""Where Linux has no walls: JavaScript in Deno, which refuses what it was not allowed.

Python runs in Pyodide, a Python of WebAssembly, inside of Deno. It is a Python of its own, without
this one's packages, and its files are in memory. Nothing is ever loaded from the network. There is
no such thing for Bash. Deno's own refusals are the walls: the kernel keeps no second one behind.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ...engine.ports import Job
from ...errors import NodeError
from .launch import Launch, beside, environment, python_scripts
from .limits import Limits, as_shell
from .tiers import Enclosed, TierName, kill_group

# Deno gives code no pipe but its three streams, so the report is a file; the shell, which waits for
# Deno, hands it on and ends as Deno did. Beside it waits who kills all of the job when the pipe to
# the server closes, because there is no server any more.
_RUN = (
    '{{ {limits}; }} 2>/dev/null; umask 077; report=$1; pipe=$2; life=$3; shift 3; : >"$report"; '
    '{{ read -r _ <"$life"; kill -9 0; }} & beside=$!; '
    '"$@"; status=$?; kill $beside; cat "$report" >"$pipe"; exit $status'
)
_ALWAYS = (
    "--no-prompt",
    "--quiet",
    "--no-remote",
    "--no-npm",
    "--no-config",
    "--no-lock",
    "--no-code-cache",
    "--cached-only",
    "--node-modules-dir=none",
)
_OWN = ".deno"
"""In the job's folder, so that what Deno keeps for code counts as the job's, and goes with it."""
_PYODIDE = "pyodide.mjs"
_RESERVED = 1024**3
"""Bytes that Deno asks for at its start and never uses; what it uses is watched besides."""

ATTACKS = """
const refused = async (act) => { try { await act(); return false; } catch { return true; } };
const fs = require("node:fs");
const starts = () => new Deno.Command("/bin/sh", { args: ["-c", ":"] }).output();
const asks = (address) => fetch(address, { signal: AbortSignal.timeout(500) })
  .then(() => false, (error) => error.name !== "TimeoutError");
const linked = async () => {
  fs.symlinkSync(outside + "/secret", "link");
  return fs.readFileSync("link");
};
return {
  "reading a file": await refused(() => Deno.readTextFile(outside + "/secret")),
  "reading a file by Node's functions": await refused(() => fs.readFileSync(outside + "/secret")),
  "reading a file through a link": await refused(linked),
  "reading a file as code": await refused(() => import("file://" + outside + "/secret")),
  "writing a file": await refused(() => Deno.writeTextFile(outside + "/written", "x")),
  "a connection": await refused(() => Deno.connect({ hostname: "127.0.0.1", port })),
  "a request": await asks(`http://127.0.0.1:${port}/`),
  "listening": await refused(() => Deno.listen({ hostname: "127.0.0.1", port: 0 })),
  "running a program": await refused(starts),
  "loading native code": await refused(() => Deno.dlopen("libc.so.6", {})),
  "killing a process": await refused(() => Deno.kill(victim, "SIGKILL")),
  "asking people for rights": (await Deno.permissions.request({ name: "net" })).state !== "granted",
};
"""


@dataclass(frozen=True)
class Deno:
    """Walls of a program; `pyodide` is the folder of the Python for it, if there is one."""

    program: str
    limits: Limits
    pyodide: Path | None = None

    name: TierName = field(default="deno", init=False)
    on_disk: bool = field(default=True, init=False)

    def plan(self, job: Job) -> Launch:
        """How to start a job. Raises `NodeError` for what does not run here."""
        match job.language:
            case "javascript":
                limits = self.limits.of_process(job.timeout)
                return Launch((beside("driver.cjs"),), limits)
            case "python":
                driver = beside("pyodide_driver.mjs")
                folder = self._folder_of_python()
                arguments = (*python_scripts(), str(folder))
                # It is started before its job is known, and with it how much time it has.
                return Launch((driver, *arguments), self.limits.of_process(None), needs=arguments)
            case "bash":
                raise NodeError(
                    "Bash does not run here: only Deno keeps code in, and there is no Bash for it. "
                    "Write it in Python or JavaScript, or run it on Linux with bubblewrap.",
                    field="language",
                )

    def enclose(self, launch: Launch, work: Path, report: int) -> Enclosed:
        work = work.resolve()  # what is allowed is compared with the real path
        written = work.parent / "report"
        own = {**launch.limits, "data": self.limits.memory + _RESERVED}
        script, *arguments = launch.command
        life, ours = os.pipe()
        command = (
            *("/bin/sh", "-c", _RUN.format(limits=as_shell(own)), "job"),
            *(str(written), f"/dev/fd/{report}", f"/dev/fd/{life}"),
            *(self.program, "run", *_ALWAYS, *self._allowed(launch, work, written)),
            *(script, *arguments, str(written)),
        )
        own_environment = {
            **environment(launch, work),
            "DENO_DIR": str(work / _OWN),
            "DENO_NO_PACKAGE_JSON": "1",
            "DENO_NO_UPDATE_CHECK": "1",
            "NO_COLOR": "1",
        }
        return Enclosed(command, own_environment, work, (report, life), (ours,))

    def end(self, process: int) -> None:
        """End the shell and Deno, which is alone: nothing in it can start another process."""
        kill_group(process)

    def _allowed(self, launch: Launch, work: Path, report: Path) -> tuple[str, ...]:
        if launch.needs:  # Python
            return (f"--allow-read={_listed(*launch.needs)}", f"--allow-write={_listed(report)}")
        heap = self.limits.memory // 1024**2
        return (
            f"--v8-flags=--max-old-space-size={heap}",
            "--allow-env",  # which holds nothing but what we put in
            f"--allow-read={_listed(work, launch.command[0])}",
            f"--allow-write={_listed(work, report)}",
        )

    def _folder_of_python(self) -> Path:
        if self.pyodide is None:
            raise NodeError(
                "Python runs here in Pyodide, which is not there: download it (the npm package "
                "`pyodide`, or `pyodide-core` of its releases) and set DIPEO_PYODIDE to the folder "
                f"with {_PYODIDE}.",
                field="language",
            )
        folder = self.pyodide.resolve()
        if not (folder / _PYODIDE).is_file():
            raise NodeError(
                f"Python runs here in Pyodide, and DIPEO_PYODIDE ({folder}) has no {_PYODIDE}.",
                field="language",
            )
        return folder


def deno_program() -> str | None:
    """Deno, on the PATH or beside this Python, where `pip` puts it."""
    beside_python = os.path.dirname(sys.executable)  # noqa: PTH120 - as it stands, not resolved
    found = shutil.which("deno") or shutil.which("deno", path=beside_python)
    return str(Path(found).absolute()) if found else None


def _listed(*paths: Path | str) -> str:
    """Paths as Deno reads them: a comma in one is written twice."""
    return ",".join(str(path).replace(",", ",,") for path in paths)
