"""Regular expressions in JSON Schemas, matched within a time limit.

Python's own `re` can take for ever on a pattern such as `(a+)+$`, and nothing can stop it then, not
even in a thread. The keywords here are those of the standard, with `regex`, which has a limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import regex

MOST_SECONDS = 0.04
"""For one match."""


class SlowPatternError(Exception):
    """A pattern takes too long on a value."""

    def __init__(self, pattern: str) -> None:
        super().__init__(f"the pattern {pattern[:60]!r} takes too long on it")


@cache
def bounded_validator() -> Any:
    """The validator of JSON Schema 2020-12; it raises `SlowPatternError`."""
    # Slow to import, and most diagrams have no schema.
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415

    keywords = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    }
    return validators.extend(Draft202012Validator, keywords)


def _fits(pattern: str, text: str) -> bool:
    try:
        found = regex.search(pattern, text, timeout=MOST_SECONDS, concurrent=True)
    except TimeoutError:
        raise SlowPatternError(pattern) from None
    return found is not None


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415 - as above

    if isinstance(value, str) and not _fits(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], value: Any, _schema: Any
) -> Iterator[Any]:
    if not isinstance(value, dict):
        return
    for pattern, inner in patterns.items():
        for name, each in value.items():
            if _fits(pattern, name):
                yield from validator.descend(each, inner, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, value: Any, schema: Mapping[str, Any]
) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415 - as above

    if not isinstance(value, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    more = [
        name
        for name in value
        if name not in known and not any(_fits(pattern, name) for pattern in patterns)
    ]
    if isinstance(allowed, Mapping):
        for name in more:
            yield from validator.descend(value[name], allowed, path=name)
    elif not allowed and more:
        names = ", ".join(map(repr, more))
        yield ValidationError(f"{names} is not among the properties that are allowed")
