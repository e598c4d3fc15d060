"""The names that templates and expressions use: who gives them, and whether in time.

See `engine/names.py` for what a node sees when it runs. Here nothing is certain that comes from
outside: a name that nothing in the diagram gives may be an input of the run, so it is wrong only
when a right one is very near, or when the diagram lists its inputs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from ...diagram.model import DEFAULT, Label
from ...diagram.suggest import nearest
from ...errors import Problem, Severity
from ..node import DefaultValue
from ..program import ERROR, Program, Wire
from .flow import Parts
from .settings import Unsound
from .texts import Text, Texts

_CONVERSATION = ("messages", "last_message")
_LIKENESS = 0.8
"""How alike a name must be to a known one to be taken for a slip of the pen."""
_SHORTEST = 4
"""Letters of a name that can be like another one."""
_MOST_SEARCHES = 100
"""Searches for near names; more hints than this nobody reads."""

_PLAIN = re.compile(r"\w[\w @~-]{0,60}")
_DIGITS = re.compile(r"\d+")
_ROOT = re.compile(r"[^.\[|]+")


def check_names(program: Program, texts: Mapping[Label, Texts], parts: Parts) -> Iterator[Problem]:
    """Names that nobody gives, or that somebody gives too late."""
    yield from _Names(program, texts, parts).problems()


@dataclass(frozen=True, slots=True)
class _Use:
    """A name in a text of a node."""

    number: int
    text: Text
    name: str


class _Names:
    def __init__(self, program: Program, texts: Mapping[Label, Texts], parts: Parts) -> None:
        self._program = program
        self._texts = texts
        self._parts = parts
        self._searches = 0
        self._asked_for: set[str] = set()
        self._unknown_at: dict[int, bool] = {}

    def problems(self) -> Iterator[Problem]:
        for number, label in enumerate(self._program.labels):
            said: set[str] = set()
            local = self._local(number) if self._texts[label].sound else set()
            for text in self._texts[label].sound:
                for name in sorted(text.names - local - said):
                    said.add(name)
                    yield from self._check(_Use(number, text, name), local)

    def _check(self, use: _Use, local: Collection[str]) -> Iterator[Problem]:
        labels, number = self._program.labels, use.number
        givers = self._givers.get(use.name, 0)
        if givers & (self._before[number] | self._counting(number)):
            return
        if self._brings_unknown(number):
            return
        if givers:
            giver = self._bits[(givers & -givers).bit_length() - 1]
            late = labels[giver]
            message = (
                f"Node {labels[number]!r} uses {use.name!r}, but {late!r} never runs before it."
            )
            can_lead = late != labels[number] and self._program.nodes[giver].output_handles()
            lead = (
                f"Lead an edge from {late!r} to {labels[number]!r}, or use" if can_lead else "Use"
            )
            hint = f"{lead} another name."
            yield self._problem("name_too_early", use, message, hint)
            return
        yield from self._unknown(use, local)

    def _unknown(self, use: _Use, local: Collection[str]) -> Iterator[Problem]:
        label, name = self._program.labels[use.number], use.name
        unlisted = self._wanted is not None and name not in self._wanted
        closest = self._nearest(name, label, local)
        if closest or unlisted or name == DEFAULT or not _PLAIN.fullmatch(name):
            message = f"Node {label!r} uses {name[:40]!r}, which nothing gives it."
            yield self._problem("unknown_name", use, message, _hint(name, closest, local))
        elif name not in self._asked_for:
            self._asked_for.add(name)
            message = f"The run must be given {name!r}: nothing in the diagram provides it."
            yield self._problem("run_input", use, message, f"Node {label!r} uses it.", "hint")

    def _nearest(self, name: str, label: Label, local: Collection[str]) -> str | None:
        if name in (self._wanted or ()) or len(name) < _SHORTEST:
            return None
        if self._searches >= _MOST_SEARCHES:
            return None
        self._searches += 1
        others = (each for each in self._all_givers if each != label)
        closest = nearest(name, chain(local, self._wanted or (), others), _LIKENESS)
        # `step3` is hardly meant to be `step2`.
        numbered = closest is not None and _DIGITS.sub("", name) == _DIGITS.sub("", closest)
        return None if numbered else closest

    def _problem(
        self, code: str, use: _Use, message: str, hint: str, severity: Severity = "warning"
    ) -> Problem:
        spec, node = self._program.diagram.nodes[use.number], self._program.nodes[use.number]
        field, *rest = use.text.path
        path = ("nodes", spec.label, node.as_written(str(field), spec.props), *rest)
        within = use.text.place_of(use.name)
        return Problem(code, message, spec.label, path, hint, severity, within=within)

    # -- what arrives at a node -------------------------------------------------------------------

    def _local(self, number: int) -> set[str]:
        """The names of a node's inputs, and those that it gives itself."""
        node = self._program.nodes[number]
        found = {*node.own_names, *node.given_names}
        for wire in self._program.incoming[number]:
            if wire.name is not None:
                found.add(_root(wire.name))
            else:
                found |= {DEFAULT, _root(self._program.labels[wire.source])}
                found |= set(self._keys(wire) or ())
        return found

    def _brings_unknown(self, number: int) -> bool:
        """Whether an unlabelled edge may bring an object with any keys."""
        if number not in self._unknown_at:
            unlabelled = (wire for wire in self._program.incoming[number] if wire.name is None)
            self._unknown_at[number] = any(self._keys(wire) is None for wire in unlabelled)
        return self._unknown_at[number]

    def _keys(self, wire: Wire) -> Collection[str] | None:
        match wire.content_type:
            case "raw_text":
                return ()
            case "conversation_state":
                return _CONVERSATION
            case "object":
                return None
        return None if wire.handle == ERROR else self._output_keys[wire.source]

    @cached_property
    def _output_keys(self) -> Sequence[Collection[str] | None]:
        """The keys of what each node hands on; what a node only passes on came from others."""
        program = self._program
        found = [self._own_keys(number) for number in range(len(program.nodes))]
        unknown = [
            number
            for number, keys in enumerate(found)
            if keys is None or (keys and not self._starts(number))
        ]
        while unknown:
            for wire in program.outgoing[unknown.pop()]:
                if program.nodes[wire.target].passes_on and found[wire.target] is not None:
                    found[wire.target] = None
                    unknown.append(wire.target)
        return found

    def _own_keys(self, number: int) -> Collection[str] | None:
        node = self._program.nodes[number]
        if isinstance(node.on_error, DefaultValue) or isinstance(node, Unsound):
            return None
        if node.passes_on:  # several values are passed on as an object with their names
            return None if len(self._program.incoming[number]) > 1 else ()
        return node.output_keys

    def _starts(self, number: int) -> bool:
        return not self._program.nodes[number].inputs

    # -- what is known everywhere -----------------------------------------------------------------

    @cached_property
    def _wanted(self) -> frozenset[str] | None:
        """The inputs of the run, when some node lists them."""
        lists = [node.wanted_inputs for node in self._program.nodes]
        given = [each for each in lists if each is not None]
        return frozenset(name for each in given for name in each) if given else None

    # -- who gives a name -------------------------------------------------------------------------

    @cached_property
    def _all_givers(self) -> Mapping[str, list[int]]:
        """The nodes that give each name: a start its data, a counter its count, each its label."""
        program = self._program
        found: dict[str, list[int]] = {}
        for number, node in enumerate(program.nodes):
            if self._starts(number):
                for key in node.output_keys or ():
                    found.setdefault(_root(key), []).append(number)
        for name, nodes in program.counters.items():
            found.setdefault(_root(name), []).extend(nodes)
        for number, label in enumerate(program.labels):
            found.setdefault(_root(label), []).append(number)
        return found

    @cached_property
    def _mentioned(self) -> frozenset[str]:
        return frozenset(
            name for texts in self._texts.values() for text in texts.sound for name in text.names
        )

    @cached_property
    def _bits(self) -> list[int]:
        """The nodes whose place in the flow matters, each with a bit of its own."""
        givers = self._all_givers
        return sorted({node for name in self._mentioned for node in givers.get(name, ())})

    @cached_property
    def _bit_of(self) -> Mapping[int, int]:
        return {node: 1 << bit for bit, node in enumerate(self._bits)}

    @cached_property
    def _givers(self) -> Mapping[str, int]:
        """The same as bits, for the names that are used."""
        return {
            name: sum({self._bit_of[node] for node in self._all_givers[name]})
            for name in self._mentioned
            if name in self._all_givers
        }

    def _counting(self, number: int) -> int:
        """A node that counts sees its own count."""
        return self._bit_of.get(number, 0) if self._program.nodes[number].counter else 0

    @cached_property
    def _before(self) -> Sequence[int]:
        """The nodes that may run before each: nodes that go round together, before each other."""
        program = self._program
        before = [0] * len(program.nodes)
        for part in self._parts:
            seen = 0
            for node in part:
                for arc in program.graph.incoming[node]:
                    seen |= before[arc.source] | self._bit_of.get(arc.source, 0)
            for node in part:
                before[node] = seen
        return before


def _root(name: str) -> str:
    """The part of a name by which a template would begin to look for it."""
    found = _ROOT.match(name)
    return found[0].strip() if found else name


def _hint(name: str, closest: str | None, local: Collection[str]) -> str:
    if closest:
        return f"Did you mean {closest!r}?"
    if name == DEFAULT and local:
        return f"What comes to it has labels: {', '.join(map(repr, sorted(local)))}."
    if not _PLAIN.fullmatch(name):
        return "Write `\\{{` for braces that are text."
    return f"Lead an edge with the label {name!r} to it, or add it to the start's data."
