"""Parts of a value by dotted keys: `editor.font`, `rows.0.name`."""

from __future__ import annotations

from typing import Any

from ..diagram.language.values import MissingPartError, kind, part
from ..diagram.suggest import with_nearest
from ..errors import NodeError


def _steps(value: Any, key: str) -> list[str]:
    """A key may hold dots itself (`editor.fontSize`)."""
    return [key] if isinstance(value, dict) and key in value else key.split(".")


def _inside(value: Any, name: str, key: str) -> Any:
    """One step on the way that a key describes."""
    try:
        return part(value, int(name) if isinstance(value, list) and name.isdecimal() else name)
    except MissingPartError as error:
        if isinstance(value, dict):
            message = f"{key!r} leads nowhere: there is no {name!r}."
            raise NodeError(with_nearest(message, name, value), field="keys") from None
        message = f"{key!r} leads nowhere: what should hold {name!r} {error}"
        raise NodeError(message, field="keys") from None


def picked(value: Any, keys: tuple[str, ...]) -> Any:
    """What one key leads to; of several keys, an object with all of them."""
    found = {}
    for key in keys:
        found[key] = value
        for name in _steps(value, key):
            found[key] = _inside(found[key], name, key)
    return found if len(keys) > 1 else found[keys[0]]


def new_values(keys: tuple[str, ...], value: Any) -> dict[str, Any]:
    """What to set: for one key the value itself, for several an object with each of them."""
    if len(keys) == 1:
        return {keys[0]: value}
    if not isinstance(value, dict):
        message = f"Several keys need an object with a value for each, and this is {kind(value)}."
        raise NodeError(message, field="keys")
    found = {}
    for key in keys:
        last = key.rpartition(".")[2]
        if key not in value and last not in value:
            message = f"There is no value for {key!r}."
            raise NodeError(with_nearest(message, key, value), field="keys")
        found[key] = value[key] if key in value else value[last]
    return found


def put(whole: dict[str, Any], key: str, new: Any) -> None:
    """Set one of them; objects on the way are made."""
    value: Any = whole
    *way, last = _steps(whole, key)
    for name in way:
        if isinstance(value, dict):
            value.setdefault(name, {})
        value = _inside(value, name, key)
    if isinstance(value, dict):
        value[last] = new
    else:
        _inside(value, last, key)  # refuses all but an item of a list
        value[int(last)] = new
