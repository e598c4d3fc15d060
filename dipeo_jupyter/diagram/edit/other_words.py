"""A block of text in which only some words are others now, its lines and spaces as they were."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

_WORD = re.compile(r"\S+")


def with_other_words(body: str, old: str, new: str) -> str | None:
    r"""The lines of a block that said `old`, with words of `new`; None if more must change.

    Whether they say `new` has still to be seen: blanks between the words may be others there.

    >>> with_other_words("  one\n  two  three\n", "one\ntwo  three\n", "one\n2  three\n")
    '  one\n  2  three\n'
    """
    here, was, now = (list(_WORD.finditer(text)) for text in (body, old, new))
    if [each[0] for each in here] != [each[0] for each in was]:
        return None
    pieces, at = [], 0
    for start, stop, first, last in _exchanged(was, now):
        if first == last or start == stop:
            return None
        pieces += [body[at : here[start].start()], new[now[first].start() : now[last - 1].end()]]
        at = here[stop - 1].end()
    return "".join([*pieces, body[at:]])


def _exchanged(
    was: list[re.Match[str]], now: list[re.Match[str]]
) -> Iterator[tuple[int, int, int, int]]:
    """Which words gave way to which, word by word where they are as many."""
    matcher = SequenceMatcher(None, [each[0] for each in was], [each[0] for each in now])
    for tag, start, stop, first, last in matcher.get_opcodes():
        if tag == "equal":
            continue
        if stop - start == last - first:
            yield from (
                (start + i, start + i + 1, first + i, first + i + 1) for i in range(stop - start)
            )
        else:
            yield start, stop, first, last
