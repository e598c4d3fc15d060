"""What a connection says, in any of its forms, as the words of a sentence."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import JsonValue

from ...errors import DiagramError, Problem
from ..light.arrows import read_arrows
from ..light.endpoints import find_endpoint
from ..model import Label
from ..older import edge_fields
from ..report import Map
from ..suggest import nearest
from ..wrong_values import kind
from .sentences import FORM, WORDS, begins_with_word, is_sentence, read_sentence

DATA = "data"
_CONTENT_TYPES = frozenset(
    {"raw_text", "conversation_state", "object", "json", "variable", "generic", "empty"}
)
_MOST_BRACKETS = 2
_ELSEWHERE = {"label": "naming", "content_type": "as", "contentType": "as", "type": "as"}
"""What the other formats call what some of the words say."""


def split_arrows(text: str, labels: Collection[Label]) -> list[Map]:
    """The words of each connection in `A -> B -> C`, the oldest form; none if it is no arrow."""
    names = {"label": "naming", "content_type": "as"}
    return [
        {names.get(key, key): value for key, value in fields.items()}
        for fields in read_arrows(text, labels)
    ]


def read_target(entry: JsonValue, labels: Collection[Label]) -> Map:
    """The words of what stands after a source. Raises `DiagramError` with what is wrong."""
    if isinstance(entry, str):
        return _text(entry, labels)
    if isinstance(entry, dict):
        return _checked(entry)
    message = f"A connection is a sentence, not {kind(entry)}."
    raise DiagramError(Problem("bad_connection", message, hint=FORM))


def read_embedded(entry: JsonValue, labels: Collection[Label]) -> Map:
    """The words of a connection inside of its source: `{to: "Panel:first", handle: default}`."""
    if not isinstance(entry, dict):
        message = f"A connection is a map, not {kind(entry)}."
        hint = 'Write `- {to: "Target:handle"}`.'
        raise DiagramError(Problem("bad_connection", message, hint=hint))
    rest = edge_fields(entry)
    data = rest.pop(DATA, None)
    words = {
        "from": rest.pop("handle", None),
        "to": rest.pop("to", None),
        "in": None,
        "as": rest.pop("content_type", None),
        "naming": rest.pop("label", None),
    }
    target = words["to"]
    if isinstance(target, str) and find_endpoint(target, labels) is None and ":" in target:
        words["to"], _, words["in"] = target.rpartition(":")
    return _checked(words | {DATA: rest | (data if isinstance(data, dict) else {})})


def _text(text: str, labels: Collection[Label]) -> Map:
    if is_sentence(text):
        return {**read_sentence(text)}
    words = _old_form(text, labels)
    if find_endpoint(str(words["to"]), labels) is None and ('"' in text or begins_with_word(text)):
        return {**read_sentence(text)}
    return words


def _old_form(text: str, labels: Collection[Label]) -> Map:
    """The words of `Panel_first (raw_text)(topic)`."""
    target, brackets = text.strip(), list[str]()
    while len(brackets) < _MOST_BRACKETS and target not in labels and target.endswith(")"):
        before, opened, inside = target[:-1].rpartition("(")
        if not opened or not before.strip():
            break
        target = before.rstrip()
        brackets.insert(0, inside.strip())
    names = ("as", "naming")
    if len(brackets) == 1 and brackets[0] not in _CONTENT_TYPES:
        names = ("naming", "as")
    return {"to": target, **dict(zip(names, brackets, strict=False))}


def _checked(words: Map) -> Map:
    """The words, all of which are known and texts."""
    problems = [_unknown(word) for word in words if word not in {*WORDS, DATA}]
    for word in WORDS:
        value = words.get(word)
        if value is not None and not isinstance(value, str):
            message = f"`{word}` must be text, not {kind(value)}."
            problems.append(Problem("bad_value", message, None, (word,), "Put it in quotes."))
    if words.get("to") is None:
        message = "This connection does not say where it goes: `to` is missing."
        problems.append(Problem("bad_connection", message, hint=FORM))
    data = words.get(DATA)
    if data is not None and not isinstance(data, dict):
        message = f"`{DATA}` must be a map, not {kind(data)}."
        problems.append(Problem("bad_value", message, path=(DATA,)))
    if problems:
        raise DiagramError(*problems)
    return {word: value for word, value in words.items() if value is not None}


def _unknown(word: str) -> Problem:
    closest = _ELSEWHERE.get(word) or nearest(word[:40], (*WORDS, DATA))
    hint = f"Did you mean `{closest}`?" if closest else f"There is {', '.join(WORDS)} and {DATA}."
    message = f"`{word[:40]}` is not understood in this connection."
    return Problem("bad_connection", message, path=(word,), hint=hint)
