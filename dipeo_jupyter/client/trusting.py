"""Asking people whether a diagram that may have come from elsewhere may do what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from ..diagram.source import Source
from ..engine.trust import refuse
from ..errors import UntrustedError
from ..protocol.commands import AskedPower, MayBeForeign
from ..protocol.refusals import placed
from .trust_words import ALWAYS, ASKS, IS_FILE, NO, ONCE, REMEMBERED, RUNS_FILE

Granted: TypeAlias = Literal["once", "always"]
CHOICES = f"y = {ONCE.lower()}, a = {ALWAYS.lower()}, anything else = {NO.lower()}"

T = TypeVar("T", bound=MayBeForeign)


@dataclass(frozen=True, slots=True)
class TrustQuestion:
    """What people are asked: of which diagram, and what it asks for.

    `name` is that of its file, if it is in one. Without `foreign` it is theirs who run it, and what
    asks are files that it runs.
    """

    name: str | None
    powers: tuple[AskedPower, ...]
    foreign: bool = True

    def __str__(self) -> str:
        """All of it, for where people type."""
        name = f": {self.name}" if self.name else ":"
        where = IS_FILE if self.foreign else RUNS_FILE
        lines = [f"- {each} {each.hint}" for each in self.powers]
        return "\n".join([f"{ASKS}{name}", where, *lines, REMEMBERED, f"Run it? ({CHOICES}) "])


AskTrust: TypeAlias = Callable[[TrustQuestion], Granted | None]
"""How a face asks a human. None is no, and also when nobody is there."""


def allowed(
    command: T, error: UntrustedError, source: Source, *, trust: bool, ask: AskTrust | None
) -> T:
    """The command that was refused, with what it lacked; raises the error when nobody grants it.

    With `trust` nobody is asked, and nothing is remembered.
    """
    untrusted = refuse(placed(error.powers, source))
    granted: Granted | None = "once" if trust else None
    if ask is not None and not trust:
        name = source.name if command.foreign and source.text else None
        granted = ask(TrustQuestion(name, untrusted.powers, command.foreign))
    if granted is None:
        raise untrusted
    digests = (*command.granted, *(each.digest for each in untrusted.powers))
    return command.model_copy(update={"granted": digests, "remember": granted == "always"})


def understood(typed: str) -> Granted | None:
    """What somebody has typed as an answer."""
    match typed.strip().lower():
        case "y" | "yes" | "o" | "once":
            return "once"
        case "a" | "always":
            return "always"
    return None
