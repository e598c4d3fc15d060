"""Bursts of events in one row: what a run without effects records, thousands of times a second.

The writer's thread shares the interpreter with the event loop. A row for each event costs it three
times what a place in a list does; so the plainest events, when many come at once, share a row of
the type `several`. Its number is that of the first of them.

Their text is made on the event loop as soon as there are enough for a row: what they hold is still
in the cache of its processor, and the thread would take twice as long for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from ...protocol import events as e
from .encoding import SHORT, is_marked, to_text

SEVERAL = "several"
MOST = 256
"""Events in one row: to read one of them, all are read."""
_FEWEST = MOST // 2
"""Events that are looked at at one go, at least."""

_STARTED, _COMPLETED, _FIRED = range(3)
"""A node's start, its end, and both when nothing came between them."""
_SCALARS = frozenset({bool, float, type(None)})
_LONG = 2**63
"""Integers beyond this have as many digits as they like, and readers have not."""
_EMPTY = (dict, list)
"""Short when there is nothing in them."""


class Burst(NamedTuple):
    """So many events share a row with this body; without one, each needs a row of its own."""

    events: int
    body: str | None


Row: TypeAlias = tuple[Sequence[e.Entry], str | None]
"""Entries of one run that share a row, and its body; None when each has a row of its own."""


class Bursts:
    """Those whose text is made already, by the position of their first entry in the journal.

    `gather` belongs to the event loop, all else to the writer's thread.
    """

    def __init__(self) -> None:
        self._made: dict[int, Burst] = {}
        self._next = 0
        """The position of the first entry that was not looked at."""
        self.due = MOST
        """As soon as the journal ends here, there is something to gather."""

    def next(self, taken: int) -> int:
        """Where to go on: what was `taken` by the thread is none of ours any more."""
        return max(self._next, taken)

    def gather(self, entries: Sequence[e.Entry], first: int) -> None:
        """Make the texts of entries, as far as there are enough of them; `first` is their place."""
        at = 0
        while at < _FEWEST and len(entries) - at >= _FEWEST:
            burst = burst_of(entries[at : at + MOST])
            if burst.body is not None:
                self._made[first + at] = burst
            at += burst.events
        self._next = first + at
        self.due = self._next + MOST

    def rows(self, entries: Sequence[e.Entry], first: int) -> Iterator[Row]:
        """The entries as they share rows; `first` is their place."""
        made, end = self._made.copy(), len(entries)
        starts = iter(sorted(start - first for start in made))
        at, start = 0, -1
        while at < end:
            while start <= at:
                start = next(starts, end)
            burst = made.get(first + at)
            if burst is None or at + burst.events > end:
                burst = burst_of(entries[at : min(at + MOST, start)])
            yield entries[at : at + burst.events], burst.body
            at += burst.events

    def forget(self, written: int) -> None:
        """Up to this position all is safe."""
        for start in [*self._made]:
            if start < written:
                del self._made[start]


def burst_of(entries: Sequence[e.Entry]) -> Burst:
    """As many of the first entries as can share a row."""
    places, count = _places(entries)
    if count > 1 and not is_marked(text := to_text(places)):
        return Burst(count, text)
    return Burst(max(1, count), None)


def _places(entries: Sequence[e.Entry]) -> tuple[list[list[Any]], int]:
    """The places in one row of as many of the first entries as can be there together: how many.

    What a user calls `$` is not looked for: it would be in the text, where that takes no time.
    """
    # On the hot path, and so without calls for what is nearly always there.
    places: list[list[Any]] = []
    run, begun, count = entries[0].execution_id, None, 0
    for execution_id, _, time, event in entries:
        if execution_id != run:
            break
        if type(event) is e.NodeStarted:
            for value in event.inputs.values():
                kind = type(value)
                if (
                    (kind is not int or not -_LONG < value < _LONG)
                    and kind not in _SCALARS
                    and not _is_short(value)
                ):
                    return places, count
            # A plain dict: pydantic takes four times as long for one of its subclasses.
            place = [time, _STARTED, event.node, event.activation, {**event.inputs}]
            places.append(place)
            begun = event
        elif type(event) is e.NodeCompleted and not (
            event.messages
            or event.seen
            or event.cached
            or event.person is not None
            or event.usage is not None
        ):
            for value in event.outputs.values():
                kind = type(value)
                if (
                    (kind is not int or not -_LONG < value < _LONG)
                    and kind not in _SCALARS
                    and not _is_short(value)
                ):
                    return places, count
            node, activation = event.node, event.activation
            if begun and begun.node == node and begun.activation == activation:
                place[1] = _FIRED
                place += event.outputs, event.duration_ms, time
            else:
                places.append(
                    [time, _COMPLETED, node, activation, event.outputs, event.duration_ms]
                )
            begun = None
        else:
            break
        count += 1
    return places, count


def events_of(first: int, places: list[Any]) -> Iterator[tuple[int, float, e.AnyEvent]]:
    """Number, time and event of each; raises `ValueError` for what is none of these."""
    seq = first
    for time, kind, node, activation, values, *rest in places:
        if not (isinstance(node, str) and type(activation) is int and isinstance(values, dict)):
            raise ValueError(f"entry {seq} is no event")
        if kind == _STARTED and not rest:
            yield seq, float(time), e.NodeStarted(node, activation, values)
        elif kind == _COMPLETED and len(rest) == 1:
            yield seq, float(time), _completed(node, activation, values, *rest)
        elif kind == _FIRED and len(rest) == 3:  # noqa: PLR2004 - outputs, duration, time
            yield seq, float(time), e.NodeStarted(node, activation, values)
            seq += 1
            outputs, duration, over = rest
            yield seq, float(over), _completed(node, activation, outputs, duration)
        else:
            raise ValueError(f"entry {seq} is no event")
        seq += 1


def _completed(node: str, activation: int, outputs: Any, duration: Any) -> e.NodeCompleted:
    if not (isinstance(outputs, dict) and isinstance(duration, int | float)):
        raise TypeError("it is no event")
    return e.NodeCompleted(node, activation, outputs, duration_ms=float(duration))


def _is_short(value: Any) -> bool:
    kind = type(value)
    return (kind is str and len(value) <= SHORT) or (kind in _EMPTY and not value)
