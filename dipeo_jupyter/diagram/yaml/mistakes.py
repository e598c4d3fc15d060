"""The classic mistakes in YAML, told in plain words with what to do about them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import yaml  # type: ignore[import-untyped]
from ruamel.yaml.error import MarkedYAMLError

from ...errors import Problem

_MARKED = (MarkedYAMLError, yaml.MarkedYAMLError)
_CODE = "yaml_syntax"
_QUOTE_ALL = "Put the whole value in quotes."
_LONGEST_LINE = 500
_BRACES = 'Text that begins with {{ needs quotes: "{{name}}".'


@dataclass(frozen=True, slots=True)
class _Mistake:
    """Known by what the parser said, the text before that place and the line above it.

    The place to show is `here`, the line `above`, or the `start` of what the parser was reading.
    """

    said: str
    message: str
    hint: str
    before: str = ""
    above: str = ""
    show: Literal["here", "above", "start"] = "here"


_MISTAKES = (
    _Mistake(
        r"character '\\t'|a tab character",
        "A tab stands where only spaces may.",
        "Indent with spaces.",
    ),
    _Mistake(
        "mapping values are not allowed",
        "A value contains a colon followed by a space.",
        'Put the value in quotes: key: "Note: this".',
        before=r":\s",
    ),
    _Mistake(
        "mapping values are not allowed",
        "A space is missing after the colon.",
        "Write `key: value`.",
        above=r"^[\s-]*\w+:[^\s/]",
        show="above",
    ),
    _Mistake(
        "mapping values are not allowed",
        "A space is missing after the dash.",
        "Write `- label: …`.",
        above=r"^\s*-\w",
        show="above",
    ),
    _Mistake(
        "mapping values are not allowed",
        "This line is indented further than the lines it belongs to.",
        "Give all keys of one map the same indentation.",
    ),
    _Mistake(
        r"but found '(<block mapping start>|<block sequence start>|-|\?)'"
        r"|did not find expected (key|'-' indicator)",
        "The indentation of this line fits none of the lines above.",
        "Give all entries of one list or map the same indentation.",
    ),
    _Mistake(
        "but found '<scalar>'|but found '{'", "Text goes on after `}`.", _BRACES, before=r"\{\{"
    ),
    _Mistake(
        r"but found '<scalar>'",
        "Text goes on after the closing quote.",
        "Put quotes of the other kind around the whole value, or write the inner quote twice.",
        before=r"""[:-]\s+['"]""",
    ),
    _Mistake(
        r"but found '<scalar>'",
        "Text goes on after a closing bracket.",
        _QUOTE_ALL,
        before=r"[\]}]",
    ),
    _Mistake(
        r"expected ',' or '[}\]]', but got '{'",
        "A value between braces contains a brace.",
        _QUOTE_ALL,
    ),
    _Mistake(
        r"expected ',' or '[}\]]', but got '\['",
        "A value between braces contains a bracket.",
        'Put it in quotes: {from: "argue[first]", to: judge}.',
    ),
    _Mistake(
        r"expected ',' or '[}\]]'|a flow (mapping|sequence) did not find",
        "What was opened here with a bracket or brace is not closed, or a comma is missing.",
        "Check that every bracket has its partner; put text with brackets or commas in quotes.",
        show="start",
    ),
    _Mistake(
        "could not find expected ':'",
        "This line is neither `key: value` nor part of the value above.",
        "Indent the lines of a longer text further than its key.",
        show="start",
    ),
    _Mistake(
        "found unexpected (end of stream|document separator)",
        "A quote is opened here and never closed.",
        "Close it, or put quotes of the other kind around the whole value.",
        show="start",
    ),
    _Mistake(
        "found character",
        "A value cannot begin with this character.",
        _QUOTE_ALL,
    ),
    _Mistake(
        "sequence entries are not allowed",
        "A list cannot begin on the line of its key.",
        "Put `- …` on a line of its own, or the value in quotes if it is text.",
    ),
    _Mistake(
        "unknown escape character|escape sequence of",
        "There is no such escape.",
        "Use 'single quotes', where a backslash is only a backslash, or write it twice.",
    ),
    _Mistake(
        "ing an? (anchor|alias|tag)",
        "`&`, `*` and `!` at the beginning of a value have a meaning in YAML.",
        "If this is text, put it in quotes.",
    ),
    _Mistake(
        "scanning a block scalar",
        "Only a line break may follow `|` or `>`.",
        "Begin the text on the next line.",
    ),
    _Mistake(
        "but found|expected (the )?node content",
        "Nothing of this kind can stand here.",
        "If it is part of a text, put the whole text in quotes.",
    ),
)


def explain(error: Exception, text: str) -> Problem:
    """What the parser's complaint means for whoever wrote the text."""
    if not isinstance(error, _MARKED) or error.problem_mark is None:
        return _bad_escape(text)
    here = (error.problem_mark.line, error.problem_mark.column)
    before, (above_line, above) = _text_before(text, *here), _line_above(text, here[0])
    said = f"{error.context or ''} {error.problem or ''}"
    mistake = _recognise(said, before, above)
    start = error.context_mark
    match mistake.show:
        case "above":
            line, column = above_line, 0
        case "start" if start is not None:
            line, column = start.line, start.column
        case _:
            line, column = here
    return Problem(_CODE, mistake.message, hint=mistake.hint).at(line + 1, column + 1)


def explain_character(text: str, position: int) -> Problem:
    """Why the character at this position cannot stand in a file."""
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    message = f"The text contains the invisible character U+{ord(text[position]):04X}."
    hint = "Remove it, or write it as an escape in double quotes."
    return Problem(_CODE, message, hint=hint).at(line, column)


def explain_key(text: str, line: int, column: int) -> Problem:
    """Why a list or a map cannot be a key; most often it is a template without quotes."""
    braces = _lines(text)[line - 1][:column].endswith("{") if column > 1 else False
    message = "A value begins with `{{`." if braces else "A key must be text, not a list or a map."
    hint = _BRACES if braces else "Write `key: value`."
    return Problem(_CODE, message, hint=hint).at(line, column)


def _recognise(said: str, before: str, above: str) -> _Mistake:
    for mistake in _MISTAKES:
        if (
            re.search(mistake.said, said)
            and re.search(mistake.before, before)
            and re.search(mistake.above, above)
        ):
            return mistake
    return _Mistake("", f"This is not YAML: {said.strip()}.", "If this is text, put it in quotes.")


def _bad_escape(text: str) -> Problem:
    found = re.search(r"\\U(?!0010|000)", text)
    before = text[: found.start() if found else 0].split("\n")
    message = "An escape names a character that does not exist."
    return Problem(_CODE, message).at(len(before), len(before[-1]) + 1)


def _text_before(text: str, line: int, column: int) -> str:
    lines = _lines(text)
    return lines[line][:column][-_LONGEST_LINE:] if line < len(lines) else ""


def _line_above(text: str, line: int) -> tuple[int, str]:
    """The nearest line above that is not empty, and its number."""
    lines = _lines(text)
    for number in range(min(line, len(lines)) - 1, -1, -1):
        if lines[number].strip():
            return number, lines[number][:_LONGEST_LINE]
    return max(line - 1, 0), ""


def _lines(text: str) -> list[str]:
    # Not `splitlines`, which counts more line breaks than YAML does.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
