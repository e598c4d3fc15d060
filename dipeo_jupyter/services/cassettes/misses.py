"""Why a request has no answer on a cassette: the most similar recording, and what differs."""

from __future__ import annotations

import difflib
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from ...diagram.yaml.writer import write_yaml
from .text import Recording, Request

MOST_LINES = 30
LONGEST_LINE = 90
_AROUND = 2


def explain_miss(request: Request, recordings: Sequence[Recording]) -> str:
    """What is most like a request among what was recorded, and a diff of the two."""
    if not recordings:
        return "Nothing is recorded there."
    words = Counter(_text(request).split())
    _, position = max((_likeness(words, each), -i) for i, each in enumerate(recordings))
    nearest = recordings[-position]
    where = f" (line {nearest.line})" if nearest.line else ""
    lines = list(islice(_difference(nearest.request, request), MOST_LINES + 1))
    more = ["…"] if len(lines) > MOST_LINES else []
    first = f"The nearest is recording {1 - position}{where}:"
    return "\n".join([first, *lines[:MOST_LINES], *more])


def _likeness(words: Counter[str], recording: Recording) -> float:
    other = Counter(_text(recording.request).split())
    return 2 * (words & other).total() / (words.total() + other.total())


def _difference(recorded: Request, asked: Request) -> Iterator[str]:
    before, after = (list(_lines(each)) for each in (recorded, asked))
    return difflib.unified_diff(before, after, "recorded", "asked", n=_AROUND, lineterm="")


def _lines(request: Request) -> Iterator[str]:
    """The lines of a request; those of a long line too, so that the place that differs is seen."""
    for line in _text(request).splitlines():
        yield from textwrap.wrap(line, LONGEST_LINE, drop_whitespace=False, expand_tabs=False) or [
            ""
        ]


def _text(request: Request) -> str:
    return "".join(write_yaml({name: value}) for name, value in request.items())
