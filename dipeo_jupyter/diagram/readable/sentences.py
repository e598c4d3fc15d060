"""Connections in words: `from "_condtrue" to "Panel" in "_first" as "raw_text" naming "topic"`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn

from ...errors import DiagramError, Problem
from ..suggest import nearest
from .quoting import quote, read_quoted

WORDS = ("from", "to", "in", "as", "naming")
"""The words of a sentence, in the order in which they are written."""
FORM = (
    'Write `to "Target"`, and where needed `from "_exit"` before it and `in "_entry"`, '
    '`as "content_type"`, `naming "variable"` behind it.'
)
_WORD = re.compile(r'\s*([^\s"]+)\s*')
_BARE = re.compile(r'[^\s"]+')
_SHOWN = 40


def is_sentence(text: str) -> bool:
    """Whether a text begins as sentences do, and so can be nothing else."""
    found = _WORD.match(text)
    return found is not None and found.group(1) in WORDS and text.startswith('"', found.end())


def begins_with_word(text: str) -> bool:
    """Whether a text begins with one of the words; without quotes it may be a label too."""
    found = _WORD.match(text)
    return found is not None and found.group(1) in WORDS


def read_sentence(text: str) -> dict[str, str]:
    """What stands after each word. Raises `DiagramError` with the part that is not understood."""
    said: dict[str, str] = {}
    at, end = 0, len(text.rstrip())
    bare = False
    while at < end:
        found = _WORD.match(text, at)
        word = found.group(1) if found else ""
        if found is None or word not in WORDS:
            _refuse_word(text[at:end].strip(), word, after_bare=bare)
        if word in said:
            _refuse(f"`{word}` stands twice in this connection.")
        bare = not text.startswith('"', found.end())
        said[word], at = _value(word, text, found.end())
    if "to" not in said:
        _refuse("This connection does not say where it goes: `to` is missing.")
    return said


def write_sentence(said: Mapping[str, str]) -> str:
    """The sentence that `read_sentence` understands as these words."""
    return " ".join(f"{word} {quote(said[word])}" for word in WORDS if word in said)


def _value(word: str, text: str, start: int) -> tuple[str, int]:
    if not text.startswith('"', start):
        found = _BARE.match(text, start)
        if found is None:
            _refuse(f"Nothing stands after `{word}`.")
        return found.group(), found.end()
    try:
        quoted = read_quoted(text, start)
    except ValueError:
        hint = 'Inside of double quotes write \\" for a quote and \\\\ for a backslash.'
        _refuse(f"The text after `{word}` contains a backslash that means nothing.", hint)
    if quoted is None:
        _refuse(f"The quote after `{word}` is not closed.")
    return quoted


def _refuse_word(rest: str, word: str, *, after_bare: bool) -> NoReturn:
    shown = rest if len(rest) <= _SHOWN else rest[:_SHOWN] + "…"
    closest = nearest(word, WORDS) if word and len(word) <= _SHOWN else None
    if closest is not None:
        hint = f"Did you mean `{closest}`? {FORM}"
    elif after_bare:
        hint = f"Names of several words need double quotes. {FORM}"
    else:
        hint = FORM
    _refuse(f"`{shown}` is not understood in this connection.", hint)


def _refuse(message: str, hint: str = FORM) -> NoReturn:
    raise DiagramError(Problem("bad_connection", message, hint=hint))
