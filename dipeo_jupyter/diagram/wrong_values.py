"""What is wrong with a value in a file, in one plain sentence each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .suggest import nearest

_KINDS = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a map",
}


class WrongValue(NamedTuple):
    """Where a value is wrong inside what was validated, why, and what to do."""

    path: tuple[str | int, ...]
    message: str
    hint: str | None


def wrong_values(error: ValidationError) -> Iterator[WrongValue]:
    """One sentence for each thing that a model refused."""
    for detail in error.errors(include_url=False):
        yield WrongValue(detail["loc"], f"{_sentence(detail)}.", _hint(detail))


def kind(value: object) -> str:
    """What a value is called in a file: "text", "a map", "nothing" and so on."""
    return _KINDS.get(type(value), "nothing")


def _sentence(detail: ErrorDetails) -> str:
    field = ".".join(str(part) for part in detail["loc"])
    found = kind(detail["input"])
    match detail["type"]:
        case "missing":
            return f"`{field}` is missing"
        case "extra_forbidden":
            return f"`{field}` is unknown here"
        case "string_type":
            return f"`{field}` must be text, not {found}"
        case "float_type" | "float_parsing" | "int_type" | "int_parsing" | "int_from_float":
            return f"`{field}` must be a number, not {found}"
        case "bool_type" | "bool_parsing":
            return f"`{field}` must be true or false, not {found}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"`{field}` must be a map, not {found}"
        case "tuple_type" | "list_type":
            return f"`{field}` must be a list, not {found}"
        case "literal_error":
            return f"`{field}` must be {detail['ctx']['expected']}, not {detail['input']!r:.60}"
        case _:
            said = detail["msg"].removeprefix("Value error, ").rstrip(".")
            return f"`{field}`: {said}" if field else said


def _hint(detail: ErrorDetails) -> str | None:
    if detail["type"] == "string_type" and isinstance(detail["input"], bool | int | float):
        return "Put it in quotes."
    if detail["type"] == "extra_forbidden" and ":" in str(detail["loc"][-1]):
        return "Put a space after the colon."
    if detail["type"] == "literal_error" and isinstance(detail["input"], str):
        known = re.findall("'([^']+)'", detail["ctx"]["expected"])
        closest = nearest(detail["input"], known)
        return f"Did you mean {closest!r}?" if closest else None
    return None
