"""Where nodes and persons are named inside the properties of others.

What a property means is its node type's business; this knows only how a name looks that is used:
inside the braces of a template, as a whole value, or anywhere in an expression or in code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

_TAG = re.compile(r"(\{\{\s*(?:#(?:if|unless|each)\s+)?)([^{}|]+)")
_ROOT = re.compile(r"[^.\[?]+")
_NAME = re.compile(r"[^\W\d]\w*")
_QUOTED = re.compile(r"""(["'])((?:(?!\1).)*)\1""")
_CODE = ("code", "expression", "condition")
_PERSON = "person"


@dataclass(frozen=True)
class Renames:
    """New names of nodes and persons by their old ones."""

    nodes: Mapping[str, str] = field(default_factory=dict)
    persons: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.nodes or self.persons)

    @cached_property
    def _back(self) -> Renames:
        names = (self.nodes, self.persons)
        return Renames(*({new: old for old, new in each.items()} for each in names))

    def explain(self, before: Any, after: Any, key: str = "") -> bool:
        """Whether these values, found under `key`, differ by the names in them alone."""
        there, back = self.follow(before, key), self._back.follow(after, key)
        return bool(self) and bool(there == after) and bool(back == before)

    def follow(self, value: Any, key: str = "") -> Any:
        """The value with the new names wherever it mentions the old ones."""
        match value:
            case str():
                return self._text(value, key)
            case dict():
                return {name: self.follow(each, name) for name, each in value.items()}
            case list():
                # What stands in a list belongs to the list's own key.
                return [self.follow(each, key) for each in value]
            case _:
                return value

    def _text(self, text: str, key: str) -> str:
        first, second = self.nodes, self.persons
        if _PERSON in key:
            first, second = second, first
        if (whole := first.get(text, second.get(text))) is not None:
            return whole
        if any(word in key for word in _CODE):
            text = _QUOTED.sub(self._quoted, text)
            return _NAME.sub(lambda found: self.nodes.get(found[0], found[0]), text)
        return _TAG.sub(self._tag, text) if "{{" in text else text

    def _quoted(self, found: re.Match[str]) -> str:
        return f"{found[1]}{self.nodes.get(found[2], found[2])}{found[1]}"

    def _tag(self, found: re.Match[str]) -> str:
        opening, path = found.groups()
        bare = path.strip()
        for written in (bare, bare.removesuffix("?")):
            if written in self.nodes:
                return opening + path.replace(written, self.nodes[written], 1)
        root = _ROOT.match(path)
        new = self.nodes.get(root[0].strip()) if root else None
        return opening + path.replace(root[0].strip(), new, 1) if root and new else found[0]
