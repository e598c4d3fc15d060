"""Bursts of events in one row: what a run without effects records, thousands of times a second.

The writer's thread shares the interpreter with the event loop. A row for each event costs it three
times what a place in a list does; so the plainest events, when many come at once, share a row of
the type `several`. Its number is that of the first of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...protocol import events as e
from .encoding import SHORT

SEVERAL = "several"
MOST = 256
"""Events in one row: to read one of them, all are read."""

_STARTED, _COMPLETED, _FIRED = range(3)
"""A node's start, its end, and both when nothing came between them."""
_SCALARS = frozenset({bool, int, float, type(None)})
_EMPTY = (dict, list)
"""Short when there is nothing in them."""


def burst(entries: Sequence[e.Entry]) -> tuple[list[list[Any]], int]:
    """The places in one row of as many of the first entries as can be there together: how many.

    What a user calls `$` is not looked for: it would be in the text, where that takes no time.
    """
    # On the hot path, and so without calls for what is nearly always there.
    places: list[list[Any]] = []
    run, begun, count = entries[0].execution_id, None, 0
    values: Mapping[str, Any]
    duration: float | None
    for execution_id, _, time, event in entries:
        if execution_id != run:
            break
        if type(event) is e.NodeStarted:
            values, duration = event.inputs, None
        elif type(event) is e.NodeCompleted and not (
            event.messages
            or event.seen
            or event.cached
            or event.person is not None
            or event.usage is not None
        ):
            values, duration = event.outputs, event.duration_ms
        else:
            break
        for value in values.values():
            if type(value) not in _SCALARS and not _is_short(value):
                return places, count
        if duration is None:
            # A plain dict: pydantic takes four times as long for one of its subclasses.
            places.append([time, _STARTED, event.node, event.activation, dict(values)])
            begun = event
        elif begun and begun.node == event.node and begun.activation == event.activation:
            place = places[-1]
            place[1] = _FIRED
            place += values, duration, time
            begun = None
        else:
            node, activation = event.node, event.activation
            places.append([time, _COMPLETED, node, activation, values, duration])
            begun = None
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
