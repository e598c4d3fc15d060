"""Edges in one line: `start -> argue.first as topic (raw_text)`, and chains of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import pairwise

from ..labels import MAX_LABEL
from ..model import Label
from ..report import Map
from .endpoints import find_endpoint

_ARROW, _AS = "->", " as "
_LONGEST = 2_000
_MOST_WORDS = 10
_LONGEST_END = MAX_LABEL + 50
_CONTENT = re.compile(r"(.*\S)\s+\((raw_text|object|conversation_state|variable|json|generic)\)")


def read_arrows(text: str, labels: Collection[Label], *, joins: bool = True) -> list[Map]:
    """The edges of `a -> b -> c as topic`, of which the last has the name; none if it is no arrow.

    What is a label counts as one, even if it contains ` as ` or, with `joins`, an arrow.
    """
    if len(text) > _LONGEST or _ARROW not in text:
        return []
    readings = [
        (_joined(ends, labels) if joins else [each.strip() for each in ends.split(_ARROW)], said)
        for ends, said in _readings(text)
    ]
    known = (each for each in readings if all(_is_end(part, labels) for part in each[0]))
    parts, said = next(known, readings[-1])
    if len(parts) == 1 or not all(parts):
        return []
    edges: list[Map] = [{"from": source, "to": target} for source, target in pairwise(parts)]
    edges[-1] |= said
    return edges


def _readings(text: str) -> Iterator[tuple[str, Map]]:
    """The ends, and what is said about the value: first as if nothing were said."""
    yield text, {}
    content: Map = {}
    if found := _CONTENT.fullmatch(text):
        text, content = found[1], {"content_type": found[2]}
        yield text, content
    words = text.split(_AS)
    for cut in range(len(words) - 1, max(0, len(words) - _MOST_WORDS), -1):
        yield _AS.join(words[:cut]), {"label": _AS.join(words[cut:]).strip(), **content}


def _joined(text: str, labels: Collection[Label]) -> list[str]:
    """The text cut at its arrows, except where one is part of a label."""
    pieces = text.split(_ARROW)
    parts: list[str] = []
    while pieces:
        taken = 1
        length = len(pieces[0])
        for end in range(2, len(pieces) + 1):
            length += len(_ARROW) + len(pieces[end - 1])
            if length > _LONGEST_END:
                break
            if _is_end(_ARROW.join(pieces[:end]).strip(), labels):
                taken = end
        parts.append(_ARROW.join(pieces[:taken]).strip())
        del pieces[:taken]
    return parts


def _is_end(text: str, labels: Collection[Label]) -> bool:
    """Whether a text names an end; only a label may have an arrow in it."""
    end = find_endpoint(text, labels)
    return end is not None and _ARROW not in end.handle
