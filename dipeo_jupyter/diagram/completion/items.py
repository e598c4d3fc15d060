"""Suggestions, and how they are written so that the YAML around them stays right."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from ..yaml.scalars import write_scalar
from .spot import Spot

BOOLEAN = "boolean"
"""The kind of `true` and `false`, which mean something else in quotes."""
_ENDS_FLOW_TEXT = frozenset(",[]{}")


@dataclass(frozen=True, slots=True)
class Item:
    """One suggestion: `text` replaces what stands between the start and the cursor."""

    text: str
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Completions:
    """The suggestions, the best first; all replace the text from `start` to the cursor."""

    start: int
    items: tuple[Item, ...] = ()


def matching(prefix: str, items: Iterable[Item]) -> list[Item]:
    """Those that begin with what is typed, in any case; each text once."""
    wanted = prefix.casefold()
    found = {item.text: item for item in reversed(list(items))}
    return [item for item in reversed(found.values()) if item.text.casefold().startswith(wanted)]


def keys(spot: Spot, items: Iterable[Item]) -> Completions:
    """The keys that begin with what is typed, with a colon where there is none yet."""
    colon = "" if spot.colon or spot.scalar.quote else ": "
    closing = "" if spot.scalar.closed else f"{spot.scalar.quote}: "
    found = matching(spot.said, items)
    written = (
        Item(_inside(each.text, spot) + colon + closing, each.kind, each.detail) for each in found
    )
    return Completions(spot.scalar.start, tuple(written))


def values(spot: Spot, items: Iterable[Item]) -> Completions:
    """The values that begin with what is typed, in quotes where YAML needs them."""
    scalar = spot.scalar
    closing = "" if scalar.closed else scalar.quote
    found = matching(spot.said.lstrip(), items)
    written = (
        Item(
            _inside(each.text, spot) + closing if scalar.quote else _alone(each, flow=spot.flow),
            each.kind,
            each.detail,
        )
        for each in found
    )
    return Completions(scalar.start, tuple(written))


def ends(spot: Spot, typed: str, items: Iterable[Item], closing: str = "") -> Completions:
    """What may follow in the middle of a text, of which `typed` is the last part.

    `closing` completes the text when all of it must be put in quotes.
    """
    as_typed = _inside(typed, spot)
    if not spot.typed.endswith(as_typed):
        return Completions(spot.scalar.start + len(spot.typed))
    before = spot.typed[: len(spot.typed) - len(as_typed)]
    start = spot.scalar.start + len(before)
    found = matching(typed, items)
    if spot.scalar.quote:
        written = [Item(_inside(each.text, spot), each.kind, each.detail) for each in found]
        return Completions(start, tuple(written))
    safe = [_is_safe(before + each.text, flow=spot.flow) for each in found]
    if all(safe) or "\n" in before or spot.rest.strip():
        return Completions(start, tuple(found))
    # Some need quotes around all of the text: then all replace the whole of it.
    whole = (
        Item(text if fine else _quoted(text + closing), each.kind, each.detail)
        for each, fine in zip(found, safe, strict=True)
        for text in [before + each.text]
    )
    return Completions(spot.scalar.start, tuple(whole))


def _inside(text: str, spot: Spot) -> str:
    """A text as it stands between the quotes that are there already."""
    match spot.scalar.quote:
        case '"':
            return json.dumps(text, ensure_ascii=False)[1:-1]
        case "'":
            return text.replace("'", "''")
        case _:
            return text


def _alone(item: Item, *, flow: bool) -> str:
    safe = item.kind == BOOLEAN or _is_safe(item.text, flow=flow)
    return item.text if safe else _quoted(item.text)


def _is_safe(text: str, *, flow: bool) -> bool:
    """Whether a text means itself without quotes."""
    return write_scalar(text.strip()) == text.strip() and not (flow and _ENDS_FLOW_TEXT & set(text))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
