"""How a job of each language is started: its command, its environment, what it reads."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...engine.ports import Job
from ...errors import NodeError

# The shell lowers the limits and then becomes the program: no code of ours runs between fork and
# exec, where locks held by other threads would hang it. A limit that the system does not know, or
# that is already lower, stays as it is.
_LIMIT_AND_RUN = '{{ {limits}; }} 2>/dev/null; umask 077; exec "$@"'
_BLOCK = 512  # bytes: the unit of `ulimit -f` in a POSIX shell
_SCRIPT = "../job"  # beside the job's folder, so that the folder is empty at the start
_SYSTEM_FOLDERS = "/usr/local/bin:/usr/bin:/bin"
_INSTALL = {
    "node": "JavaScript needs Node.js: install it (https://nodejs.org, or `conda install nodejs`) "
    "and restart the server",
    "bash": "Install Bash and restart the server",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. Sizes are in bytes.

    `memory` is Python's whole address space and JavaScript's heap; `output` is how much of stdout,
    and of stderr, is kept.
    """

    memory: int = 2 * 1024**3
    file_size: int = 256 * 1024**2
    open_files: int = 256
    output: int = 1_000_000
    result: int = 8_000_000


@dataclass(frozen=True, slots=True)
class Launch:
    """A job ready to be started. With `reports`, its command ends in the fd for the result."""

    command: tuple[str, ...]
    stdin: bytes
    environment: Mapping[str, str] = field(default_factory=dict)
    script: bytes | None = None
    reports: bool = True


def plan(job: Job, limits: Limits, search_path: str | None) -> Launch:
    """How to start `job`. Raises `NodeError` when a program is missing or the inputs are unfit."""
    # Threads add up their CPU time: the limit must not stop a job that uses all cores.
    seconds = math.ceil(job.timeout) * (os.cpu_count() or 1) + 1
    ulimits = [
        "ulimit -c 0",
        f"ulimit -n {limits.open_files}",
        f"ulimit -f {limits.file_size // _BLOCK}",
        f"ulimit -t {seconds}",
    ]
    match job.language:
        case "python":
            ulimits.append(f"ulimit -v {limits.memory // 1024}")
            # -I: nothing but the environment's packages is importable; -B: they are only read.
            program = [_interpreter(), "-I", "-B", "-X", "utf8", _beside("python_driver.py")]
            launch = Launch(tuple(program), _message(job))
        case "javascript":
            # No limit on the address space: V8 reserves far more than it uses.
            heap = f"--max-old-space-size={limits.memory // 1024**2}"
            program = [_find("node", search_path), heap, _beside("driver.js")]
            launch = Launch(tuple(program), _message(job))
        case "bash":
            launch = _bash(job, _find("bash", search_path))
    shell = ("/bin/sh", "-c", _LIMIT_AND_RUN.format(limits="; ".join(ulimits)), "job")
    given = {"DIPEO_IDEMPOTENCY_KEY": job.idempotency_key} if job.idempotency_key else {}
    environment = {**launch.environment, **given}
    return Launch(
        (*shell, *launch.command), launch.stdin, environment, launch.script, launch.reports
    )


def environment(launch: Launch, folder: Path) -> dict[str, str]:
    """All that a job finds in its environment; nothing is inherited."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{_SYSTEM_FOLDERS}",
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        **launch.environment,
    }


def _bash(job: Job, program: str) -> Launch:
    if job.function is not None:
        raise NodeError(
            "Bash code runs as a whole: remove `function_name`, or call the function in the code.",
            field="function_name",
        )
    # A file, not an argument: every user of the machine can see the arguments of a process.
    return Launch(
        (program, "--noprofile", "--norc", _SCRIPT),
        _as_json(job.inputs),
        _variables(job.inputs),
        job.code.encode("utf-8", "replace"),
        reports=False,
    )


def _variables(inputs: Mapping[str, Any]) -> dict[str, str]:
    """`INPUT_<key>` and `INPUT_<KEY>`; what a name in Bash cannot hold becomes `_`."""
    variables: dict[str, str] = {}
    for spell in (str.upper, str):  # where two keys meet in capitals, the exact spelling wins
        for key, value in inputs.items():
            name = re.sub(r"\W", "_", spell(key), flags=re.ASCII)
            variables[f"INPUT_{name}"] = _text(key, value)
    return variables


def _text(key: str, value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if "\0" in text:
        raise NodeError(
            f"The input {key!r} contains a NUL character, which no variable of Bash can hold. "
            "Use Python or JavaScript for it.",
            field="language",
        )
    return text.encode("utf-8", "replace").decode()


def _message(job: Job) -> bytes:
    """The whole job as one line of JSON: values are never pasted into source."""
    return _as_json({"code": job.code, "function": job.function, "inputs": dict(job.inputs)})


def _as_json(value: Any) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise NodeError(f"The inputs are not JSON and cannot be handed to code: {error}.") from None


def _beside(name: str) -> str:
    return str(Path(__file__).with_name(name))


def _interpreter() -> str:
    if not sys.executable:
        raise NodeError("This Python does not know its own program, so it cannot start a job.")
    return sys.executable


def _find(program: str, search_path: str | None) -> str:
    found = shutil.which(program, path=search_path)
    if found is None:
        raise NodeError(f"`{program}` is not on the PATH. {_INSTALL[program]}.", field="language")
    return str(Path(found).absolute())
