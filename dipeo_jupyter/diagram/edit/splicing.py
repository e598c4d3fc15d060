"""Cuts new values, entries and items into a YAML text; all around them stays as it is."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, NoReturn

from pydantic import BaseModel, JsonValue

from .spans import Span, column, line_end, line_start, next_line
from .styles import write_entry, write_flow, write_item, write_like

_COLON = re.compile(r"[ \t]*:")
_COMMENT = re.compile(r"[ \t]+#[^\r\n]*")
_BLOCK_COMMENT = re.compile(r"[|>][-+1-9]*([ \t]+#[^\r\n]*)")
_DASH_BEFORE = re.compile(r"-[ \t]*(?:[&!]\S+[ \t]+)?\Z")
_DASH_ALONE = re.compile(r"^[ \t]*-[ \t]*(?:[&!]\S+[ \t]*)?(?:#[^\r\n]*)?$", re.MULTILINE)


class CannotSpliceError(Exception):
    """A change has to be written in a larger piece of the text."""


class Splice(NamedTuple):
    """Write `text` in the place of what stands between `start` and `end`."""

    start: int
    end: int
    text: str


def same(one: Any, other: Any) -> bool:
    """Whether two plain values are equal and of the same types: `1`, `1.0` and `true` differ."""
    return one is other or (one == other and _canonical(one) == _canonical(other))


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=BaseModel.model_dump)


def cannot(reason: str) -> NoReturn:
    """Give up on this way of writing a change."""
    raise CannotSpliceError(reason)


class Splicing:
    """The changes of one text, collected and then made at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.splices: list[Splice] = []
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def result(self) -> str:
        """The text with all changes; its line breaks are those it has."""
        pieces, at = [], 0
        for start, end, text in sorted(self.splices, key=lambda each: (each.start, each.end)):
            if start < at:
                cannot("two changes overlap")
            pieces += [self.text[at:start], text]
            at = end
        return "".join([*pieces, self.text[at:]])

    def longer(self, start: int, end: int) -> int:
        """By how much the changes between two places make the text longer."""
        inside = (each for each in self.splices if start <= each.start and each.end <= end)
        return sum(len(each.text) - each.end + each.start for each in inside)

    def put(self, start: int, end: int, text: str) -> None:
        """Write a text in the place of what stands between two places."""
        self.splices.append(Splice(start, end, text.replace("\n", self._newline)))

    # --- values

    def change(self, parent: Span, key: Span, span: Span, old: JsonValue, new: JsonValue) -> None:
        """Write the new value of an entry, and of maps and lists only what is different."""
        if not self._inside(span, old, new):
            self.replace(parent, key, span, new)

    def _inside(self, span: Span, old: JsonValue, new: JsonValue) -> bool:
        before = len(self.splices)
        try:
            if span.kind == "map" and isinstance(old, dict) and isinstance(new, dict) and new:
                self.change_map(span, old, new)
                return True
            if span.kind == "list" and isinstance(old, list) and isinstance(new, list) and new:
                self.change_list(span, old, new)
                return True
        except CannotSpliceError:
            del self.splices[before:]
        return False

    def change_map(self, span: Span, old: dict[str, JsonValue], new: dict[str, JsonValue]) -> None:
        """Write the entries of a map that are different."""
        own = {key.value for key, _ in span.entries}
        gone = old.keys() - new.keys()
        if gone - own or own <= gone:
            cannot("entries come from elsewhere, or none is left")
        for key, value in span.entries:
            name = key.value
            if name in gone:
                self.remove_entry(span, name)
            elif name in new and name in old and not same(old[name], new[name]):
                self.change(span, key, value, old[name], new[name])
        for name, added in new.items():
            if name not in own and not (name in old and same(old[name], added)):
                self.add_entry(span, name, added)

    def change_list(self, span: Span, old: list[JsonValue], new: list[JsonValue]) -> None:
        """Write the items of a list that are different."""
        if len(span.items) != len(old):
            cannot("the list is not written one by one")
        head, tail = unchanged_ends(old, new)
        if len(old) == len(new):
            for i in range(head, len(new) - tail):
                self._change_item(span, i, old[i], new[i])
            return
        if len(old) - tail - head and len(new) - tail - head:
            cannot("too much is different")
        for i in range(head, len(old) - tail):
            self.remove_item(span.items[i], span.items, flow=span.flow)
        for added in new[head : len(new) - tail]:
            above = span.items[head - 1] if head else None
            self.add_item(above, span.items, added, flow=span.flow)

    def _change_item(self, span: Span, index: int, old: JsonValue, new: JsonValue) -> None:
        item = span.items[index]
        if same(old, new) or self._inside(item, old, new):
            return
        written = self._one_line(item, new, flow=span.flow)
        if written is None:
            self.replace_item(item, new)
        else:
            self.put(item.start, item.end, written)

    def replace_item(self, item: Span, value: Any) -> None:
        """Write an item of a block list anew."""
        dash = self.dash_of(item)
        self.put(dash, item.end, write_item(value, column(self.text, dash)))

    def replace(self, parent: Span, key: Span, span: Span, value: Any) -> None:
        """Write the value of an entry anew, in the style it had where that is possible."""
        written = self._one_line(span, value, flow=parent.flow)
        if written is not None:
            self.put(span.start, span.end, written if span.start != span.end else f" {written}")
            return
        colon = self._after_colon(key)
        pad = column(self.text, parent.start)
        _, _, rest = write_entry("k", value, pad).partition(":")
        head, _, body = rest.partition("\n")
        start = line_start(self.text, span.start)
        if "\n" not in self.text[colon : span.end]:
            self.put(colon, span.end, head)
            end = line_end(self.text, span.end)
            self.put(end, end, f"\n{body}" if body else "")
        elif start > colon and "&" not in self.text[colon:start] and not (head and body):
            # What stands between the key and its old value are comments.
            self.put(colon, colon, head)
            self.put(start, span.end if body else next_line(self.text, span.end), body)
        else:
            comment = _COMMENT.match(self.text, colon)
            beside = f"{head}{comment[0] if comment else ''}"
            self.put(colon, span.end, f"{beside}\n{body}" if body else beside)

    def _one_line(self, span: Span, value: JsonValue, *, flow: bool) -> str | None:
        """The value where one span can be put in the place of another; None if it cannot."""
        if flow:
            written = write_like(self.text, span, value, flow=True)
            return write_flow(value) if written is None else written
        if span.kind != "scalar":
            if span.kind != "alias" and not span.flow:
                return None
            span = Span("scalar", span.start, span.end)
        written = write_like(self.text, span, value, flow=False)
        comment = _BLOCK_COMMENT.match(self.text, span.start) if span.style in ("|", ">") else None
        if written is not None and comment and "\n" not in written:
            written += comment[1]
        return written

    def _after_colon(self, key: Span) -> int:
        colon = _COLON.match(self.text, key.end)
        return colon.end() if colon else cannot("the key has no colon beside it")

    # --- entries of maps

    def add_entry(self, span: Span, key: str, value: Any, after: str | None = None) -> None:
        """Add an entry below another one, or as the last."""
        if not span.entries:
            cannot("an empty map has no style")
        found = span.find(after) if after is not None else None
        above = (found or span.entries[-1])[1]
        if span.flow:
            self.put(above.end, above.end, f", {write_flow({key: value})[1:-1]}")
            return
        if self.text[line_start(self.text, above.end) : above.end].lstrip()[:1] == "?":
            cannot("keys with a question mark")
        pad = column(self.text, span.start)
        end = self._below(above)
        self.put(end, end, f"\n{' ' * pad}{write_entry(key, value, pad)}")

    def remove_entry(self, span: Span, name: str) -> None:
        """Remove an entry and, in block style, its lines."""
        names = [key.value for key, _ in span.entries]
        index = names.index(name)
        key, value = span.entries[index]
        if len(names) == 1:
            cannot("it is the only one")
        following = span.entries[index + 1][0] if index + 1 < len(names) else None
        if span.flow:
            self._remove_in_flow(
                key.start,
                max(key.end, value.end),
                following.start if following else None,
                span.entries[index - 1][1].end,
            )
            return
        self._after_colon(key)
        start = line_start(self.text, key.start)
        if not self.text[start : key.start].strip():
            self._remove_lines(start, max(key.end, value.end))
        elif following and not self.text[value.end : following.start].strip():
            self.put(key.start, following.start, "")
        else:
            cannot("it stands beside a dash")

    # --- items of lists

    def add_item(self, above: Span | None, items: list[Span], value: Any, *, flow: bool) -> None:
        """Add an item below another one, or before the first of those there are."""
        if not items:
            cannot("an empty list has no style")
        like = above or items[0]
        written = self._imitated(like, value, flow=flow)
        if flow:
            if above is None:
                self.put(items[0].start, items[0].start, f"{written}, ")
            else:
                self.put(above.end, above.end, f", {written}")
            return
        dash = self.dash_of(like)
        pad = column(self.text, dash)
        imitate = like.flow or like.kind == "scalar"
        item = f"- {written}" if imitate else write_item(value, pad)
        if above is None:
            self.put(dash, dash, f"{item}\n{' ' * pad}")
            return
        end = self._below(above)
        self.put(end, end, f"\n{' ' * pad}{item}")

    def _imitated(self, like: Span, value: Any, *, flow: bool) -> str:
        """A value in one line, a text in the quotes that another has."""
        if isinstance(value, str) and like.kind == "scalar" and like.style in ("", "'", '"'):
            written = write_like(self.text, like, value, flow=flow)
            if written is not None and "\n" not in written:
                return written
        return write_flow(value)

    def put_items(self, item: Span, values: list[Any], *, flow: bool) -> None:
        """Write some items in the place of one; what stands beside it stays beside the first."""
        first, *rest = values
        written = None
        if item.kind == "scalar" and isinstance(first, str):
            written = write_like(self.text, item, first, flow=flow)
        self.put(item.start, item.end, write_flow(first) if written is None else written)
        for value in rest:
            self.add_item(item, [item], value, flow=flow)

    def discard(self, splices: list[Splice]) -> None:
        """Take changes back."""
        gone = set(map(id, splices))
        self.splices = [each for each in self.splices if id(each) not in gone]

    def remove_item(self, item: Span, items: list[Span], *, flow: bool) -> None:
        """Remove an item and, in block style, its lines."""
        if len(items) == 1:
            cannot("it is the only one")
        if flow:
            index = next(i for i, each in enumerate(items) if each is item)
            following = items[index + 1].start if index + 1 < len(items) else None
            self._remove_in_flow(item.start, item.end, following, items[index - 1].end)
            return
        dash = self.dash_of(item)
        start = line_start(self.text, dash)
        if self.text[start:dash].strip():
            cannot("lists in one line")
        self._remove_lines(start, item.end)

    def dash_of(self, item: Span) -> int:
        """Where the dash of an item of a block list stands."""
        start = line_start(self.text, item.start)
        if beside := _DASH_BEFORE.search(self.text, start, item.start):
            return beside.start()
        # The dash has a line of its own, some lines above.
        above = list(_DASH_ALONE.finditer(self.text, max(0, start - 2000), start))
        if not above:
            cannot("an item without a dash")
        return self.text.index("-", above[-1].start())

    # --- text

    def _below(self, above: Span) -> int:
        """Where something can be added below a value."""
        *_, last = above.parts()
        if last.style in ("|", ">") and last.end == len(self.text):
            # It had no last line break, and gets none by what is added.
            mark = last.start + 1
            self.put(mark, mark, "-" if self.text[mark] in "\r\n \t" else "")
        return self._end_of_line(above.end)

    def _end_of_line(self, at: int) -> int:
        """The end of the line on which something ends, behind its comment."""
        end = line_end(self.text, at)
        rest = self.text[at:end].strip()
        return end if not rest or rest.startswith("#") else cannot("something stands beside it")

    def _remove_lines(self, start: int, end: int) -> None:
        """Remove whole lines, with the line break above them: one below may not be there."""
        end = self._end_of_line(end)
        if start == 0:
            self.put(start, next_line(self.text, end), "")
        else:
            self.put(start - (2 if self.text.endswith("\r\n", 0, start) else 1), end, "")

    def _remove_in_flow(self, start: int, end: int, following: int | None, before: int) -> None:
        first, last = (start, following) if following is not None else (before, end)
        if "#" in self.text[end : following or end] + self.text[before:start]:
            cannot("a comment stands beside it")
        self.put(first, last, "")


def unchanged_ends(old: Any, new: Any) -> tuple[int, int]:
    """How many parts at the start and at the end of two lists are the same."""
    most = min(len(old), len(new))
    head = next((i for i in range(most) if not same(old[i], new[i])), most)
    rest = most - head
    tail = next((i for i in range(rest) if not same(old[-1 - i], new[-1 - i])), rest)
    return head, tail
