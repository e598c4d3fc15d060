"""Where every key and value of a YAML text begins and ends, so that it can be cut out exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..yaml.events import ALIAS, LIST_END, MAP, MAP_END, SCALAR, read_events

_BYTE_ORDER_MARK = "\ufeff"
_BREAK = re.compile(r"\r\n|\r|\n")
_EMPTY_LINES = re.compile(r"(?:[ \t]*(?>\r\n|\r|\n))*(?=\r\n|\r|\n|\Z)")
_ANCHOR = re.compile(r"[&!]")
_HEADER = re.compile(r"[|>](?P<marks>[-+1-9]*)")
_BLANK_LINE = re.compile(r"(?<=[\r\n])[ \t]+(?=[\r\n]|\Z)")
_PROPERTY = re.compile(r"[&!][^\s,\[\]{}]*\s*")


@dataclass(slots=True)
class Span:
    """A value in a text: `text[start:end]`, with an anchor or tag before it, if it has one.

    `style` is that of a scalar: `'`, `"`, `|`, `>`, or nothing when it is plain. `items` are those
    of a list, `entries` those of a map. The end never includes what follows: spaces, comments,
    empty lines.
    """

    kind: str
    start: int
    end: int
    style: str = ""
    anchor: str | None = None
    flow: bool = False
    value: str = ""
    items: list[Span] = field(default_factory=list)
    entries: list[tuple[Span, Span]] = field(default_factory=list)

    def find(self, key: str) -> tuple[Span, Span] | None:
        """The entry of this very map under a key."""
        return next((each for each in self.entries if each[0].value == key), None)

    def parts(self) -> Iterator[Span]:
        """Itself and all that is in it."""
        yield self
        for item in self.items:
            yield from item.parts()
        for key, value in self.entries:
            yield from key.parts()
            yield from value.parts()

    @property
    def is_null(self) -> bool:
        """Whether nothing is written here."""
        return self.kind == "scalar" and self.start == self.end


def spans(text: str, start: int = 0, end: int | None = None) -> Span | None:
    """The value that a part of a text is, its places counted in the whole text.

    None when there is nothing but comments. Raises `DiagramError` for what is no YAML.
    """
    part = text[start:end]
    return _Reader(text, part, start).document()


class _Reader:
    def __init__(self, text: str, part: str, offset: int) -> None:
        self._text = text
        self._events = read_events(part)
        # Events count lines and columns only; line breaks may be one character or two.
        first = offset + part.startswith(_BYTE_ORDER_MARK)
        self._lines = [first, *(offset + found.end() for found in _BREAK.finditer(part))]

    def document(self) -> Span | None:
        next(self._events)
        next(self._events)
        event = next(self._events, None)
        span = None if event is None else self._node(event)
        # To the end, so that what follows is known to be in order.
        for _ in self._events:
            pass
        return span

    def _place(self, mark: Any) -> int:
        return int(self._lines[mark.line] + mark.column)

    def _node(self, event: Any) -> Span:
        start, end = self._place(event.start_mark), self._place(event.end_mark)
        if isinstance(event, ALIAS):
            return Span("alias", start, end, anchor=event.anchor)
        if not isinstance(event, SCALAR):
            return self._container(event, self._after_properties(start))
        style = event.style or ""
        own = self._after_properties(start) if start != end else start
        if style in ("|", ">"):
            end = _end_of_block(self._text, own, end)
        return Span("scalar", min(own, end), end, style, event.anchor, value=str(event.value))

    def _container(self, event: Any, start: int) -> Span:
        is_map = isinstance(event, MAP)
        flow = bool(event.flow_style)
        span = Span("map" if is_map else "list", start, start, anchor=event.anchor, flow=flow)
        while not isinstance(inner := next(self._events), MAP_END + LIST_END):
            child = self._node(inner)
            if is_map:
                span.entries.append((child, self._node(next(self._events))))
            else:
                span.items.append(child)
        inside = [value for _, value in span.entries] + span.items
        if flow:
            span.end = self._place(inner.end_mark)
        elif inside:
            span.end = inside[-1].end
        if not flow and span.entries:
            span.start = span.entries[0][0].start
        return span

    def _after_properties(self, start: int) -> int:
        """Behind an anchor or tag, both of which the parser counts as the value's."""
        while _ANCHOR.match(self._text, start) and (found := _PROPERTY.match(self._text, start)):
            start = found.end()
        return start


def line_start(text: str, at: int) -> int:
    """Where the line begins on which something is."""
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def line_end(text: str, at: int) -> int:
    """Where the line ends on which something is, before its line break."""
    found = _BREAK.search(text, at)
    return found.start() if found else len(text)


def next_line(text: str, at: int) -> int:
    """Where the line after this one begins."""
    found = _BREAK.search(text, at)
    return found.end() if found else len(text)


def column(text: str, at: int) -> int:
    """How many characters of the line stand before something."""
    return at - line_start(text, at)


def _end_of_block(text: str, start: int, end: int) -> int:
    """Where the last line of a block ends: empty lines below belong to it only with `+`.

    Spaces at the end of its text do too, and lines of nothing but spaces that are deeper than it.
    """
    header = _HEADER.match(text, start)
    if header is None:
        return end
    stop = start + len(text[start:end].rstrip(" \t\r\n"))
    if body := text[next_line(text, header.end()) : stop].lstrip("\r\n"):
        pad = len(body) - len(body.lstrip(" "))
        blank = _BLANK_LINE.finditer(text, stop, end)
        stop = min(line_end(text, stop), end)
        stop = max([stop, *(each.end() for each in blank if len(each[0]) > pad)])
    if "+" in header["marks"]:
        below = _EMPTY_LINES.match(text, stop)
        stop = below.end() if below else stop
    return max(stop, header.end())


def anchors(span: Span) -> set[str]:
    """The anchors that stand in a value."""
    return {part.anchor for part in span.parts() if part.anchor and part.kind != "alias"}


def aliases(span: Span) -> set[str]:
    """The anchors that a value needs."""
    return {part.anchor for part in span.parts() if part.anchor and part.kind == "alias"}
