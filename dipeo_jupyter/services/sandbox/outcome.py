"""What came of a job: its value, or the error that says what went wrong.

How the process ended is decided by what the system says; only then is the job's own report read,
and that strictly: a job can tell lies about its own result, and about nothing else.
"""

from __future__ import annotations

import json
import re
import signal
from dataclasses import dataclass
from typing import Any, NoReturn

from ...engine.ports import JobLanguage, JobResult
from ...errors import NodeError
from .limits import Limits
from .output import Captured

_DEEPEST = 100
_LAST_LINES = 3
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_REASONS = {
    "SIGKILL": "most likely the machine ran out of memory",
    "SIGXCPU": "it used more CPU time than it may",
    "SIGXFSZ": "it wrote a file larger than a job may",
    "SIGSEGV": "native code crashed, or the recursion was too deep",
    "SIGABRT": "native code gave up, or the memory a job may use was full",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a job wrote: to its two streams, and to the pipe for its result."""

    stdout: str
    stderr: str
    report: Captured


def outcome(language: JobLanguage, status: int, said: Said, limits: Limits) -> JobResult:
    """The result of a job that ended with `status`. Raises `NodeError` when it failed."""
    if status < 0:
        raise _killed(-status, said)
    if language == "bash":
        if status != 0:
            raise _failed(status, said)
        return _by_stdout(said)
    report = _report(said, limits, status)
    if "error" in report:
        raise _told(report["error"])
    if status != 0:
        raise _failed(status, said)
    if "value" not in report:
        return _by_stdout(said)
    return JobResult(report["value"], said.stdout)


def _by_stdout(said: Said) -> JobResult:
    """What was printed is the value of a job that returned nothing."""
    if not said.stdout:
        return JobResult(None, returned=False)
    return JobResult(said.stdout.removesuffix("\n"), said.stdout)


def _report(said: Said, limits: Limits, status: int) -> dict[str, Any]:
    if said.report.cut:
        length = len(said.report.data) + said.report.cut
        raise NodeError(
            f"The result is too large: {length:,} bytes of JSON, at most {limits.result:,} are "
            "allowed. Return less; files that a job writes are gone when it ends.",
            field="code",
        )
    if not said.report.data:
        raise NodeError(
            f"The code ended its own process (exit code {status}) before there was a result. "
            "Use `return`, or set `result`, instead of exiting.",
            field="code",
            details=said.stderr or None,
        )
    report = _parse(said.report.data)
    if not isinstance(report, dict) or not report.keys() & {"value", "error", "nothing"}:
        raise _unreadable("it has another form")
    return report


def _parse(data: bytes) -> Any:
    """The last line, as strict JSON; half a surrogate pair, which is no text, is replaced."""
    if not data.endswith(b"\n"):
        raise _unreadable("its end is missing")
    try:
        text = data[:-1].rsplit(b"\n", 1)[-1].decode()
        value = json.loads(text, parse_constant=_no_constant)
        if "\\u" in text and _SURROGATE.search(text):  # looking for the first is ten times faster
            value = _whole_characters(value)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise _unreadable(str(error)) from None
    if text.count("[") + text.count("{") > _DEEPEST:
        _check_depth(value)
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _whole_characters(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _check_depth(report: Any) -> None:
    level = [report]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _parts(outer)]
        if not level:
            return
    raise _too_deep()


def _parts(value: Any) -> list[Any]:
    """The lists and objects directly inside."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in inside if isinstance(each, (dict, list))]


def _too_deep() -> NodeError:
    return NodeError(
        f"The result is nested too deeply: at most {_DEEPEST} levels are allowed.", field="code"
    )


def _unreadable(why: str) -> NodeError:
    return NodeError(f"The code's result could not be read: {why}.", field="code")


def _told(error: Any) -> NodeError:
    """The error that the job itself reports; its words are shown, its form is not trusted."""
    error = error if isinstance(error, dict) else {}
    details, field = error.get("details"), error.get("field")
    return NodeError(
        str(error.get("message", "The code failed.")),
        field="function_name" if field == "function_name" else "code",
        details=details if isinstance(details, str) else None,
    )


def _killed(number: int, said: Said) -> NodeError:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    reason = f": {_REASONS[name]}" if name in _REASONS else ""
    return NodeError(
        f"The code was ended by {name}{reason}.", field="code", details=said.stderr or None
    )


def _failed(status: int, said: Said) -> NodeError:
    # Bash names the script in front of each message; people know it as their code.
    stderr = said.stderr.replace("../job: ", "")
    last = [line for line in stderr.splitlines() if line.strip()][-_LAST_LINES:]
    words = f": {'; '.join(last)}" if last else "."
    return NodeError(
        f"The code ended with exit code {status}{words}", field="code", details=stderr or None
    )
