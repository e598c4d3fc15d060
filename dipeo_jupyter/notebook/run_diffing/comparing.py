"""What differs between two activations that belong together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from ...diagram.diff import ABSENT, Change, compare
from ...diagram.model import Diagram, Label
from ...protocol.events import ErrorInfo, Message
from ..history import ActivationRecord, History
from .activation import ActivationDiff
from .aligning import by_key, in_order, renamed_id

_PERSON = ("person", "personId", "person_id")
"""How a node's person may be written."""
_MESSAGE = Message.model_fields.keys()
_NAMES = ("sender", "recipient")
_SAID = (*_NAMES, "content")

Said: TypeAlias = tuple[str | None, str | None, str]
"""A message without its id: sender, recipient, content."""


class Comparison:
    """Two runs side by side. Names are those of the second diagram wherever there is a choice."""

    def __init__(
        self, histories: tuple[History, History], diagrams: tuple[Diagram, Diagram]
    ) -> None:
        self.diagram = compare(*diagrams)
        self._nodes = _renames("node_renamed", self.diagram)
        self._persons = _renames("person_renamed", self.diagram)
        self._of_node, self._of_person = _changes_by_subject(self.diagram)
        self._specs = {spec.label: spec for spec in diagrams[1].nodes}
        before, after = histories
        # A run may go on meanwhile: what is compared is what has happened by now.
        self._messages = before.messages.copy(), after.messages.copy()
        self._before = by_key(map(replace, before.activations.copy()), self._nodes)
        self._after = by_key(map(replace, after.activations.copy()), {})

    def activations(self) -> Iterator[ActivationDiff]:
        """All activations of both runs, in the order of the flow."""
        for key in in_order(self._before, self._after):
            before, after = self._before.get(key), self._after.get(key)
            if before is not None and after is not None:
                yield self._both(before, after)
            else:
                why = tuple(
                    each
                    for each in self._of_node[key[0]]
                    if each.kind in {"node_added", "node_removed"}
                )
                yield ActivationDiff(*key, before, after, why)

    def _both(self, before: ActivationRecord, after: ActivationRecord) -> ActivationDiff:
        name = f"{after.node}[{after.number}]"
        failed = tuple(_error(name, before.error, after.error))
        return ActivationDiff(
            after.node,
            after.number,
            before,
            after,
            definition=tuple(self._definition(after)),
            inputs=tuple(self._inputs(name, before.inputs, after.inputs)),
            seen=tuple(self._seen(name, before, after)),
            output=tuple(self._output(name, before, after)),
            error=failed,
            ending=() if failed else tuple(_ending(name, before, after)),
            tokens=tuple(_tokens(name, before, after)),
        )

    def _definition(self, after: ActivationRecord) -> Iterator[Change]:
        """A new name is none: whoever has one does the same as before."""
        yield from self._of_node[after.node]
        spec = self._specs.get(after.node)
        named = [spec.props.get(name) for name in _PERSON] if spec else []
        for person in dict.fromkeys([after.person, *named]):
            if isinstance(person, str):
                yield from self._of_person[person]

    def _inputs(
        self, name: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Iterator[Change]:
        """Values may arrive under the label of the node that gave them."""
        old = {self._input_name(each, after): value for each, value in before.items()}
        for each in [*after, *(each for each in old if each not in after)]:
            one, other = old.get(each, ABSENT), after.get(each, ABSENT)
            if not self._same(one, other):
                yield _change(name, ("inputs", each), one, other)

    def _input_name(self, name: str, after: Mapping[str, Any]) -> str:
        new = self._nodes.get(name, name)
        return name if new not in after and name in after else new

    # --- what the person saw --------------------------------------------------------------------

    def _seen(
        self, name: str, before: ActivationRecord, after: ActivationRecord
    ) -> Iterator[Change]:
        """Where nobody was asked, because of an error or because the value was given, none is."""
        if before.person is None or after.person is None:
            return
        old = {
            renamed_id(each, self._nodes): self._said(self._messages[0].get(each), self._persons)
            for each in before.seen
        }
        new = {each: self._said(self._messages[1].get(each), {}) for each in after.seen}
        if list(old.values()) == list(new.values()):
            return
        changes = list(_messages(name, old, new))
        yield from changes or [_change(name, ("seen",), list(old), list(new))]

    def _said(self, message: Message | None, persons: Mapping[Label, Label]) -> Said:
        """Who says what to whom; nothing is known of a message from outside the run."""
        if message is None:
            return None, None, ""
        sender, recipient = (
            None if each is None else persons.get(each, each)
            for each in (message.sender, message.recipient)
        )
        return sender, recipient, message.content

    # --- values ---------------------------------------------------------------------------------

    def _output(
        self, name: str, before: ActivationRecord, after: ActivationRecord
    ) -> Iterator[Change]:
        """An activation without a result is not one with another result."""
        if _ended(before) != _ended(after) and not (before.outputs and after.outputs):
            return
        if before.outputs.keys() != after.outputs.keys():
            one, other = (", ".join(each.outputs) or None for each in (before, after))
            yield _change(name, ("handle",), one, other)
        elif self._same(before.outputs, after.outputs):
            return
        if not self._same(before.output, after.output):
            yield _change(name, ("output",), before.output, after.output)

    def _same(self, one: Any, other: Any) -> bool:
        """As JSON: `true` is not 1, not-a-number is itself, and a list may be a tuple.

        The ids of the messages in a conversation are no part of it.
        """
        match one, other:
            case Mapping(), Mapping():
                if one.keys() != other.keys():
                    return False
                if one.keys() == _MESSAGE:
                    one = {each: self._person(one[each]) for each in _NAMES} | {
                        "content": one["content"]
                    }
                    return all(self._same(one[key], other[key]) for key in _SAID)
                return all(self._same(value, other[key]) for key, value in one.items())
            case ((list() | tuple()), (list() | tuple())):
                return len(one) == len(other) and all(map(self._same, one, other))
            case float(), float():
                return repr(one) == repr(other)
            case _:
                return type(one) is type(other) and bool(one == other)

    def _person(self, name: Any) -> Any:
        return self._persons.get(name, name) if isinstance(name, str) else name


def _messages(name: str, old: Mapping[str, Said], new: Mapping[str, Said]) -> Iterator[Change]:
    """Message by message, by their ids; what only has another id is the same message."""
    for each in (each for each in new if each in old):
        yield from _between(name, each, old[each], new[each])
    come = {each: said for each, said in new.items() if each not in old}
    gone = {each: said for each, said in old.items() if each not in new}
    for each in _unmatched(come, gone):
        yield _change(name, ("seen", each), ABSENT, come[each][-1])
    for each in _unmatched(gone, come):
        yield _change(name, ("seen", each), gone[each][-1], ABSENT)


def _unmatched(ones: Mapping[str, Said], others: Mapping[str, Said]) -> Iterator[str]:
    left = Counter(others.values())
    for each, said in ones.items():
        if left[said]:
            left[said] -= 1
        else:
            yield each


def _between(name: str, message_id: str, old: Said, new: Said) -> Iterator[Change]:
    for field, one, other in zip(_SAID, old, new, strict=True):
        if one != other:
            path = ("seen", message_id) if field == "content" else ("seen", message_id, field)
            yield _change(name, path, one, other)


def _error(name: str, before: ErrorInfo | None, after: ErrorInfo | None) -> Iterator[Change]:
    one, other = (
        (each.type, each.message, each.field) if each else None for each in (before, after)
    )
    if one != other:
        yield _change(name, ("error",), one[1] if one else ABSENT, other[1] if other else ABSENT)


def _ending(name: str, before: ActivationRecord, after: ActivationRecord) -> Iterator[Change]:
    if _ended(before) != _ended(after):
        yield _change(name, ("status",), _ended(before), _ended(after))


def _tokens(name: str, before: ActivationRecord, after: ActivationRecord) -> Iterator[Change]:
    """A result that was reused cost nothing, and what a failure cost is not known."""
    if "cached" in (before.status, after.status) or _ended(before) != _ended(after):
        return
    for field in ("input_tokens", "output_tokens"):
        one, other = (
            getattr(each.usage, field) if each.usage else None for each in (before, after)
        )
        if one != other:
            yield _change(name, (field,), one, other)


def _ended(record: ActivationRecord) -> str:
    return "completed" if record.status == "cached" else record.status


def _change(name: str, path: tuple[str, ...], before: Any, after: Any) -> Change:
    """An activation is spoken of as a node is, and what happened in it as a node's properties."""
    return Change("node_property_changed", name, path, before, after)


def _renames(kind: str, changes: Iterable[Change]) -> dict[str, str]:
    return {str(each.before): each.subject for each in changes if each.kind == kind}


def _changes_by_subject(
    changes: Iterable[Change],
) -> tuple[defaultdict[str, list[Change]], defaultdict[str, list[Change]]]:
    """What was changed in each node and in each person, renaming apart."""
    nodes: defaultdict[str, list[Change]] = defaultdict(list)
    persons: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        match change.kind:
            case "node_added" | "node_removed" | "node_type_changed" | "node_property_changed":
                nodes[change.subject].append(change)
            case "person_field_changed":
                persons[change.subject].append(change)
            case _:
                pass
    return nodes, persons
