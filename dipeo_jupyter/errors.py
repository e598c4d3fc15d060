"""Every error this package raises on purpose.

* DipeoError
    * DiagramError            the diagram is wrong: `problems` lists all that was found
    * LanguageError           a template or an expression is wrong, or cannot be evaluated
        * TemplateError
        * ExpressionError
    * CommandError            a command cannot be obeyed now; the sentence goes to whoever sent it
        * UntrustedError      a diagram asks for more than it was granted; `powers` says for what
    * NodeError               a node cannot do its work; the message says why, the engine says which
        * NodeTimeoutError    it took longer than its `timeout`
        * ChildError          the diagram that it runs has failed
    * JournalError            what happens cannot be written down; nothing is lost, the run pauses
    * ServiceError            something outside failed; `retryable` says whether to try again
    * ExecutionFailedError    a run ended without its result; `run` holds everything done so far
    * NoAnswerError           a run waits for a human and nobody can be asked here

A message says what happened and what to do about it. Where it happened (node, line) is in the
attributes, so that each face can show it in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Severity = Literal["error", "warning", "hint"]
FailureKind = Literal["rate_limit", "timeout", "server_error", "connection", "bad_answer", "other"]
"""Sorts of failures that may pass, as `retry_on` names them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a diagram, and where.

    `path` leads to the culprit in the diagram as written, for instance
    `("nodes", "argue", "prompt")`; `line` and `column` count from 1 and are known when the diagram
    was read from text. `within` is the line and column inside the text that `path` leads to.
    """

    code: str
    message: str
    node: str | None = None
    path: tuple[str | int, ...] = ()
    hint: str | None = None
    severity: Severity = "error"
    line: int | None = None
    column: int | None = None
    within: tuple[int, int] | None = None

    def at(self, line: int | None, column: int | None = None) -> Problem:
        """The same problem, with its place in the text."""
        return replace(self, line=line, column=column)

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{where}{self.message}{hint}"


class DipeoError(Exception):
    """Base of every error raised on purpose; `except DipeoError` is always enough."""

    def _render_traceback_(self) -> list[str]:
        """IPython's hook: a sentence instead of sixty lines of our own frames."""
        return [f"{type(self).__name__}: {self}"]


class DiagramError(DipeoError):
    """The diagram is wrong; nothing has run."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class LanguageError(DipeoError):
    """A template or an expression is wrong. `line` and `column` count from 1 inside its text."""

    def __init__(self, message: str, *, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class TemplateError(LanguageError):
    """A `{{template}}` is wrong, or names something that does not exist."""


class ExpressionError(LanguageError):
    """A condition's expression is wrong, or cannot be evaluated."""


class CommandError(DipeoError):
    """A command cannot be obeyed now. `code` is for programs, `message` and `hint` for people."""

    def __init__(self, message: str, *, code: str = "refused", hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class UntrustedError(CommandError):
    """A diagram that may come from elsewhere asks for `powers` that nobody has granted."""

    def __init__(
        self, message: str, *, powers: tuple[Any, ...] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, code="untrusted", hint=hint)
        self.powers = powers


class NodeError(DipeoError):
    """A node cannot do its work.

    `field` names the property at fault, so that the line can be found; `details` is longer text
    worth showing on demand (a job's own traceback).
    """

    def __init__(
        self, message: str, *, field: str | None = None, details: str | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.details = details


class NodeTimeoutError(NodeError):
    """A node took longer than its `timeout`."""


class ChildError(NodeError):
    """The diagram that a node runs has failed."""


class JournalError(DipeoError):
    """What happens cannot be written down now. It is kept, and tried again."""


class ServiceError(DipeoError):
    """Something outside failed: a model, a file, a network.

    `kind` says what sort of failure it is; `retry_after` is in seconds, when whoever refused said
    so. When `perhaps_done`, nobody knows whether it was done all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        kind: FailureKind = "other",
        perhaps_done: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.perhaps_done = perhaps_done
        self.retryable = retryable
        self.retry_after = retry_after


class ExecutionFailedError(DipeoError):
    """A run ended without its result. `run` holds everything done so far."""

    def __init__(self, message: str, run: Any = None) -> None:
        super().__init__(message)
        self.run = run


class NoAnswerError(DipeoError):
    """A run waits for a human, and nobody can be asked here. `run` is still waiting."""

    def __init__(self, message: str, run: Any = None) -> None:
        super().__init__(message)
        self.run = run
