"""Writes sections of a light file, and puts items into its lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .outline import Items, Outline
from .spans import Span, line_end
from .splicing import Splicing
from .styles import write_entry


class Sections:
    """The top-level entries of a text, as far as they are written anew."""

    def __init__(self, outline: Outline, cut: Splicing) -> None:
        self._outline, self._cut = outline, cut

    def write(self, name: str, value: Any) -> None:
        """Write a section anew; where there is none, it is added at the end."""
        found = self._outline.top(name)
        if found is None:
            self.append(name, value)
        else:
            self._cut.replace(beside(found[0]), *found, value)

    def append(self, name: str, value: Any) -> None:
        """Add a section at the end."""
        text = self._outline.text
        end = line_end(text, self._outline.last_top())
        gap = "\n\n" if "\n\n" in text.replace("\r\n", "\n") else "\n"
        self._cut.put(end, end, f"{gap}{write_entry(name, value, 0)}")

    def exchange(
        self, name: str, items: Items, gone: Sequence[int], added: Sequence[Any], at: int
    ) -> None:
        """Remove some items of a section's list, or add some before the item `at`."""
        if not gone and not added:
            return
        if len(gone) == items.count:
            self.write(name, list(added))
            return
        # An item in block style is known apart from its neighbours.
        near = items.every() if items.flow else [items.item(max(at - 1, 0))] * 2
        for index in gone:
            self._cut.remove_item(items.item(index), near, flow=items.flow)
        above = items.item(at - 1) if at else None
        for value in added:
            self._cut.add_item(above, near, value, flow=items.flow)


def beside(key: Span) -> Span:
    """The top level as the map that a key is in."""
    return Span("map", key.start, key.end)
