"""What a node is given, and what it hands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...diagram.model import DEFAULT
from ...protocol.events import Message


class Inputs(dict[str, Any]):
    """The values that arrived, by name: the edge's label, else `default`.

    Two unlabelled edges arrive under the labels of their sources, and neither overwrites the other.
    """

    __slots__ = ()

    def single(self) -> Any:
        """The one value there is: `default`, or the only one, or all of them by name."""
        if DEFAULT in self:
            return self[DEFAULT]
        if len(self) == 1:
            return next(iter(self.values()))
        return dict(self) if self else None

    def by_name(self) -> dict[str, Any]:
        """All of them; the keys of an unlabelled object are names too, where no label is."""
        unlabelled = self.get(DEFAULT)
        return {**unlabelled, **self} if isinstance(unlabelled, dict) else dict(self)


@dataclass(slots=True)  # not frozen: it is made for every activation, in a third of the time
class Result:
    """What a node hands on: one JSON value for each handle it chose. Other handles are dead."""

    outputs: Mapping[str, Any]
    person: str | None = None
    messages: tuple[Message, ...] = ()
    seen: tuple[str, ...] = ()

    @classmethod
    def value(cls, value: Any) -> Result:
        """Hand on one value by the default handle."""
        return cls({DEFAULT: value})

    @classmethod
    def branch(cls, handle: str, value: Any) -> Result:
        """Hand on a value by one handle only."""
        return cls({handle: value})
