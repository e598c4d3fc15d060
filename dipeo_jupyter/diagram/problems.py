"""Every code that a problem of a diagram may have, for people: `rules.py` is the table."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent
from types import MappingProxyType

from .rules import RULES, Rule

CODES: Mapping[str, Rule] = MappingProxyType({rule.code: rule for rule in RULES})
"""By code, in the order in which a diagram is looked at."""


def explain(code: str) -> str:
    """What a code means, for the terminal; raises `KeyError` when there is none."""
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
