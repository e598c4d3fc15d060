"""Whether a human's answer is one: checked against the question's JSON Schema."""

from __future__ import annotations

import json
from typing import Any

from ..errors import CommandError
from ..protocol.events import Question

_TEXT_WORDS = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}


def accept(question: Question, value: Any) -> Any:
    """Return the answer as the question wants it, or raise `CommandError` saying what is wrong.

    What was typed is text: `30` answers a question for a number, `yes` one for a boolean.
    """
    if question.schema_ is None:
        return value
    # Slow to import, and most questions want just text.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    candidate = _typed(question.schema_, value)
    errors = sorted(Draft202012Validator(question.schema_).iter_errors(candidate), key=str)
    if errors:
        where = ".".join(str(step) for step in errors[0].path)
        message = f"{where}: {errors[0].message}" if where else errors[0].message
        raise CommandError(f"That is no valid answer: {message}.", code="invalid_answer")
    return candidate


def _typed(schema: dict[str, Any], value: Any) -> Any:
    kind = schema.get("type")
    if not isinstance(value, str) or kind in (None, "string"):
        return value
    if kind == "boolean" and value.strip().lower() in _TEXT_WORDS:
        return _TEXT_WORDS[value.strip().lower()]
    try:
        return json.loads(value)
    except ValueError:
        return value
