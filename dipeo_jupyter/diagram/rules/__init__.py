"""The table of all that can be wrong with a diagram, in the order in which one is looked at.

A module a subject; none of them does anything. The examples are tests: each of them has the problem
it stands for.
"""

from __future__ import annotations

from . import edges, flow, form, names, persons, powers, settings
from .rule import Rule

__all__ = ["RULES", "Rule"]

RULES: tuple[Rule, ...] = (
    *form.RULES,
    *settings.RULES,
    *edges.RULES,
    *flow.RULES,
    *names.RULES,
    *persons.RULES,
    *powers.RULES,
)
"""One for each code."""
