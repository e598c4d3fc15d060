"""Tells what went wrong in code that somebody else wrote.

It imports nothing of the package and, until it must, little of the standard library.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing `typing` to ask takes longer than all the rest
if TYPE_CHECKING:
    from typing import Any

FILE = "<job>"
"""As what a job is compiled."""
_LONGEST_MESSAGE = 5_000  # characters
_LONGEST_DETAILS = 30_000


class JobError(Exception):
    """What is wrong with a job as a whole; the sentence needs no traceback."""

    def __init__(self, message: str, field: str = "code") -> None:
        super().__init__(message)
        self.field = field


def described(error: BaseException, code: str, file: str = FILE) -> dict[str, Any]:
    """What is said of an error in code that was compiled as this file."""
    if isinstance(error, JobError):
        return {"message": str(error), "details": None, "field": error.field}
    # Slow to import, and needed only now.
    import linecache  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    numbers = [
        number for frame, number in traceback.walk_tb(trace) if frame.f_code.co_filename == file
    ]
    line = numbers[-1] if numbers else _line_of_syntax(error, file)
    where = f" (line {line} of the code)" if line else ""
    details = "".join(traceback.format_exception(error.with_traceback(trace)))
    return {"message": _sentence(error) + where, "details": _shortened(details), "field": "code"}


def _line_of_syntax(error: BaseException, file: str) -> int | None:
    return error.lineno if isinstance(error, SyntaxError) and error.filename == file else None


def _sentence(error: BaseException) -> str:
    kind = type(error).__name__
    if isinstance(error, SystemExit):
        return f"The code called exit({error.code!r}) instead of returning a value"
    if isinstance(error, SyntaxError):
        return f"{kind}: {error.msg}"
    try:
        words = str(error)[:_LONGEST_MESSAGE]
    except Exception:  # noqa: BLE001  (the code's own __str__)
        words = "(its message cannot be shown)"
    if isinstance(error, MemoryError) and not words:
        words = "the memory that a job may use is full"
    return f"{kind}: {words}" if words else kind


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_DETAILS:
        return text
    half = _LONGEST_DETAILS // 2
    return f"{text[:half]}\n…\n{text[-half:]}"
