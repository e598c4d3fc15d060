"""JSON Schema: whether a schema is one, and what about a value does not fit it.

Nothing is ever fetched: a schema may refer to its own parts only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from pydantic import TypeAdapter

_OF_OBJECTS = frozenset({"properties", "required", "allOf", "anyOf", "oneOf", "$ref"})
_COMBINING = frozenset({"allOf", "anyOf", "oneOf", "if", "then", "else", "$ref"})
_CLOSING = frozenset({"additionalProperties", "unevaluatedProperties"})
LONGEST = 300
"""Characters of what is said about a value: the whole value may be quoted in it."""


def schema_of(model: Any) -> dict[str, Any]:
    """The JSON Schema of a pydantic class, a dataclass or another annotated type, as a map.

    >>> schema_of(list[int])
    {'items': {'type': 'integer'}, 'type': 'array'}
    """
    return TypeAdapter(model).json_schema()


def strict_json(text: str) -> Any:
    """The value of a JSON text; raises `ValueError`, also for numbers that JSON has not."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number:.20} is too large")
    return value


def fault_in(schema: Mapping[str, Any]) -> str | None:
    """What is wrong with a schema itself, in a few words."""
    # Slow to import, and most diagrams have no schema.
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    try:
        Draft202012Validator.check_schema(schema, Draft202012Validator.FORMAT_CHECKER)
        resolver = _registry(schema).resolver()
        for reference in _references(schema):
            resolver.lookup(reference)
    except SchemaError as error:
        return _placed(error)
    except Unresolvable as error:
        return f"it refers to {error.ref!r}, which is no part of it"
    keys = set(_keywords(schema))
    if {"patternProperties", "unevaluatedProperties"} <= keys:
        return "`unevaluatedProperties` beside `patternProperties` is not done here"
    return None


def _keywords(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        yield from (str(key) for key in part)
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _keywords(each)


def misfit(schema: Mapping[str, Any], value: Any) -> str | None:
    """What about a value the schema does not allow, and where; None when it fits."""
    return next(iter(_misfits(schema, value, None)), None)


def misfits(schema: Mapping[str, Any], value: Any, most: int) -> list[str]:
    """All of it, the first so many; formats such as `date` are looked at, too."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - as above

    return _misfits(schema, value, Draft202012Validator.FORMAT_CHECKER)[:most]


def _misfits(schema: Mapping[str, Any], value: Any, formats: Any) -> list[str]:
    # Slow to import, and most diagrams have no schema.
    from .patterns import SlowPatternError, bounded_validator  # noqa: PLC0415

    validator = bounded_validator()(schema, registry=_registry(schema), format_checker=formats)
    try:
        errors = sorted(validator.iter_errors(value), key=lambda each: list(map(str, each.path)))
    except RecursionError:
        return ["the schema leads back to itself without end"]
    except SlowPatternError as error:
        return [str(error)]
    return [_placed(each) for each in errors]


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with no properties allowed that it does not name, where it does not say so itself.

    >>> closed({"properties": {"a": {"type": "string"}}})
    {'properties': {'a': {'type': 'string'}}, 'additionalProperties': False}
    """
    inside = _with_closed_parts(schema)
    if not _OF_OBJECTS.isdisjoint(schema) or schema.get("type") == "object":
        # Of parts that are combined, each allows what the others name.
        combined = not _COMBINING.isdisjoint(schema)
        word = "unevaluatedProperties" if combined else "additionalProperties"
        if _CLOSING.isdisjoint(schema):
            inside[word] = False
    return inside


def _with_closed_parts(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as it is, with those of properties and items closed."""
    return {key: _closed_part(key, part) for key, part in schema.items()}


def _closed_part(key: str, part: Any) -> Any:
    if key in ("properties", "patternProperties", "dependentSchemas"):
        return _each(closed, part)
    if key in ("items", "prefixItems", "contains", "additionalProperties"):
        return closed(part) if isinstance(part, Mapping) else _each(closed, part)
    if key in ("$defs", "definitions", "allOf", "anyOf", "oneOf"):
        # Where they are used, it shows whether they are all that is allowed.
        return _each(_with_closed_parts, part)
    return part


def _each(change: Callable[[Mapping[str, Any]], Any], parts: Any) -> Any:
    match parts:
        case dict():
            return {
                name: change(each) if isinstance(each, Mapping) else each
                for name, each in parts.items()
            }
        case list():
            return [change(each) if isinstance(each, Mapping) else each for each in parts]
        case _:
            return parts


def _registry(schema: Mapping[str, Any]) -> Any:
    from referencing import Registry  # noqa: PLC0415 - comes with jsonschema, and is as slow
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

    return Registry().with_resource("", DRAFT202012.create_resource(schema)).crawl()


def _references(part: Any) -> Iterator[str]:
    """Everything that a schema refers to, at any depth."""
    if isinstance(part, Mapping):
        if isinstance(reference := part.get("$ref"), str):
            yield reference
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _references(each)


def _placed(error: Any) -> str:
    where = ".".join(str(step) for step in error.path)
    what = str(error.message)
    if len(what) > LONGEST:  # the fault stands at the end, behind the value
        what = f"{what[: LONGEST // 2]}…{what[-LONGEST // 2 :]}"
    return f"{where}: {what}" if where else what
