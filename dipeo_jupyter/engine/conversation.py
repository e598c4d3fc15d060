"""A run's conversation as people look at it: who said what to whom, and who still sees it.

The order is that of the flow, whoever was first. A person is asked in *turns*; what it was shown in
a turn, and what it said then, it knows by the end of it. A turn that lies behind one that knew a
message, and was not shown it, has forgotten it: parallel turns forget nothing of each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..protocol import events as e
from ..protocol.conversation import Said
from .child import Spot
from .loading import Compile, Loaded, fold
from .moments import Activation, Moment
from .ports import Journal
from .state import ExecutionState

_PLACE = re.compile(r"(?P<activation>.*\])(\.\d+)*(#[0-9a-f]{8})?", re.DOTALL)


def conversation_of(journal: Journal, execution_id: e.ExecutionId, compile_: Compile) -> list[Said]:
    """All that was said in a run so far, and before it; raises `DiagramError` as `fold` does."""
    loaded = fold(journal.read(execution_id), compile_)
    turns = _Turns(journal, compile_)
    turns.add(execution_id, loaded)
    minds = [_Mind(person, turns.of(person)) for person in turns.persons()]
    before = loaded.state.before
    return [
        Said(
            message=message,
            activation=_activation(message),
            earlier=message in before,
            seen_by=tuple(mind.person for mind in minds if mind.sees(message)),
            forgotten={
                mind.person: forgot
                for mind in minds
                if (forgot := mind.forgot(message)) is not None
            },
        )
        for message in dict.fromkeys((*before, *_said(loaded)))
    ]


def _said(loaded: Loaded) -> Iterable[e.Message]:
    for activation in _in_order(loaded.state, loaded.activations):
        yield from activation.messages


def _in_order(state: ExecutionState, activations: Mapping[str, Activation]) -> Sequence[Activation]:
    return sorted(activations.values(), key=state.flow_key)


def _activation(message: e.Message) -> str:
    """The activation that a message's id is made of."""
    found = _PLACE.fullmatch(message.id)
    return found["activation"] if found else message.id


@dataclass(slots=True, eq=False)
class _Turn:
    """A person was asked. `bit` stands for it in sets of turns, `behind` are those before it."""

    name: str
    person: str
    knew: frozenset[str]
    bit: int
    behind: int = 0


@dataclass(slots=True)
class _Turns:
    """The turns of a run and of its parts, in the order of the flow."""

    journal: Journal
    compile: Compile
    all: list[_Turn] = field(default_factory=list)

    def persons(self) -> list[str]:
        return list(dict.fromkeys(turn.person for turn in self.all))

    def of(self, person: str) -> list[_Turn]:
        return [turn for turn in self.all if turn.person == person]

    def add(self, execution_id: e.ExecutionId, loaded: Loaded) -> list[_Turn]:
        """Take in a run, and return what this has added."""
        began = len(self.all)
        parts = self._parts(execution_id)
        path = execution_id.partition("/")[2]
        done = {
            f"{entry.event.node}[{entry.event.activation}]": entry.event
            for entry in loaded.entries[loaded.edited :]
            if isinstance(entry.event, e.NodeCompleted)
        }
        labels = loaded.state.program.labels
        added: dict[int, list[_Turn]] = {}
        for each in _in_order(loaded.state, loaded.activations):
            name = f"{labels[each.node]}[{each.number}]"
            inside = [
                turn
                for part in parts.get(name, ())
                for turn in self.add(part, fold(self.journal.read(part), self.compile))
            ]
            event = done.get(name)
            if event is not None and event.person is not None:
                inside.append(self._turn(f"{path}/{name}" if path else name, event.person, event))
            added[id(each)] = inside
        own = {key: _union(turn.bit for turn in turns) for key, turns in added.items()}
        behind: dict[int, int] = {}
        for each in loaded.activations.values():
            before = _behind(each, own, behind)
            for turn in added[id(each)]:
                turn.behind |= before
        return self.all[began:]

    def _turn(self, name: str, person: str, event: e.NodeCompleted) -> _Turn:
        own = (message.id for message in event.messages if message.sender == person)
        turn = _Turn(name, person, frozenset((*event.seen, *own)), 1 << len(self.all))
        self.all.append(turn)
        return turn

    def _parts(self, execution_id: e.ExecutionId) -> dict[str, list[e.ExecutionId]]:
        """The parts of a run, by the activation that they belong to, in their order."""
        spots = {
            each.execution_id: Spot.of(each.execution_id, execution_id)
            for each in self.journal.runs(f"{execution_id}/")
            if each.parent == execution_id
        }
        found: dict[str, list[e.ExecutionId]] = {}
        for part, spot in sorted(spots.items(), key=lambda each: each[1].item or 0):
            found.setdefault(f"{spot.label}[{spot.number}]", []).append(part)
        return found


class _Mind:
    """What a person knows, as far as its turns tell."""

    def __init__(self, person: str, turns: Sequence[_Turn]) -> None:
        self.person = person
        self._turns = turns
        earlier = _union(turn.behind for turn in turns)
        self._last = _union(turn.bit for turn in turns if not turn.bit & earlier)
        self._knew: dict[str, int] = {}
        for turn in turns:
            for message in turn.knew:
                self._knew[message] = self._knew.get(message, 0) | turn.bit

    def sees(self, message: e.Message) -> bool:
        """Whether the person knew a message when it was last asked."""
        return bool(self._knew.get(message.id, 0) & self._last)

    def forgot(self, message: e.Message) -> str | None:
        """Its first turn that did not know a message any more; None when there is none."""
        knew = self._knew.get(message.id, 0)
        forgot = (turn for turn in self._turns if knew & turn.behind and not knew & turn.bit)
        return next((turn.name for turn in forgot), None)


def _union(sets: Iterable[int]) -> int:
    union = 0
    for each in sets:
        union |= each
    return union


def _behind(moment: Moment, own: Mapping[int, int], known: dict[int, int]) -> int:
    """The turns before a moment; `own` are those of each activation, `known` is added to."""
    todo = [moment]
    while todo:
        each = todo[-1]
        if id(each) not in known:
            unknown = [cause for cause in each.causes if id(cause) not in known]
            todo.extend(unknown)
            if unknown:
                continue
            known[id(each)] = _union(
                known[id(cause)] | own.get(id(cause), 0) for cause in each.causes
            )
        todo.pop()
    return known[id(moment)]
