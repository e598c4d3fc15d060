"""The templates and expressions of one node: whether they are any, and which names they need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...diagram import expression, template
from ...diagram.model import NodeSpec
from ...diagram.suggest import did_you_mean
from ...errors import LanguageError, Problem
from ..node import Node
from .settings import at_field

FUNCTIONS = frozenset({"iterations"})
"""What expressions can call beside the built-in functions."""

_MOST_PLACES = 200
"""How often a name may stand in the text before it is used; each one takes a look back."""
_ASKED = re.compile(r"""\biterations\(\s*(?P<quote>["'])(?P<label>[^"'\\\n]+)(?P=quote)\s*\)""")


@dataclass(frozen=True, slots=True)
class Text:
    """A template or an expression that is sound. `path` begins with the field."""

    path: tuple[str | int, ...]
    text: str
    names: frozenset[str]
    braces: bool

    def place_of(self, name: str) -> tuple[int, int] | None:
        """Line and column of a name in the text."""
        at = -1
        for _ in range(_MOST_PLACES):
            at = self.text.find(name, at + 1)
            if at < 0 or self._begins(at):
                break
        else:
            return None
        if at < 0:
            return None
        return self.text.count("\n", 0, at) + 1, at - self.text.rfind("\n", 0, at)

    def _begins(self, at: int) -> bool:
        """Whether a name can begin here: not inside of another one, nor outside of braces."""
        before = self.text[at - 1 : at]
        if before.isalnum() or before in ("_", "."):
            return False
        return not self.braces or self.text.rfind("{{", 0, at) > self.text.rfind("}}", 0, at)


@dataclass(slots=True)
class Texts:
    """All texts of a node, and what is wrong with those that are not among them."""

    sound: list[Text] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_texts(spec: NodeSpec, node: Node) -> Texts:
    """Look at every template and expression that has an effect."""
    found = Texts()
    idle = node.without_effect()
    seen: set[tuple[Any, ...]] = set()
    for name in (*node.templates, *node.expressions):
        if name in idle:
            continue
        for path, text in _texts_in(getattr(node, name), (name,)):
            # One property may be the other name of two fields.
            key = (node.as_written(name, spec.props), *path[1:], text)
            if key not in seen:
                seen.add(key)
                _read(found, spec, node, path, text)
    return found


def check_asked(
    spec: NodeSpec, node: Node, texts: Texts, labels: Mapping[str, object]
) -> Iterator[Problem]:
    """Nodes that an expression asks for with `iterations('…')` and that do not exist."""
    for each in texts.sound:
        for asked in () if each.braces else _ASKED.finditer(each.text):
            if asked["label"] not in labels:
                message = f"Node {spec.label!r} looks at {asked['label']!r}, which does not exist."
                hint = did_you_mean(asked["label"], labels)
                problem = Problem("unknown_node", message, hint=hint)
                yield at_field(spec, node, problem, *_start(each))


def _read(found: Texts, spec: NodeSpec, node: Node, path: tuple[str | int, ...], text: str) -> None:
    braces = path[0] in node.templates
    try:
        if braces:
            template.check(text)
            names = template.names_in(text)
        else:
            expression.check(text, FUNCTIONS)
            names = expression.names_in(text)
    except LanguageError as error:
        within = (error.line, error.column or 1) if error.line else None
        code = "bad_template" if braces else "bad_expression"
        problem = Problem(code, f"Node {spec.label!r}: {error}", within=within)
        field_, *rest = path
        found.problems.append(at_field(spec, node, problem, str(field_), *rest))
    else:
        found.sound.append(Text(path, text, names, braces))


def _start(text: Text) -> tuple[str, ...]:
    return (str(text.path[0]),)


def _texts_in(
    value: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    match value:
        case str():
            yield path, value
        case list() | tuple():
            for index, each in enumerate(value):
                yield from _texts_in(each, (*path, index))
        case dict():
            for key, each in value.items():
                yield from _texts_in(each, (*path, key))
