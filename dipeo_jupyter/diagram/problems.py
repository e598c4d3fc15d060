"""Every code that a problem of a diagram may have, for people: `rules` is the table."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent
from types import MappingProxyType

from ..errors import CommandError
from .rules import RULES, Rule
from .suggest import did_you_mean

CODES: Mapping[str, Rule] = MappingProxyType({rule.code: rule for rule in RULES})
"""By code, in the order in which a diagram is looked at."""


def explain(code: str | None = None) -> str:
    """What a code means, in plain text; without one, the table of all.

    Raises `CommandError` when there is no such code.
    """
    if code is None:
        return codes_table()
    if code not in CODES:
        hint = did_you_mean(code, CODES) or "`dipeo explain` lists all codes."
        raise CommandError(f"There is no code {code!r}. {hint}", code="unknown_code")
    rule = CODES[code]
    return (
        f"{rule.code} ({rule.severity})\n{rule.meaning}\n{rule.remedy}\n\n"
        f"For example:\n\n{indent(rule.example.rstrip(), '    ')}\n"
    )


def codes_table() -> str:
    """All codes as a table in Markdown."""
    rows = [
        f"| `{rule.code}` | {rule.severity} | {rule.meaning} | {rule.remedy} |"
        for rule in CODES.values()
    ]
    return "\n".join(["| code | severity | meaning | what to do |", "|---|---|---|---|", *rows])
