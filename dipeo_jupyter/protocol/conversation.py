"""What is told of a run's conversation."""

from __future__ import annotations

from .events import Fact, Message


class Said(Fact):
    """One message as it stands in a run's conversation, which is in the order of the flow.

    It is of an `activation` (`argue[2]`), or `earlier` than the run. `seen_by` are the persons who
    knew it when they were last asked: they were shown it, or have said it. `forgotten` has, by
    person, the first activation of those that had known it once, and were not shown it any more.
    """

    message: Message
    activation: str
    earlier: bool = False
    seen_by: tuple[str, ...] = ()
    forgotten: dict[str, str] = {}
