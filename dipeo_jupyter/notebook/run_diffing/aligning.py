"""Which activations of two runs are the same, and in what order they are told."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from ...diagram.model import Label
from ..history import ActivationRecord

Key: TypeAlias = tuple[Label, int]
"""An activation: its node, as it is called afterwards, and its number."""
_MESSAGE_ID = re.compile(r"(.+)(\[\d+\][^\[\]]*)", re.DOTALL)


def by_key(
    records: Iterable[ActivationRecord], names: Mapping[Label, Label]
) -> dict[Key, ActivationRecord]:
    """The activations in the order in which they began.

    Of one that was gone through again, after an error or an edit, the last time counts.
    """
    found: dict[Key, ActivationRecord] = {}
    for record in records:
        key = (names.get(record.node, record.node), record.number)
        found.pop(key, None)
        found[key] = record
    return found


def in_order(before: Mapping[Key, object], after: Mapping[Key, object]) -> Iterator[Key]:
    """The order of the first run; what is only in the second follows what it followed there."""
    followers: dict[Key | None, list[Key]] = defaultdict(list)
    last: Key | None = None
    for key in after:
        if key in before:
            last = key
        else:
            followers[last].append(key)
    yield from followers[None]
    for key in before:
        yield key
        yield from followers[key]


def renamed_id(message_id: str, names: Mapping[Label, Label]) -> str:
    """The id of a message (`argue[2].0`) as it is when its node has its new name."""
    found = _MESSAGE_ID.fullmatch(message_id)
    return names.get(found[1], found[1]) + found[2] if found else message_id
