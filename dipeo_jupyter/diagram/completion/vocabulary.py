"""What the schema of the light format says may be written, and what it means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from ..model import DEFAULT
from .items import BOOLEAN, Item

Schema = Mapping[str, Any]
_CHOICES = ("anyOf", "oneOf", "allOf")
_DEEPEST = 8


class Handles(NamedTuple):
    """Where edges may end at a node, and where they may begin."""

    inputs: Sequence[str] = (DEFAULT,)
    outputs: Sequence[str] = (DEFAULT,)


class Vocabulary:
    """Reads a schema; what it lacks is nothing, never an error."""

    def __init__(self, schema: Schema) -> None:
        self.top = schema
        self._defs = _map(schema.get("$defs"))

    def definition(self, name: str) -> Schema:
        """A part of the schema that has a name: `person`, `connection`, `node.job`."""
        return _map(self._defs.get(name))

    def node(self, node_type: str) -> Schema:
        """The schema of a node; one of an unknown type may have what any node has."""
        return self.type(node_type) or {"properties": self._every()}

    def type(self, node_type: str) -> Schema:
        """The schema of a node type, by whatever name; an empty one when there is none."""
        return self._types.get(_bare(node_type), {})

    def shared(self) -> Schema:
        """What nodes of all types have."""
        types = [_map(each.get("properties")) for each in self._types.values()]
        names = set.intersection(*map(set, types)) if types else set()
        return {"properties": {name: each for name, each in self._every().items() if name in names}}

    def handles(self, node_type: str) -> Handles:
        """The handles of a node type; an unknown one is taken for a plain one."""
        found = _map(self.type(node_type).get("x-handles"))
        return Handles(found.get("inputs", (DEFAULT,)), found.get("outputs", (DEFAULT,)))

    def own_names(self, node_type: str) -> Sequence[str]:
        """What the templates of a type see beside all that every node sees."""
        return [str(name) for name in self.type(node_type).get("x-names", ())]

    def holds(self, schema: Schema) -> str:
        """What the texts in a property are: `template`, `expression`, `person`, `node` or ``."""
        return str(schema.get("x-holds", ""))

    def keys(self, schema: Schema) -> Iterator[Item]:
        """The properties of an object: those it requires first, then the others."""
        yield from self._keys(schema, deprecated=False)

    def older_keys(self, schema: Schema) -> Iterator[Item]:
        """The names that older files use for its properties."""
        yield from self._keys(schema, deprecated=True)

    def values(self, schema: Schema, kind: str = "value") -> Iterator[Item]:
        """The values that a schema lists; of spellings that differ in case, the first."""
        seen: set[str] = set()
        for part in self._alternatives(schema):
            listed = [*part.get("enum", ()), *([part["const"]] if "const" in part else ())]
            said = [*part.get("enumDescriptions", ()), *([""] * len(listed))]
            for value, detail in zip(listed, said, strict=False):
                if isinstance(value, str) and value.casefold() not in seen:
                    seen.add(value.casefold())
                    yield Item(value, kind, str(detail))
            if "boolean" in _several(part.get("type")):
                yield from (Item(word, BOOLEAN) for word in ("true", "false"))

    def examples(self, schema: Schema) -> Iterator[Item]:
        """Values that are nothing but examples."""
        for part in self._alternatives(schema):
            found = (value for value in part.get("examples", ()) if isinstance(value, str))
            yield from (Item(value, "value") for value in found)

    def at(self, schema: Schema, path: Sequence[str | int]) -> Schema:
        """The schema of a part of a value; an empty one when nothing is said about it."""
        for step in path:
            inner = (self._part(each, step) for each in self._alternatives(schema))
            schema = next((each for each in inner if each), {})
        return schema

    def _keys(self, schema: Schema, *, deprecated: bool) -> Iterator[Item]:
        parts = list(self._alternatives(schema))
        # An alternative that requires more than one thing requires none of them for certain.
        sure = [part for i, part in enumerate(parts) if i == 0 or "properties" not in part]
        required = {name for part in sure for name in part.get("required", ())}
        found = [
            (name, _map(each))
            for part in parts
            for name, each in _map(part.get("properties")).items()
            if bool(_map(each).get("deprecated")) is deprecated
        ]
        for name, each in sorted(found, key=lambda pair: pair[0] not in required):
            yield Item(name, "property", str(each.get("description", "")))

    def _alternatives(self, schema: Schema, depth: int = 0) -> Iterator[Schema]:
        """A schema and those it is made of, without references."""
        if depth > _DEEPEST:
            return
        yield schema
        reference = schema.get("$ref")
        if isinstance(reference, str):
            name = reference.removeprefix("#/$defs/")
            yield from self._alternatives(self.definition(name), depth + 1)
        for word in _CHOICES:
            for each in schema.get(word, ()):
                yield from self._alternatives(_map(each), depth + 1)

    @staticmethod
    def _part(schema: Schema, step: str | int) -> Schema:
        if isinstance(step, int):
            return _map(schema.get("items"))
        named = _map(schema.get("properties")).get(step)
        return _map(named) or _map(schema.get("additionalProperties"))

    @cached_property
    def _types(self) -> dict[str, Schema]:
        """The node types by name; an alias never hides another's name."""
        types = [
            (name.removeprefix("node."), _map(each))
            for name, each in self._defs.items()
            if name.startswith("node.")
        ]
        found = {_bare(name): each for name, each in types}
        for _, each in types:
            for alias in each.get("x-aliases", ()):
                found.setdefault(_bare(str(alias)), each)
        return found

    def _every(self) -> Schema:
        """The properties of all types, of any that have one the first."""
        found: dict[str, Schema] = {}
        for each in self._types.values():
            for name, part in _map(each.get("properties")).items():
                found.setdefault(name, part)
        return found


def _bare(name: str) -> str:
    """A name of a type without what makes no difference in it."""
    return re.sub(r"[\W_]+", "", name).lower()


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _map(value: Any) -> Schema:
    return value if isinstance(value, Mapping) else {}
