"""What need not be done again: the results of effects, and of whole activations.

An *effect* costs or changes something: a call to a model, a job, a file, an answer of a human. Its
key says exactly what is done, and nothing else: what it is called, where it stands and what is
around it do not matter. The *lane* of an effect is the activation it belongs to; two samplers that
ask the same in two lanes shall get two answers, so a result is only taken from its own lane, or
from one that no longer exists in the diagram (its node was renamed or removed).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..protocol import events as e
from .moments import Activation
from .node import Node
from .ports import RecordedEffect

Outcome = e.NodeCompleted | e.NodeFailed


def key_of(request: Mapping[str, Any]) -> str:
    """A name for exactly this request; JSON values that are equal have the same."""
    text = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def path_of(execution_id: e.ExecutionId) -> str:
    """Where a run stands in the one it is a part of; nothing for a run of its own."""
    return execution_id.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Lane:
    """Whose effect it is: the run's path, node, activation, and the effect's name in it."""

    path: str
    node: str
    activation: int
    effect: str

    @property
    def place(self) -> tuple[str, int, str]:
        """All but the node: what stays when the node is renamed."""
        return self.path, self.activation, self.effect


def lane_of(recorded: RecordedEffect) -> Lane:
    """The lane in which a result was recorded."""
    path = path_of(recorded.execution_id)
    return Lane(path, recorded.node, recorded.activation, recorded.effect)


def choose(
    found: Iterable[RecordedEffect], lane: Lane, labels: Collection[str]
) -> RecordedEffect | None:
    """The result that may stand in for an effect; `found` has the newest first.

    That of its own lane, else the one of the only node that is not (no longer) among `labels`.
    """
    strangers: dict[str, RecordedEffect] = {}
    for each in found:
        where = lane_of(each)
        if where == lane:
            return each
        if where.place == lane.place and each.node not in labels:
            strangers.setdefault(each.node, each)
    return next(iter(strangers.values())) if len(strangers) == 1 else None


@dataclass(frozen=True, slots=True)
class Past:
    """What a run takes over from earlier: from another run, or from itself before an edit.

    `outcomes` hold whatever the diagram says now, by activation (`argue[2]`); `effects` hold when
    the same is to be done, by key. What is in `fresh` is done anew in any case. `values` are
    outputs given by hand.
    """

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    effects: Mapping[str, tuple[RecordedEffect, ...]] = field(default_factory=dict)
    fresh: frozenset[str] = frozenset()
    values: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, Outcome] = field(default_factory=dict)
    """The last outcome of every activation: what a value given by hand takes the place of."""

    def outcome(self, name: str, number: int, node: Node) -> Outcome | None:
        """How an activation ends without being run; None when it must run."""
        activation = f"{name}[{number}]"
        if activation in self.values:
            return _with_value(
                name, number, node, self.values[activation], self.known.get(activation)
            )
        outcome = self.outcomes.get(activation)
        if isinstance(outcome, e.NodeCompleted):
            return replace(outcome, cached=True, usage=None, duration_ms=0.0)
        return outcome

    def effect(self, key: str, lane: Lane, labels: Collection[str]) -> RecordedEffect | None:
        """The result of an effect that need not be repeated."""
        # All are of the same part, whatever it was called.
        return choose(self.effects.get(key, ()), replace(lane, path=""), labels)


NOTHING = Past()


def past_of(
    entries: Iterable[e.Entry],
    *,
    keep: Collection[str] | None = None,
    fresh: Collection[str] = (),
    values: Mapping[str, Any] | None = None,
) -> Past:
    """What the entries of a run, and of those before it, leave to whoever comes after.

    The outcomes of the activations in `keep` hold in any case; None means of all of them.
    """
    outcomes: dict[str, Outcome] = {}
    effects: dict[str, list[RecordedEffect]] = {}
    for entry in entries:
        match entry.event:
            case e.NodeCompleted() | e.NodeFailed() as event if event.outputs is not None:
                outcomes[f"{event.node}[{event.activation}]"] = event
            case e.EffectCompleted() as event:
                root = entry.execution_id.partition("/")[0]
                recorded = RecordedEffect(
                    root, event.node, event.activation, event.effect, event.value
                )
                effects.setdefault(event.key, []).append(recorded)
            case _:
                pass
    kept = outcomes if keep is None else {x: outcomes[x] for x in keep if x in outcomes}
    newest_first = {key: tuple(reversed(found)) for key, found in effects.items()}
    return Past(kept, newest_first, frozenset(fresh), values or {}, outcomes)


def activation_name(labels: tuple[str, ...], activation: Activation) -> str:
    """How people write an activation: `argue[2]`."""
    return f"{labels[activation.node]}[{activation.number}]"


def _with_value(
    name: str, number: int, node: Node, value: Any, before: Outcome | None
) -> e.NodeCompleted:
    """An outcome with an output given by hand; of several handles, the value may name one.

    What a person had said, it has said so now.
    """
    handles = node.handles or ("default",)
    outputs = {handles[0]: value}
    if len(handles) > 1 and value in handles:
        old = next(iter(before.outputs.values()), None) if before and before.outputs else None
        outputs = {value: old}
    if not isinstance(before, e.NodeCompleted) or not before.messages:
        return e.NodeCompleted(node=name, activation=number, outputs=outputs, cached=True)
    *earlier, reply = before.messages
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return replace(
        before,
        outputs=outputs,
        messages=(*earlier, reply.model_copy(update={"content": said})),
        cached=True,
        usage=None,
        duration_ms=0.0,
    )
