"""Which suggestions belong to the place where the cursor stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ..light.endpoints import write_endpoint
from ..model import DEFAULT
from ..yaml.events import MAX_TEXT
from .items import Completions, Item, ends, keys, matching, values
from .languages import in_expression, in_template
from .outline import Name, Node, Outline
from .reading import MARK, Map, Scalar, Sequence, read
from .spot import Path, Spot, find
from .vocabulary import Schema, Vocabulary

_BATCH = "person_batch_job"
"""What `batch: true` makes of a node that speaks to a person."""
_IDENTITY = ("label", "type", "position", "props")
_CONTENT_TYPES = {
    "raw_text": "as text",
    "object": "as a value",
    "conversation_state": "as the messages of a conversation",
}
_ARROW = "->"


def complete(text: str, offset: int, schema: Mapping[str, Any]) -> Completions:
    """What may be written at an offset of a light diagram, however broken the text is.

    `schema` is the JSON Schema of the light format. The text up to the cursor is replaced, from
    the `start` that is given with the suggestions.
    """
    nothing = Completions(offset)
    if len(text) > MAX_TEXT or not 0 <= offset <= len(text):
        return nothing
    # Half characters become question marks: nothing with them in it could be sent anywhere.
    text = text.replace(MARK, " ").encode(errors="replace").decode()
    tree = read(text[:offset] + MARK + text[offset:])
    spot = find(tree)
    if spot is None or spot.stray:
        return nothing
    found = _Suggestions(spot, Outline(tree), Vocabulary(schema)).all()
    return found if found.items else nothing


class _Suggestions:
    """The suggestions for one spot."""

    def __init__(self, spot: Spot, outline: Outline, vocabulary: Vocabulary) -> None:
        self.spot = spot
        self.outline = outline
        self.vocabulary = vocabulary

    def all(self) -> Completions:
        spot = self.spot
        if (found := self.language()) is not None:
            return found
        match spot.path:
            case ("connections" | "edges", int()) if spot.lonely and not spot.flow:
                return self.link()
        if spot.key:
            found = self.keys()
            if found.items or not spot.lonely:
                return found
        if spot.scalar.quote == "|":
            return Completions(spot.scalar.start)
        return values(spot, self.new(self.values_at(spot.path)))

    def language(self) -> Completions | None:
        """Suggestions inside of a template or an expression; None outside of them."""
        node, rest = self.node_at(self.spot.path)
        if node is None or not rest or (self.spot.key and not self.spot.lonely):
            return None
        match self.holds(node, rest):
            case "expression":
                return in_expression(self.spot, self.outline, self.names(node))
            case "template":
                return in_template(self.spot, self.outline, self.names(node))
            case _:
                return None

    def names(self, node: Node) -> list[Name]:
        """What a template or an expression in a node may say."""
        node_type = _BATCH if node.text("batch") == "true" else node.type
        own = [Name(name, "of its own") for name in self.vocabulary.own_names(node_type)]
        return [*own, *self.outline.names(node)]

    def holds(self, node: Node, rest: Path) -> str:
        """What a property of a node is made of, at any depth."""
        schema = self.vocabulary.node(node.type)
        name = str(rest[0]).partition(".")[0]
        return self.vocabulary.holds(self.vocabulary.at(schema, (name,)))

    # -- keys -------------------------------------------------------------------------------------

    def keys(self) -> Completions:
        """The keys that are not there yet; less welcome ones when nothing else fits."""
        around = self.spot.around
        pairs = around.pairs if isinstance(around, Map) else []
        there = {
            pair.key.text.partition(".")[0] for pair in pairs if pair.key is not self.spot.scalar
        }
        if self.spot.path[-1:] == ("props",):
            there.update(_IDENTITY)
        for level in self.levels(self.spot.path):
            found = keys(self.spot, (item for item in level if item.text not in there))
            if found.items:
                return found
        return Completions(self.spot.scalar.start)

    def levels(self, path: Path) -> Iterator[Iterable[Item]]:
        """The keys at a path: those of today, those of older files, those of any node."""
        node, rest = self.node_at(path)
        if path == ("persons",):
            yield self.missing_persons()
            return
        schema = self.schema_at(path)
        found = list(self.vocabulary.keys(schema))
        if node is not None and not rest:
            shared = list(self.vocabulary.keys(self.vocabulary.shared()))
            if not self.vocabulary.type(node.type):
                yield shared
            found = _own_first(found, {item.text for item in shared})
        yield found
        yield self.vocabulary.older_keys(schema)

    def missing_persons(self) -> Iterator[Item]:
        """The persons that nodes speak to and nobody has described yet."""
        known = self.outline.persons
        for node in self.outline.nodes.values():
            person = node.text("person")
            if person and person not in known:
                yield Item(person, "person", f"of {node.label}")

    # -- values -----------------------------------------------------------------------------------

    def values_at(self, path: Path) -> Iterable[Item]:
        """The values that fit at a path."""
        node, rest = self.node_at(path)
        match path:
            case ("nodes", int(), *_) if node is not None and rest:
                return self.property_values(node, rest)
            case ("connections" | "edges", int(), "from" | "to" as end):
                return self.ends_of(end)
            case ("connections" | "edges", int(), "content_type" | "type"):
                return [Item(word, "value", detail) for word, detail in _CONTENT_TYPES.items()]
            case ("persons", str(), *_):
                schema = self.schema_at(path)
                return [*self.vocabulary.values(schema), *self.vocabulary.examples(schema)]
            case _:
                return self.vocabulary.values(self.schema_at(path))

    def property_values(self, node: Node, rest: Path) -> Iterable[Item]:
        if rest == ("type",):
            return self.node_types()
        match self.holds(node, rest):
            case "person":
                return [Item(label, "person") for label in self.outline.persons]
            case "node":
                nodes = self.outline.by_label.items()
                return [Item(label, "node", each.type) for label, each in nodes if each != node]
            case _:
                return self.vocabulary.values(self.schema_at(self.spot.path))

    def node_types(self) -> list[Item]:
        """The node types; other names of theirs only when nothing else fits."""
        every = list(self.vocabulary.values(self.vocabulary.definition("node_type"), "node type"))
        present = [each for each in every if self.vocabulary.definition(f"node.{each.text}")]
        return present if matching(self.spot.said, present) else every

    def new(self, items: Iterable[Item]) -> Iterable[Item]:
        """Without what stands in the same list already."""
        if not isinstance(self.spot.around, Sequence):
            return items
        there = {
            each.text
            for each in self.spot.around.items
            if isinstance(each, Scalar) and each is not self.spot.scalar
        }
        return (item for item in items if item.text not in there)

    # -- connections ------------------------------------------------------------------------------

    def link(self) -> Completions:
        """A connection that has just begun: an arrow, or the keys of a map."""
        source, arrow, target = self.spot.said.rpartition(_ARROW)
        if arrow and source.strip():
            return ends(self.spot, target.lstrip(), self.ends_of("to"))
        begun = (
            Item(f"{item.text} {_ARROW} ", item.kind, item.detail) for item in self.ends_of("from")
        )
        arrows, named = ends(self.spot, self.spot.said, begun).items, self.keys().items
        both = (*arrows, *named) if self.spot.path[0] == "edges" else (*named, *arrows)
        return Completions(self.spot.scalar.start, both)

    def ends_of(self, end: str) -> Iterator[Item]:
        """What may stand at one end: a label, with a handle where the node must be told which."""
        bracket = "[" in self.spot.said.rpartition(_ARROW)[2]
        for label, node in self.outline.by_label.items():
            handles = self.handles(node, end)
            if DEFAULT in handles and not bracket:
                yield Item(label, "node", node.type)
                continue
            for handle in handles:
                if handle != DEFAULT:
                    text = write_endpoint(label, handle, self.outline.by_label)
                    yield Item(text, "handle", node.type)

    def handles(self, node: Node, end: str) -> list[str]:
        known = self.vocabulary.handles(node.type)
        if end == "to":
            return list(known.inputs)
        return [*known.outputs, *(["error"] if node.text("on_error") == "edge" else [])]

    # -- places -----------------------------------------------------------------------------------

    def node_at(self, path: Path) -> tuple[Node | None, Path]:
        """The node that a path leads into, and the rest of the path below its properties."""
        match path:
            case ("nodes", int(index), "props", *rest):
                return self.outline.nodes.get(index), tuple(rest)
            case ("nodes", int(index), *rest):
                return self.outline.nodes.get(index), tuple(rest)
            case _:
                return None, ()

    def schema_at(self, path: Path) -> Schema:
        """What the schema says about the value at a path."""
        node, rest = self.node_at(path)
        if node is not None:
            return self.vocabulary.at(self.vocabulary.node(node.type), rest)
        match path:
            case ("connections" | "edges", int(), *inner):
                return self.vocabulary.at(self.vocabulary.definition("connection"), inner)
            case ("persons", str(), *inner):
                return self.vocabulary.at(self.vocabulary.definition("person"), inner)
            case _:
                return self.vocabulary.at(self.vocabulary.top, path)


def _own_first(items: Iterable[Item], shared: Collection[str]) -> list[Item]:
    """What makes a node this node, then what its type alone has, then what every node has."""
    return sorted(items, key=lambda item: (item.text not in _IDENTITY[:2], item.text in shared))
