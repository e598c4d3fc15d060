"""The events of a YAML text, in small portions, and the limits within which it is read at all.

libyaml reads, ten times as fast as ruamel. ruamel explains what libyaml refuses, and reads where
PyYAML was built without libyaml; the events of both have the same shape and meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import yaml  # type: ignore[import-untyped]
from ruamel.yaml import YAML
from ruamel.yaml import events as ruamel
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scanner import Scanner, ScannerError

from ...errors import DiagramError, Problem
from .mistakes import explain, explain_character

MAX_TEXT = 10_000_000
"""Characters of text."""
MAX_ALIASED = 2_000_000
"""Characters that all aliases of a text together may stand for."""
MAX_EVENTS = 1_000_000
MAX_DEPTH = 40

Place: TypeAlias = tuple[int, int]
"""Line and column, both from 1."""

SCALAR = (yaml.ScalarEvent, ruamel.ScalarEvent)
ALIAS = (yaml.AliasEvent, ruamel.AliasEvent)
MAP = (yaml.MappingStartEvent, ruamel.MappingStartEvent)
MAP_END = (yaml.MappingEndEvent, ruamel.MappingEndEvent)
LIST_END = (yaml.SequenceEndEvent, ruamel.SequenceEndEvent)
STREAM_END = (yaml.StreamEndEvent, ruamel.StreamEndEvent)

# The last two come from escapes beyond the end of Unicode.
_FAILURES = (yaml.YAMLError, YAMLError, OverflowError, ValueError)
# ruamel has to start at the beginning again.
_MOST_EXPLAINED = 100_000
_SURROGATE = re.compile("[\ud800-\udfff]")
# U+0085, U+2028 and U+2029 are line breaks to some readers of YAML and text to others.
_ODD = re.compile(
    "[^\t\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
# Where libyaml refuses a colon in text between brackets.
_COLON = re.compile(r"^:|:\?|:$")
_BYTE_ORDER_MARK = "\ufeff"


def libyaml_events(text: str) -> Iterator[Any]:
    """The events as libyaml reads them."""
    yield from yaml.parse(text, Loader=yaml.CBaseLoader)


def ruamel_events(text: str) -> Iterator[Any]:
    """The events as ruamel reads them."""
    reader = YAML(typ="safe", pure=True)
    reader.Scanner = _Scanner
    yield from reader.parse(text)


_PARSE: Callable[[str], Iterator[Any]] = libyaml_events if yaml.__with_libyaml__ else ruamel_events


def read_events(
    text: str,
    most: int = MAX_EVENTS,
    parse: Callable[[str], Iterator[Any]] = _PARSE,
) -> Iterator[Any]:
    """The events, as long as there are not more than `most`; depth is left to whoever nests them.

    Raises `DiagramError` for what is no YAML, with the line and what to do about it.
    """
    if len(text) > MAX_TEXT:
        raise too_large(f"The text has more than {MAX_TEXT:,} characters.")
    text = text.removeprefix(_BYTE_ORDER_MARK).replace("\r\n", "\n").replace("\r", "\n")
    if found := _ODD.search(text):
        raise DiagramError(explain_character(text, found.start()))
    try:
        yield from _checked(parse(text), most)
    except _FAILURES as error:
        raise DiagramError(explain(_in_detail(error, text), text)) from None


def _checked(events: Iterator[Any], most: int = MAX_EVENTS) -> Iterator[Any]:
    for count, event in enumerate(events):
        if count >= most:
            raise too_large(f"The text has more than {most:,} parts.", place_of(event))
        if isinstance(event, SCALAR) and _SURROGATE.search(event.value):
            message = "An escape here stands for half a character, which no text can hold."
            raise DiagramError(Problem("yaml_syntax", message).at(*place_of(event)))
        yield event


def place_of(event: Any) -> Place:
    """Where an event begins."""
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def too_large(message: str, place: Place = (1, 1)) -> DiagramError:
    """A refusal of text that would cost too much to read."""
    return DiagramError(Problem("too_large", message).at(*place))


def too_deep(place: Place) -> DiagramError:
    """A refusal of text that is nested too deeply."""
    return too_large(f"This is nested more than {MAX_DEPTH} levels deep.", place)


def _in_detail(error: Exception, text: str) -> Exception:
    """What ruamel says about a text that was refused; the same error when it says nothing."""
    if isinstance(error, yaml.YAMLError) and len(text) <= _MOST_EXPLAINED:
        try:
            for _ in _checked(ruamel_events(text)):
                pass
        except _FAILURES as detailed:
            return detailed
    return error


class _Scanner(Scanner):
    """Understands what libyaml does: tabs may stand between words and between parts of a line."""

    # A `%YAML 1.1` at the top changes nothing.
    scanner_processing_version = (1, 2)

    def fetch_flow_collection_start(self, *args: Any, **kwargs: Any) -> None:
        # Counts brackets itself, since events come only after a long and slow look ahead.
        if len(self.flow_context) >= MAX_DEPTH:
            mark = self.reader.get_mark()
            raise too_deep((mark.line + 1, mark.column + 1))
        super().fetch_flow_collection_start(*args, **kwargs)

    def scan_to_next_token(self) -> Any:
        found = super().scan_to_next_token()
        while found is None and self.reader.peek() == "\t" and not self.allow_simple_key:
            self.reader.forward()
            found = super().scan_to_next_token()
        return found

    def scan_plain(self) -> Any:
        token = super().scan_plain()
        if self.flow_level and _COLON.search(token.value) and self.reader.peek() != ":":
            problem = "found unexpected ':'"
            raise ScannerError("in a plain scalar", token.start_mark, problem, token.end_mark)
        return token

    def scan_plain_spaces(self, indent: Any, start_mark: Any) -> list[str]:
        blanks = ""
        while self.reader.peek() in " \t":
            blanks += self.reader.peek()
            self.reader.forward()
        if self.reader.peek() != "\n":
            return [blanks] if blanks else []
        self.allow_simple_key = True
        breaks = 0
        while self.reader.peek() == "\n":
            self.scan_line_break()
            breaks += 1
            if self.reader.prefix(3) in {"---", "..."} and self.reader.peek(3) in "\0 \t\n":
                return []
            while self.reader.peek() == " " or (
                self.reader.peek() == "\t" and self.reader.column >= indent
            ):
                self.reader.forward()
        return ["\n" * (breaks - 1) or " "]

    def scan_block_scalar_indentation(self) -> Any:
        found = super().scan_block_scalar_indentation()
        self._refuse_tab()
        return found

    def scan_block_scalar_breaks(self, indent: int) -> Any:
        found = super().scan_block_scalar_breaks(indent)
        if self.reader.column < indent:
            self._refuse_tab()
        return found

    def _refuse_tab(self) -> None:
        if self.reader.peek() == "\t":
            problem = "found character '\\t' where a space is expected"
            raise ScannerError("in a block", None, problem, self.reader.get_mark())
