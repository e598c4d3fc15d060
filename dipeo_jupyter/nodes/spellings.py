"""Values that people may spell in several ways, as a JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

SEVERAL_WORDS = r"\S\s+\S"


def spelled(present: Iterable[str], others: Iterable[str], *, optional: bool) -> WithJsonSchema:
    """The present names come first, so that they are offered first; others are read as well."""
    both_cases = [case for name in others for case in (name, name.lower())]
    names: list[str | None] = list(dict.fromkeys([*present, *both_cases]))
    kinds = ["string", "null"] if optional else ["string"]
    return WithJsonSchema({"type": kinds, "enum": [*names, None] if optional else names})


def spelled_or_words(present: Iterable[str], others: Iterable[str]) -> WithJsonSchema:
    """The same, or text of several words; both may be left out."""
    named = spelled(present, others, optional=True).json_schema
    assert named is not None
    words = {"type": "string", "pattern": SEVERAL_WORDS}
    return WithJsonSchema({"anyOf": [named, words]})


def _pieces(value: Any) -> Any:
    """`"a, b"` and `5` as people write them, for a list of text."""
    if isinstance(value, str):
        return tuple(piece.strip() for piece in value.split(",") if piece.strip())
    pieces = value if isinstance(value, list | tuple) else [value]
    return tuple(str(piece) if isinstance(piece, int) else piece for piece in pieces)


Pieces = Annotated[
    tuple[str, ...],
    BeforeValidator(_pieces, json_schema_input_type=str | int | list[str | int]),
]
