"""What templates and expressions see.

In this order: the inputs, the keys of unlabelled objects among them, how often counting nodes have
run, the run's inputs and start data, then the latest output of each node that happened before, by
its label. Only what happened *before* is visible, never what happened meanwhile in a parallel
branch, so that a run does not depend on who finishes first.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from functools import cached_property
from typing import Any, cast

from ..diagram.model import DEFAULT
from .moments import Activation, latest_before
from .state import ExecutionState


def layered(*layers: Mapping[str, Any]) -> Mapping[str, Any]:
    """The names of all layers; where several have one, the first of them counts."""
    # ChainMap asks for mutable maps, but only writes to the first.
    return ChainMap(*cast("tuple[MutableMapping[str, Any], ...]", layers))


class Names(Mapping[str, Any]):
    def __init__(self, state: ExecutionState, activation: Activation) -> None:
        self._state = state
        self._activation = activation

    def __getitem__(self, name: str) -> Any:
        for layer in (self.inputs, self._counters, self._state.inputs, self._start_data):
            if name in layer:
                return layer[name]
        earlier = self._earlier.get(self._state.program.index.get(name, -1))
        if earlier is None or not earlier.outputs:
            raise KeyError(name)
        return value_of(earlier)

    def __iter__(self) -> Iterator[str]:
        layers = (self.inputs, self._counters, self._state.inputs, self._start_data)
        labels = (
            self._state.program.labels[x] for x, each in self._earlier.items() if each.outputs
        )
        yield from dict.fromkeys([*(name for layer in layers for name in layer), *labels])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @cached_property
    def inputs(self) -> Mapping[str, Any]:
        """The inputs alone, the keys of unlabelled objects among them."""
        program = self._state.program
        incoming = program.incoming[self._activation.node]
        unnamed = {program.labels[wire.source] for wire in incoming if wire.name is None}
        labelled = {wire.name for wire in incoming}
        return spread(self._activation.inputs, {DEFAULT, *unnamed} - labelled)

    @cached_property
    def _counters(self) -> Mapping[str, int]:
        found = {}
        for name, nodes in self._state.program.counters.items():
            turns = [
                activation.turn - 1
                for node in nodes
                if (activation := self._own_or_earlier(node)) is not None
            ]
            if turns:
                found[name] = max(turns)
        return found

    @cached_property
    def _start_data(self) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for node in sorted(self._earlier, reverse=True):
            value = value_of(self._earlier[node])
            if self._state.program.nodes[node].type == "start" and isinstance(value, Mapping):
                found |= value
        return found

    @cached_property
    def _earlier(self) -> Mapping[int, Activation]:
        return latest_before(self._activation)

    def _own_or_earlier(self, node: int) -> Activation | None:
        return self._activation if node == self._activation.node else self._earlier.get(node)


def spread(inputs: Mapping[str, Any], unnamed: Collection[str]) -> Mapping[str, Any]:
    """The inputs, and below them the keys of those objects that came without a name."""
    keys: dict[str, Any] = {}
    for name, value in inputs.items():
        if name in unnamed and isinstance(value, Mapping):
            keys |= value
    return {**keys, **inputs}


def value_of(activation: Activation) -> Any:
    """The value a firing handed on: by the default handle, else by the one it chose."""
    outputs = activation.outputs
    return outputs[DEFAULT] if DEFAULT in outputs else next(iter(outputs.values()), None)
