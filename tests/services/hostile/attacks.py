"""How an attack is written down, and what must come of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent

from dipeo_jupyter.engine.ports import JobLanguage

GOT_OUT = "GOT OUT"
"""What an attack says when it has succeeded."""
AMPLE = 30
"""Seconds for code that comes to its end, however busy the machine is."""


@dataclass(frozen=True)
class Attack:
    """Code that must do no harm, and after which nothing may be left.

    `ends` is part of the error that it must end with, or, after `=`, of the value that it must
    give; without it all is right that is no success. `seconds` is its time limit, and ample for who
    must give a value. `shows` are the walls behind which it succeeds a little, in a way that
    SECURITY.md admits.
    """

    name: str
    language: JobLanguage
    code: str
    ends: str = ""
    seconds: float = 8.0
    shows: frozenset[str] = frozenset()


def table(language: JobLanguage, text: str) -> Iterator[Attack]:
    """The attacks of a text: each begins with `== name | ends | seconds | shows`."""
    for name, rest, code in re.findall(
        r"^== ([^|\n]+)(.*)\n((?:(?!== ).*\n?)*)", text, re.MULTILINE
    ):
        ends, seconds, shows, *_ = [*(each.strip() for each in rest.split("|")[1:]), "", "", ""]
        yield Attack(
            f"{language}: {name.strip()}",
            language,
            dedent(code).strip("\n"),
            ends,
            float(seconds or (AMPLE if ends.startswith("=") else Attack.seconds)),
            frozenset(shows.split()),
        )
