"""What all events have in common, and how their classes are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, TypeVar, dataclass_transform

from pydantic import ConfigDict

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def fact(cls: type[T]) -> type[T]:
    """Make an event class: plain data that the type checker keeps anybody from changing.

    Two are made for every activation, and freezing them at run time as well would cost more than
    all the rest of making them. What comes from outside is checked by `event_adapter`.
    """
    return dataclass(slots=True, kw_only=True)(cls)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frequent_fact(cls: type[T]) -> type[T]:
    """The same, made by position: that takes half the time."""
    return dataclass(slots=True)(cls)


@fact
class Event:
    """Base of all events. Ephemeral events are shown, but not journaled and not numbered."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    ephemeral: ClassVar[bool] = False
