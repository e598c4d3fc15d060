"""A run that is a part of another: where it stands, what it costs, and what it tells the whole."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..diagram.model import Label
from ..errors import ChildError
from ..protocol import events as e
from ..protocol.spending import Spending
from .context import PartDone
from .execution import AFTER_THE_END, Execution
from .moments import Moment
from .node import ChildResult
from .ports import Journal
from .program import Program
from .reuse import Past
from .state import ExecutionState

_STANDS_AT = re.compile(r"(?P<label>.*)\[(?P<number>\d+)\](\.(?P<item>\d+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a part stands in its whole: the activation, and of several parts which."""

    label: Label
    number: int
    item: int | None = None

    def __str__(self) -> str:
        item = "" if self.item is None else f".{self.item}"
        return f"{self.label}[{self.number}]{item}"

    @classmethod
    def of(cls, part: e.ExecutionId, whole: e.ExecutionId) -> Spot:
        """The spot that an id stands for."""
        found = _STANDS_AT.fullmatch(part.removeprefix(f"{whole}/"))
        assert found is not None, part
        item = None if found["item"] is None else int(found["item"])
        return cls(found["label"], int(found["number"]), item)


@dataclass(slots=True)
class Tally:
    """What a part has cost since it was last given its diagram."""

    made: int = 0
    reused: int = 0
    spending: Spending = field(default_factory=Spending)

    @property
    def usage(self) -> e.Usage | None:
        return self.spending.total if self.spending.by_activation else None

    def count(self, event: e.AnyEvent) -> None:
        match event:
            case e.EffectCompleted(reused=True):
                self.reused += 1
            case e.EffectCompleted():
                self.made += 1
            case e.NodeCompleted(cached=cached):
                self.reused += cached
            case e.ExecutionEdited():
                self.made, self.reused, self.spending = 0, 0, Spending()
            case _:
                pass
        self.spending.follow(event)


class Child(Execution):
    """A run that is a part of `whole`; while it is `attended`, the whole waits for its end."""

    whole: Execution

    def __init__(
        self, whole: Execution, spot: Spot, program: Program, journal: Journal, past: Past
    ) -> None:
        super().__init__(
            f"{whole.execution_id}/{spot}",
            program,
            whole.services,
            journal,
            whole.clock,
            past=past,
            parts=whole.parts,
            observers=whole.observers,
        )
        self.whole, self.spot, self.purse = whole, spot, whole.purse
        self.attended = False
        self.ended = asyncio.Event()
        self.tally = Tally()

    def restore(self, state: ExecutionState, entries: list[e.Entry]) -> None:
        super().restore(state, entries)
        for entry in entries:
            self.tally.count(entry.event)
        if state.over:
            self.ended.set()

    def record(self, event: e.AnyEvent) -> None:
        """Make something so here, and then in the whole: whoever reads it later finds it here."""
        if self.state.over and not isinstance(event, AFTER_THE_END):
            return
        super().record(event)
        self.tally.count(event)
        if self.state.over:
            self.ended.set()
        else:
            self.ended.clear()
        self._tell(event)

    def node_of_whole(self, node: int) -> int:
        return self.whole.node_of_whole(self.whole.program.index[self.spot.label])

    @property
    def granted(self) -> Collection[str]:
        return (*self.state.granted, *self.whole.granted)

    def go_on(self) -> None:
        """Start, or go on, unless there is nothing left to do."""
        if self.state.status == "failed" or not self.state.over:
            self.resume()

    def asking(self) -> Iterator[tuple[int, str, e.Question]]:
        """The open questions: the node, the activation's name in the whole, what is asked."""
        for node, question in self.state.questions.items():
            if node in self.state.running:
                name = self._name(self.program.labels[node], self.state.running[node].number)
                yield node, name, question

    def done(self) -> PartDone:
        """What came of it, good or bad."""
        result = ChildResult(self.state.outputs, tuple(said_in(self.state)))
        tally = self.tally
        return PartDone(result, tally.made, tally.reused, tally.usage, failure_of(self))

    def catch_up(self, entries: list[e.Entry]) -> None:
        """Tell the whole of an answer that came here just before the process ended."""
        open_ = {name for _, name, _ in self.asking()}
        for event in (entry.event for entry in entries):
            if isinstance(event, e.InputReceived):
                name = self._name(event.node, event.activation)
                if name not in open_:
                    self._answered(name, event.value)

    def _answered(self, name: str, value: Any) -> None:
        spot, whole = self.spot, self.whole
        node = whole.program.index.get(spot.label, -1)
        if node in whole.state.questions and whole.state.asked_by.get(node) == name:
            whole.record(e.InputReceived(node=spot.label, activation=spot.number, value=value))

    def _tell(self, event: e.AnyEvent) -> None:
        spot, whole = self.spot, self.whole
        match event:
            # Of many, the node itself says how far it is.
            case e.NodeCompleted() if self.attended and spot.item is None:
                whole.record(
                    e.NodeProgress(
                        node=spot.label,
                        activation=spot.number,
                        message=f"{event.node}[{event.activation}] done",
                    )
                )
            case e.InputRequired() | e.ExecutionRecovered():
                show_question(whole, spot)
            case e.InputReceived(node=label, activation=number, value=value):
                self._answered(self._name(label, number), value)
                show_question(whole, spot)
            case _:
                pass

    def _name(self, label: Label, number: int) -> str:
        return f"{self.path}/{label}[{number}]"


def children_of(whole: Execution) -> list[Child]:
    """Its parts that are held."""
    return [child for child in whole.children.values() if isinstance(child, Child)]


def show_question(whole: Execution, spot: Spot) -> None:
    """Let the whole ask what its parts ask, one question after the other."""
    node = whole.program.index.get(spot.label, -1)
    activation = whole.state.running.get(node)
    if activation is None or activation.number != spot.number:
        return
    open_ = [
        (name, question)
        for child in children_of(whole)
        if child.attended and (child.spot.label, child.spot.number) == (spot.label, spot.number)
        for _, name, question in child.asking()
    ]
    shown = (whole.state.asked_by.get(node), whole.state.questions.get(node))
    if open_ and shown not in open_:
        name, question = open_[0]
        whole.record(
            e.InputRequired(
                node=spot.label, activation=spot.number, question=question, asked_by=name
            )
        )


def failure_of(run: Execution) -> ChildError | None:
    """Why a part has not come to its results; None when it has."""
    called = f"the diagram {run.program.diagram.name!r}" if run.program.diagram.name else "it"
    if run.state.status == "cancelled":
        return ChildError(f"{called} was cancelled")
    if run.state.status == "failed" and (error := run.state.error) is not None:
        where = "" if error.node is None else f" at {error.node}"
        where += "" if error.activation is None else f"[{error.activation}]"
        return ChildError(f"{called} failed{where}: {error.message}", details=error.details)
    return None


def said_in(state: ExecutionState) -> list[e.Message]:
    """All that was said in a run, in the order of the flow, and not known before."""
    end = Moment(tuple(last for last in state.last if last is not None))
    ordered = sorted((each for each in end.past() if each.messages), key=state.flow_key)
    said = dict.fromkeys(message for each in ordered for message in each.messages)
    known = set(state.before)
    return [message for message in said if message not in known]
