"""Budgets as people write them."""

from __future__ import annotations

import argparse

from pydantic import ValidationError

from ..errors import CommandError
from ..protocol.events import Budget

_OPTIONS = (
    ("--budget", "budget_usd", float, "USD", "pause before a call for which this is not enough"),
    ("--max-calls", "max_calls", int, "N", "pause before one more call to a model"),
    ("--max-tokens", "max_tokens_total", int, "N", "pause before more tokens, in and out"),
)


def budget_of(
    budget_usd: float | None = None,
    max_calls: int | None = None,
    max_tokens_total: int | None = None,
) -> Budget | None:
    """These limits together, None without any; raises `CommandError` for one that is none."""
    if budget_usd is None and max_calls is None and max_tokens_total is None:
        return None
    try:
        return Budget(usd=budget_usd, calls=max_calls, tokens=max_tokens_total)
    except ValidationError:
        given = (budget_usd, max_calls, max_tokens_total)
        wrong = next(each for each in given if each is not None and not _is_limit(each))
        message = f"A budget is a number of 0 or more, not {wrong!r}."
        raise CommandError(message, code="bad_command") from None


def add_budget(command: argparse.ArgumentParser) -> None:
    """The options for a budget, of a command or a magic."""
    for option, name, kind, what, said in _OPTIONS:
        command.add_argument(option, dest=name, type=kind, metavar=what, help=said)


def budget_in(words: argparse.Namespace) -> Budget | None:
    """The budget that these options say; raises `CommandError` as `budget_of` does."""
    return budget_of(words.budget_usd, words.max_calls, words.max_tokens_total)


def _is_limit(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < float("inf")
