"""Where a line of a text stands in the file, when the text is written as a block below its key."""

from __future__ import annotations

import re

from .events import Place

_HEADER = re.compile(r"\|(?P<indent>[1-9])?[-+]?(?P<more>[1-9])?\s*(#.*)?$")
_FIRST_WORD = re.compile(r"\S")


def place_in_block(text: str, key: Place, within: Place) -> Place | None:
    """The line and column of what stands at `within` in the text whose key is at `key`.

    None when the text is no `|` block: only there a line of the text is a line of the file.
    """
    lines = text.split("\n")
    line, column = key
    if line > len(lines) or not (header := _HEADER.search(lines[line - 1], column - 1)):
        return None
    if header["indent"] or header["more"]:
        return None
    written = (_FIRST_WORD.search(each) for each in lines[line:])
    indent = next((found.start() for found in written if found), 0)
    return line + within[0], indent + within[1]
