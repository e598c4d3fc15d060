"""The events of a YAML text, in small portions, and the limits within which it is read at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import Event, ScalarEvent
from ruamel.yaml.scanner import Scanner

from ...errors import DiagramError, Problem
from .mistakes import explain

MAX_TEXT = 2_000_000
"""Characters of text, and also characters that all its aliases together may stand for."""
MAX_EVENTS = 100_000
MAX_DEPTH = 40

Place: TypeAlias = tuple[int, int]
"""Line and column, both from 1."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def read_events(text: str, most: int = MAX_EVENTS) -> Iterator[Event]:
    """The events, as long as there are not more than `most`; depth is left to whoever nests them.

    Raises `DiagramError` for what is no YAML, with the line and what to do about it.
    """
    if len(text) > MAX_TEXT:
        raise too_large(f"The text has more than {MAX_TEXT:,} characters.")
    reader = YAML(typ="safe", pure=True)
    reader.Scanner = _Scanner
    try:
        for count, event in enumerate(reader.parse(text)):
            if count >= most:
                raise too_large(f"The text has more than {most:,} parts.", place_of(event))
            _refuse_half_characters(event)
            yield event
    # The last two come from escapes beyond the end of Unicode.
    except (YAMLError, OverflowError, ValueError) as error:
        raise DiagramError(explain(error, text)) from None


def place_of(event: Event) -> Place:
    """Where an event begins."""
    return event.start_mark.line + 1, event.start_mark.column + 1


def too_large(message: str, place: Place = (1, 1)) -> DiagramError:
    """A refusal of text that would cost too much to read."""
    return DiagramError(Problem("too_large", message).at(*place))


def too_deep(place: Place) -> DiagramError:
    """A refusal of text that is nested too deeply."""
    return too_large(f"This is nested more than {MAX_DEPTH} levels deep.", place)


class _Scanner(Scanner):
    """Counts open brackets itself, since events come only after a long and slow look ahead."""

    def fetch_flow_collection_start(self, *args: Any, **kwargs: Any) -> None:
        if len(self.flow_context) >= MAX_DEPTH:
            mark = self.reader.get_mark()
            raise too_deep((mark.line + 1, mark.column + 1))
        super().fetch_flow_collection_start(*args, **kwargs)


def _refuse_half_characters(event: Event) -> None:
    if isinstance(event, ScalarEvent) and _SURROGATE.search(event.value):
        message = "An escape here stands for half a character, which no text can hold."
        raise DiagramError(Problem("yaml_syntax", message).at(*place_of(event)))
