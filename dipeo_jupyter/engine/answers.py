"""Whether a human's answer is one: checked against the question's JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import CommandError
from ..protocol.events import Question
from .schemas import misfit, strict_json

_TEXT_WORDS = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}


def accept(question: Question, value: Any) -> Any:
    """Return the answer as the question wants it, or raise `CommandError` saying what is wrong.

    What was typed is text: `30` answers a question for a number, `yes` one for a boolean.
    """
    if question.schema_ is None:
        return value
    faults: list[str] = []
    for meaning in _meanings(value):
        fault = misfit(question.schema_, meaning)
        if fault is None:
            return meaning
        # About a form that was typed as JSON, its own fault says more than that it is text.
        faults.insert(0 if isinstance(meaning, dict | list) else len(faults), fault)
    raise CommandError(f"That is no valid answer: {faults[0]}.", code="invalid_answer")


def _meanings(value: Any) -> Iterator[Any]:
    """What an answer may mean: itself first, then what its text stands for."""
    yield value
    if not isinstance(value, str):
        return
    word = value.strip().lower()
    if word in _TEXT_WORDS:
        yield _TEXT_WORDS[word]
    try:
        yield strict_json(value)
    except ValueError:
        return
