"""Runs as their entries have left them: the state, and what they leave to those after them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ..diagram.model import Diagram
from ..diagram.suggest import did_you_mean
from ..errors import CommandError
from ..protocol import events as e
from .moments import Activation
from .ports import Journal
from .program import Program
from .reuse import NOTHING, Past, activation_name, past_of
from .state import ExecutionState

Compile = Callable[[Diagram], Program]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A run out of its entries. `activations` are all firings since the last edit, by name."""

    entries: list[e.Entry]
    state: ExecutionState
    activations: Mapping[str, Activation]
    edited: int
    """The place of the last edit among the entries; 0 when there was none."""

    @property
    def started(self) -> e.ExecutionStarted:
        first = self.entries[0].event
        assert isinstance(first, e.ExecutionStarted)
        return first


def fold(entries: Sequence[e.Entry], compile_: Compile) -> Loaded:
    """Add up the entries of a run; raises `DiagramError` when its diagram no longer compiles."""
    first = entries[0].event
    if not isinstance(first, e.ExecutionStarted):
        message = f"The journal of {entries[0].execution_id} does not begin with its start."
        raise CommandError(message, code="broken_journal")
    state = ExecutionState(compile_(first.diagram))
    activations: dict[str, Activation] = {}
    edited = 0
    for place, entry in enumerate(entries):
        match entry.event:
            case e.ExecutionEdited() as event:
                state = state.edited(compile_(event.diagram), event)
                activations, edited = {}, place
            case e.NodeStarted(node=node, activation=number) as event:
                state.apply(event)
                activations[f"{node}[{number}]"] = state.running[state.program.index[node]]
            case event:
                state.apply(event)
    return Loaded(list(entries), state, activations, edited)


def past_of_run(journal: Journal, loaded: Loaded, compile_: Compile) -> Past:
    """What a run took over when it began, or at its last edit; the same whenever it is asked."""
    start = loaded.started
    if not loaded.edited:
        return past_of_fork(journal, start, compile_)
    event = loaded.entries[loaded.edited].event
    assert isinstance(event, e.ExecutionEdited)
    begun = past_of_fork(journal, start, compile_)
    own = loaded.entries[: loaded.edited]
    return past_of(
        [*lineage(journal, start.origin), *own],
        keep=standing(own, begun.outcomes) if event.keep else (),
        fresh=begun.fresh - past_of(own).known.keys(),  # what was to be done anew is, once
        values=event.values,
    )


def standing(entries: Sequence[e.Entry], held: Collection[str] = ()) -> set[str]:
    """The activations whose results stand; an edit takes back all that it does not keep."""
    found = set(held)
    for entry in entries:
        match entry.event:
            case e.ExecutionEdited(keep=False):
                found.clear()
            case e.NodeCompleted() | e.NodeFailed() as event if event.outputs is not None:
                found.add(f"{event.node}[{event.activation}]")
            case _:
                pass
    return found


def past_after(
    journal: Journal, execution_id: e.ExecutionId, event: e.ExecutionEdited, compile_: Compile
) -> Past:
    """What a run takes over when this edit is the next thing that happens to it."""
    entries = list(journal.read(execution_id))
    loaded = fold(entries, compile_)
    loaded.entries.append(e.Entry(execution_id, len(entries) + 1, 0.0, event))
    return past_of_run(journal, replace(loaded, edited=len(entries)), compile_)


def past_of_fork(journal: Journal, start: e.ExecutionStarted, compile_: Compile) -> Past:
    """What a new run takes over from the run it comes from."""
    if start.origin is None:
        return past_of((), keep=(), values=start.values) if start.values else NOTHING
    entries = lineage(journal, start.origin)
    if not start.origin.at:
        return past_of(entries, keep=(), values=start.values)
    own = [each for each in entries if each.execution_id == start.origin.execution_id]
    loaded = fold(own, compile_)
    at = {find_activation(name, loaded.activations) for name in start.origin.at}
    keep = behind([loaded.activations[name] for name in at], loaded.state.program)
    return past_of(entries, keep=keep, fresh=at, values=start.values)


def lineage(journal: Journal, origin: e.Origin | None) -> list[e.Entry]:
    """The entries of the runs from which a run has come, the oldest first."""
    runs: list[Sequence[e.Entry]] = []
    while origin is not None:
        entries = journal.read(origin.execution_id)
        if not entries:
            message = f"The run {origin.execution_id} is needed, and is not kept any more."
            raise CommandError(message, code="unknown_execution")
        last = origin.seq
        runs.append(entries if last is None else [each for each in entries if each.seq <= last])
        first = entries[0].event
        origin = first.origin if isinstance(first, e.ExecutionStarted) else None
    return [entry for entries in reversed(runs) for entry in entries]


def find_activation(name: str, activations: Collection[str]) -> str:
    """The full name of an activation; `argue` alone is the last firing of that node."""
    if name in activations:
        return name
    firings = [each for each in activations if each.rpartition("[")[0] == name]
    if firings:
        return firings[-1]
    hint = did_you_mean(name, activations)
    message = f"There is no activation {name!r} in this run."
    raise CommandError(message, code="unknown_activation", hint=hint)


def behind(points: Sequence[Activation], program: Program) -> set[str]:
    """All that happened before these activations, and depends on none of them."""
    chosen = set(map(id, points))
    past = {id(each): each for point in points for each in point.past()}
    return {
        activation_name(program.labels, each)
        for key, each in past.items()
        if key not in chosen
        and each.number
        and not any(id(earlier) in chosen for earlier in (each.past() if len(points) > 1 else ()))
    }
