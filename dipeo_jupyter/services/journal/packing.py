"""Bursts of events in one row: what a run without effects records, thousands of times a second.

The writer's thread shares the interpreter with the event loop. A row for each event costs it three
times what a place in a list does; so the plainest events, when many come at once, share a row of
the type `several`. Its number is that of the first of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...protocol import events as e
from .encoding import MARK, SHORT

SEVERAL = "several"
MOST = 256
"""Events in one row: to read one of them, all are read."""

_STARTED, _COMPLETED = 0, 1
_SCALARS = (bool, float, type(None))
_EMPTY = (dict, list)
"""Plain when there is nothing in them."""
_SMALL = 2**53


def burst(entries: Sequence[e.Entry]) -> list[list[Any]]:
    """The places in one row of as many of the first entries as can be there together."""
    places: list[list[Any]] = []
    values: Mapping[str, Any]
    run = entries[0].execution_id
    for execution_id, _, time, event in entries:
        if execution_id != run:
            break
        if type(event) is e.NodeStarted:
            # A plain dict: pydantic takes four times as long for one of its subclasses.
            values = dict(event.inputs)
            place = [time, _STARTED, event.node, event.activation, values]
        elif type(event) is e.NodeCompleted and not (
            event.messages
            or event.seen
            or event.cached
            or event.person is not None
            or event.usage is not None
        ):
            values = event.outputs
            place = [time, _COMPLETED, event.node, event.activation, values, event.duration_ms]
        else:
            break
        if not _is_plain(values):
            break
        places.append(place)
    return places


def events_of(first: int, places: list[Any]) -> Iterator[tuple[int, float, e.AnyEvent]]:
    """Number, time and event of each; raises `ValueError` for what is none of these."""
    for seq, (time, kind, node, activation, values, *rest) in enumerate(places, first):
        if not (isinstance(node, str) and type(activation) is int and isinstance(values, dict)):
            raise ValueError(f"entry {seq} is no event")
        event: e.AnyEvent
        if kind == _STARTED and not rest:
            event = e.NodeStarted(node=node, activation=activation, inputs=values)
        elif kind == _COMPLETED and len(rest) == 1 and isinstance(rest[0], int | float):
            event = e.NodeCompleted(
                node=node, activation=activation, outputs=values, duration_ms=float(rest[0])
            )
        else:
            raise ValueError(f"entry {seq} is no event")
        yield seq, float(time), event


def _is_plain(values: Mapping[str, Any]) -> bool:
    if MARK in values:
        return False
    for value in values.values():
        kind = type(value)
        if kind is str:
            if len(value) > SHORT:
                return False
        elif kind is int:
            if not -_SMALL < value < _SMALL:
                return False
        elif kind not in _SCALARS and (value or kind not in _EMPTY):
            return False
    return True
