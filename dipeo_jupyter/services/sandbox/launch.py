"""How a job of each language is started: its command, its environment, what it reads."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...engine.ports import Job
from ...errors import NodeError
from .limits import Limits, cpu_seconds
from .relay import PORT as RELAY_PORT

SCRIPT = "../job"
"""Beside the job's folder, so that the folder is empty at the start."""
_SYSTEM_FOLDERS = "/usr/local/bin:/usr/bin:/bin"
_INSTALL = {
    "node": "JavaScript needs Node.js: install it (https://nodejs.org, or `conda install nodejs`) "
    "and restart the server",
    "bash": "Install Bash and restart the server",
}


@dataclass(frozen=True, slots=True)
class Launch:
    """A program that is to be started for a job.

    `needs` are files that it reads besides those of the system and of Python. A `driver` is a
    Python script; with `reports`, the command ends in the descriptor for the result. `egress` is
    the socket of the proxy by which it reaches the network.
    """

    command: tuple[str, ...]
    limits: Mapping[str, int]
    environment: Mapping[str, str] = field(default_factory=dict)
    script: bytes | None = None
    needs: tuple[str, ...] = ()
    driver: str | None = None
    reports: bool = True
    egress: str | None = None


def plan(job: Job, limits: Limits, search_path: str | None) -> Launch:
    """How to start `job`. Raises `NodeError` when a program is missing or the inputs are unfit."""
    match job.language:
        case "python":
            return python(limits)
        case "javascript":
            return _javascript(job, limits, search_path)
        case "bash":
            return _bash(job, limits, search_path)


def python(limits: Limits) -> Launch:
    """How Python is started for any job, before there is one."""
    driver, *_ = python_scripts()
    # -I: nothing but the environment's packages is importable; -B: they are only read.
    command = (_interpreter(), "-I", "-B", "-X", "utf8", driver)
    # The driver lowers the limit on its CPU time when it knows the job's.
    own = {**limits.of_process(None), "as": limits.memory}
    return Launch(command, own, needs=python_scripts(), driver=driver)


def python_scripts() -> tuple[str, ...]:
    """The driver of Python, and what it imports of its neighbours."""
    return tuple(beside(f"python_{name}.py") for name in ("driver", "errors", "syntax", "values"))


def online(launch: Launch, egress: str) -> Launch:
    """The same with a network, by way of the proxy at this socket."""
    proxy = f"http://127.0.0.1:{RELAY_PORT}"
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    more = {**dict.fromkeys(names, proxy), "NODE_USE_ENV_PROXY": "1"}
    return replace(launch, egress=egress, environment={**launch.environment, **more})


def message(job: Job, *, hurry: bool) -> bytes:
    """What a job reads: for Bash its inputs, else the whole job, as one line of JSON.

    Values are never pasted into source. In a `hurry` nothing of the job can be seen after its end,
    so that its process need not tidy up.
    """
    if job.language == "bash":
        return _as_json(job.inputs)
    whole: dict[str, Any] = {
        "code": job.code,
        "function": job.function,
        "inputs": dict(job.inputs),
        "cpu_seconds": cpu_seconds(job.timeout),
        "environment": _own_environment(job),
        "hurry": hurry,
    }
    return _as_json(whole)


def environment(launch: Launch, folder: Path) -> dict[str, str]:
    """All that a job finds in its environment; nothing is inherited."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{_SYSTEM_FOLDERS}",
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        **launch.environment,
    }


def _javascript(job: Job, limits: Limits, search_path: str | None) -> Launch:
    program, driver = _find("node", search_path), beside("driver.cjs")
    # V8 reserves far more address space than it uses: only what it can write is limited.
    own = {**limits.of_process(job.timeout), "data": limits.memory}
    heap = f"--max-old-space-size={limits.memory // 1024**2}"
    return Launch((program, heap, driver), own, needs=(program, driver))


def _bash(job: Job, limits: Limits, search_path: str | None) -> Launch:
    if job.function is not None:
        raise NodeError(
            "Bash code runs as a whole: remove `function_name`, or call the function in the code.",
            field="function_name",
        )
    # A file, not an argument: every user of the machine can see the arguments of a process.
    program, before = _find("bash", search_path), beside("bash_files.sh")
    return Launch(
        (program, "--noprofile", "--norc", SCRIPT),
        {**limits.of_process(job.timeout), "data": limits.memory},
        {**_variables(job.inputs), **_own_environment(job), "BASH_ENV": before},
        job.code.encode("utf-8", "replace"),
        needs=(program, before),
        reports=False,
    )


def _own_environment(job: Job) -> dict[str, str]:
    return {"DIPEO_IDEMPOTENCY_KEY": job.idempotency_key} if job.idempotency_key else {}


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


def _as_json(value: Any) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise NodeError(f"The inputs are not JSON and cannot be handed to code: {error}.") from None


def beside(name: str) -> str:
    """The path of a script of this package."""
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
