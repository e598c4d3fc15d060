"""Asking people whether a diagram that may have come from elsewhere may do what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, TypeVar

from ..diagram.source import Source
from ..engine.trust import refuse
from ..errors import UntrustedError
from ..protocol.commands import MayBeForeign

Granted: TypeAlias = Literal["once", "always"]
AskTrust: TypeAlias = Callable[[str], Granted | None]
"""How a face asks a human: what is asked, in words. None is no, and also when nobody is there."""
CHOICES = "o = run it this once, a = always until it changes, anything else = do not"

T = TypeVar("T", bound=MayBeForeign)


def located(error: UntrustedError, source: Source) -> UntrustedError:
    """The same, with the lines of powers in the text that the diagram came from."""
    powers = (
        each.model_copy(update={"line": source.line_of(*each.path)}) if each.file is None else each
        for each in error.powers
    )
    return refuse(powers)


def allowed(command: T, error: UntrustedError, *, trust: bool, ask: AskTrust | None) -> T:
    """The command that was refused, with what it lacked; raises the error when nobody grants it.

    With `trust` nobody is asked, and nothing is remembered.
    """
    granted: Granted | None = "once" if trust else ask(question(error)) if ask else None
    if granted is None:
        raise error
    digests = (*command.granted, *(each.digest for each in error.powers))
    return command.model_copy(update={"granted": digests, "remember": granted == "always"})


def question(error: UntrustedError) -> str:
    """What people are asked."""
    lines = [f"- {each} {each.hint}" for each in error.powers]
    first = "This diagram may have come from elsewhere, and asks for more than it has:"
    return "\n".join([first, *lines, f"Run it? ({CHOICES}) "])


def understood(typed: str) -> Granted | None:
    """What somebody has typed as an answer."""
    match typed.strip().lower():
        case "o" | "once":
            return "once"
        case "a" | "always":
            return "always"
    return None
