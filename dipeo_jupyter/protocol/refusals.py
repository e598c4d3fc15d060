"""How errors travel: as refusals, of which errors are made again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter

from ..diagram.source import Source
from ..errors import CommandError, DiagramError, DipeoError, UntrustedError
from ..errors import Problem as Found
from .commands import AskedPower
from .events import Fact

MOST_PROBLEMS = 100
"""Of a diagram, that are told when it is refused."""
_FOUND: TypeAdapter[list[Found]] = TypeAdapter(list[Found])


class Problem(Fact):
    """One thing that is wrong with a diagram. Lines count from 1, if it came as text."""

    code: str
    message: str
    node: str | None = None
    path: tuple[str | int, ...] = ()
    hint: str | None = None
    severity: Literal["error", "warning", "hint"] = "error"
    line: int | None = None
    column: int | None = None
    within: tuple[int, int] | None = None


class Refusal(Fact):
    """A command was not obeyed: `code` for programs, `message` and `hint` for people.

    The `powers` of an `untrusted` diagram are those that it asks for and nobody has granted.
    """

    type: Literal["error"] = "error"
    code: str
    message: str
    hint: str | None = None
    problems: tuple[Problem, ...] | None = None
    powers: tuple[AskedPower, ...] | None = None


def refusal_of(error: DipeoError, source: Source | None = None) -> Refusal:
    """How an error is told; what is wrong with a diagram has its lines in the text it came from."""
    match error:
        case DiagramError(problems=problems):
            some = problems[:MOST_PROBLEMS]
            found = [source.locate(each) if source else each for each in some]
            more = len(problems) - len(found)
            return Refusal(
                code="bad_diagram",
                message="\n".join([*map(str, found), *([f"… and {more:,} more"] if more else [])]),
                hint=found[0].hint if len(found) == 1 else None,
                problems=tuple(map(told, found)),
            )
        case UntrustedError(code=code, hint=hint, powers=powers):
            return Refusal(
                code=code, message=error.message, hint=hint, powers=placed(powers, source)
            )
        case CommandError(code=code, hint=hint):
            return Refusal(code=code, message=error.message, hint=hint)
    return Refusal(code="refused", message=str(error))


def error_of(refusal: Mapping[str, Any]) -> CommandError | DiagramError:
    """The error that a refusal tells of."""
    if problems := refusal.get("problems"):
        return DiagramError(*_FOUND.validate_python(problems))
    message, hint = refusal["message"], refusal.get("hint")
    if powers := refusal.get("powers"):
        asked = tuple(map(AskedPower.model_validate, powers))
        return UntrustedError(message, powers=asked, hint=hint)
    return CommandError(message, code=refusal["code"], hint=hint)


def told(problem: Found) -> Problem:
    """One problem of a diagram, as it travels."""
    return Problem(**{name: getattr(problem, name) for name in Problem.model_fields})


def placed(powers: Iterable[AskedPower], source: Source | None) -> tuple[AskedPower, ...]:
    """Those of the diagram itself with their lines in the text it came from."""
    if source is None:
        return tuple(powers)
    return tuple(
        each.model_copy(update={"line": source.line_of(*each.path)}) if each.file is None else each
        for each in powers
    )
