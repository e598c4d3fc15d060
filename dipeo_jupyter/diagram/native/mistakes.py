"""The classic mistakes in JSON, told in plain words with what to do about them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from json import JSONDecodeError

from ...errors import Problem
from .outline import open_brackets, place_at

CODE = "json_syntax"
_CLOSING = {"{": "}", "[": "]"}
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Mistake:
    """Known by what the parser said, the text at that place and the text before it."""

    said: str
    message: str
    hint: str
    at: str = ""
    before: str = ""


_MISTAKES = (
    _Mistake(
        "Unterminated string",
        "A quote is opened here and never closed.",
        'Close it with `"`.',
    ),
    _Mistake(
        "Invalid control character",
        "A text cannot go on on the next line, nor contain a tab.",
        r'Close it with `"`, or write a line break as `\n` and a tab as `\t`.',
    ),
    _Mistake(
        "escape",
        "There is no such escape.",
        r"Write a backslash twice: `\\`.",
    ),
    _Mistake(
        "",
        "JSON knows no comments.",
        "Remove it.",
        at=r"//|/\*|#",
    ),
    _Mistake(
        "",
        "Single quotes mean nothing in JSON.",
        'Put keys and texts in double quotes: `"`.',
        at="'",
    ),
    _Mistake(
        "Extra data",
        "Something follows after the end of the diagram.",
        "Remove it; one text holds one diagram.",
    ),
    _Mistake(
        "property name",
        "A key must stand in double quotes.",
        'Write `"key": value`.',
        at=r"[\w$-]",
    ),
    _Mistake(
        "':' delimiter",
        "A colon is missing between a key and its value.",
        'Write `"key": value`.',
    ),
    _Mistake(
        "',' delimiter",
        "A number cannot begin with a zero.",
        "Leave the zero out, or put the value in quotes.",
        at=r"\d",
        before=r"[\s:\[,]-?0$",
    ),
    _Mistake(
        "',' delimiter",
        "A comma is missing before this, or a quote within a text needs a backslash.",
        r"Entries are parted by commas; a quote within a text is written as `\"`.",
    ),
    _Mistake(
        "Expecting value",
        "This word means nothing in JSON.",
        "Write `null`, `true` or `false`, or put the text in double quotes.",
        at=r"[^\W\d]",
    ),
    _Mistake(
        "Expecting value",
        "A value is missing here.",
        "Write one, or `null`.",
        at=r"[,\]}:]",
    ),
)
_OTHER = _Mistake("", "Nothing of this kind can stand here.", "Put text in double quotes.")


def explain(error: JSONDecodeError, text: str) -> Problem:
    """What the parser's complaint means for whoever wrote the text."""
    said, at = error.msg, error.pos
    before = text[:at].rstrip()
    unfinished = "Unterminated" not in said and not text[at:].strip()
    if unfinished and (brackets := open_brackets(text)):
        return _truncated(text, brackets)
    if text[at : at + 1] in {"}", "]"} and before.endswith(","):
        at = len(before) - 1
    if re.match(r",\s*[}\]]", text[at:]):
        message = "A comma stands after the last entry."
        return Problem(CODE, message, hint="Remove the comma.").at(*place_at(text, at))
    mistake = _recognise(said, text, at)
    return Problem(CODE, mistake.message, hint=mistake.hint).at(*place_at(text, at))


def _recognise(said: str, text: str, at: int) -> _Mistake:
    before = text[max(at - 3, 0) : at]
    for mistake in _MISTAKES:
        fits = mistake.said in said and re.compile(mistake.at).match(text, at)
        if fits and re.search(mistake.before, before):
            return mistake
    return _OTHER


def _truncated(text: str, brackets: list[int]) -> Problem:
    innermost = brackets[-1]
    line = place_at(text, innermost)[0]
    message = f"The text ends, but the `{text[innermost]}` on line {line} is not closed."
    missing = "".join(_CLOSING[text[each]] for each in reversed(brackets))
    many = len(missing) > _MOST_SHOWN
    hint = f"{len(missing)} brackets are missing." if many else f"`{missing}` is missing here."
    return Problem(CODE, message, hint=hint).at(*place_at(text, len(text.rstrip())))
