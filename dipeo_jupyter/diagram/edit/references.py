"""Where the properties of a node name another node or a person, and those names changed.

A diagram does not say which property is what; node types do, and they are unknown here. So
`expression`, `items` and their other spellings are expressions, `code` is never touched, and any
other text is a template as soon as it parses as one and names the node. Too much rather than too
little: a text that says `{{draft}}` means the node `draft` nearly always, and a reference left
behind fails only when the diagram is run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator

from pydantic import JsonValue

from ...errors import DiagramError, ExpressionError, Problem, TemplateError
from .. import template
from ..expression import check as check_expression
from ..expression import names_in as names_in_expression
from ..language import expression_syntax, template_syntax
from ..language.template_syntax import Block, Path, Piece, Value
from ..model import Diagram, Label, NodeSpec

_EXPRESSIONS = frozenset({"expression", "items", "over", "batch_input_key"})
_LISTS_OF_NODES = frozenset({"node_indices", "nodes"})
_FILES = frozenset({"file", "source_details", "sourceDetails", "file_path"})
_PERSONS = frozenset({"person", "personId", "person_id", "memory_person"})
_UNTOUCHED = frozenset({"code"})
_LOOP_NAMES = frozenset({"this", "@index", "@first", "@last", "@key"})
_TAG = re.compile(r"\{\{(?P<before>\s*(?:#\w+\s+|else\s+if\s+)?)")

Props = dict[str, JsonValue]


class Renaming:
    """One node's label changes from `old` to `new` throughout `diagram`, which still has the old.

    Raises `DiagramError` where the new label cannot be written.
    """

    def __init__(self, diagram: Diagram, old: Label, new: Label) -> None:
        self._old, self._new = old, new
        self._labels = {node.label for node in diagram.nodes}
        self._everywhere = frozenset(_given_everywhere(diagram))
        self._edges: dict[Label, set[Label]] = {}
        for edge in diagram.edges:
            if edge.label is not None:
                self._edges.setdefault(edge.target, set()).add(edge.label)

    def props(self, node: NodeSpec) -> Props:
        """A node's properties with the new label in the place of the old one."""
        given = self._everywhere | self._edges.get(node.label, set())
        return {
            name: _Property(self._old, self._new, node.label, name, self._labels, given).value(each)
            for name, each in node.props.items()
        }


def rename_person(node: NodeSpec, old: Label, new: Label) -> Props:
    """A node's properties with a person's new label in the place of the old one."""

    def renamed(label: JsonValue) -> JsonValue:
        return new if label == old else label

    props = {name: renamed(v) if name in _PERSONS else v for name, v in node.props.items()}
    ignored = props.get("ignore_person")
    if isinstance(ignored, list):
        props["ignore_person"] = [renamed(each) for each in ignored]
    elif isinstance(ignored, str) and old in map(str.strip, ignored.split(",")):
        if "," in new:
            message = f"{new!r} cannot stand in a list that is separated by commas."
            raise _unwritable(message, node.label, "ignore_person", "Write a list: `[a, b]`.")
        parts = ignored.split(",")
        spaced = (part.replace(old, new) if part.strip() == old else part for part in parts)
        props["ignore_person"] = ",".join(spaced)
    return props


def names_person(node: NodeSpec, person: Label) -> bool:
    """Whether a node speaks to a person, or asks it what to remember."""
    return any(node.props.get(name) == person for name in _PERSONS)


def _given_everywhere(diagram: Diagram) -> Iterator[str]:
    """Names that go before labels in every node: counters and the data of start nodes."""
    for node in diagram.nodes:
        if isinstance(counter := node.props.get("expose_index_as"), str):
            yield counter
        if node.type.lower() == "start":
            for name in ("custom_data", "initialData", "data"):
                data = node.props.get(name)
                yield from data if isinstance(data, dict) else ()


class _Property:
    """One property of one node; `given` are names that stand for something else than nodes."""

    def __init__(
        self,
        old: Label,
        new: Label,
        node: Label,
        name: str,
        labels: Collection[Label],
        given: Collection[str],
    ) -> None:
        self._old, self._new, self._node, self._name = old, new, node, name
        self._labels, self._given = labels, given

    def value(self, value: JsonValue) -> JsonValue:
        if self._name in _UNTOUCHED:
            return value
        if self._name in _LISTS_OF_NODES and isinstance(value, list):
            return [self._new if each == self._old else each for each in value]
        rename = self._expression if self._name in _EXPRESSIONS else self._template
        return _mapped(value, rename)

    def _refuse(self, reason: str) -> DiagramError:
        message = f"Node {self._node!r} names {self._old!r} in `{self._name}`, {reason}"
        return _unwritable(message, self._node, self._name, "Choose another label.")

    def _check_meaning(self) -> None:
        if self._new in self._given:
            raise self._refuse(f"where {self._new!r} means another value already.")

    # --- templates

    def _template(self, text: str) -> str:
        if self._name in _FILES:
            text = self._braced(text)
        if self._old in self._given or self._old not in text or "{{" not in text:
            return text
        try:
            values = list(_open_values(template_syntax.parse(text), self._old))
        except TemplateError:
            return text
        before = text
        # From the end, so that the offsets before stay true.
        for value in sorted(values, key=lambda each: -each.offset):
            if self._names_old(value):
                text = self._tag(text, value)
        if text != before and _is_valid(before) and not _is_valid(text):
            # A name that is no path is found only as long as there is a node of this name.
            raise self._between_braces()
        return text

    def _braced(self, text: str) -> str:
        """`{name}`, which the paths of files may say too."""
        if self._old in self._given:
            return text
        pattern = re.compile(rf"(?<!\{{)\{{{re.escape(self._old)}(?=\.\w|\}}(?!\}}))")
        if not pattern.search(text):
            return text
        if not self._new.isidentifier():
            raise self._refuse(f"where {self._new!r} cannot be written in braces.")
        return pattern.sub(lambda _: "{" + self._new, text)

    def _names_old(self, value: Value) -> bool:
        paths = [value.path, *([value.optional] if value.optional else [])]
        if any(path.whole == self._old for path in paths):
            return True
        if any(path.whole in self._labels for path in paths):
            return False
        return any(path.root == self._old for path in paths)

    def _tag(self, text: str, value: Value) -> str:
        self._check_meaning()
        opening = _TAG.match(text, value.offset)
        assert opening is not None
        start = opening.end()
        if not text.startswith(self._old, start):
            raise self._refuse("in a way that cannot be changed.")
        changed = text[:start] + self._new + text[start + len(self._old) :]
        if not self._means_new(changed, value):
            raise self._between_braces()
        return changed

    def _between_braces(self) -> DiagramError:
        return self._refuse(f"where {self._new!r} cannot be written between {{{{ and }}}}.")

    def _means_new(self, text: str, before: Value) -> bool:
        try:
            values = list(_open_values(template_syntax.parse(text), self._new))
        except TemplateError:
            return False
        found = next((each for each in values if each.offset == before.offset), None)
        if found is None or found.filters != before.filters:
            return False
        pairs = [(before.path, found.path), (before.optional, found.optional)]
        return any(self._leads(*pair) for pair in pairs)

    def _leads(self, before: Path | None, found: Path | None) -> bool:
        """Whether a path that led to the old label leads to the new one in the same way."""
        if before is None or found is None:
            return False
        # A name with dots or brackets is understood when nothing follows it.
        if before.whole == self._old and found.whole == self._new:
            return True
        rest = (before.steps, before.wrong) == (found.steps, found.wrong)
        return rest and (before.root, found.root) == (self._old, self._new)

    # --- expressions

    def _expression(self, text: str) -> str:
        if self._old not in text:
            return text
        try:
            tree = expression_syntax.parse(text)
        except ExpressionError:
            return text
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        spots = [*self._calls(text, tree), *self._names(text, tree)]
        for start, end, written in sorted(spots, reverse=True):
            text = text[:start] + written + text[end:]
        try:
            check_expression(text)
        except ExpressionError:
            raise self._refuse(f"where {self._new!r} cannot be written.") from None
        return text

    def _names(self, text: str, tree: ast.expr) -> Iterator[tuple[int, int, str]]:
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Name) or node.id != self._old:
                continue
            if id(node) in called or self._old in self._given:
                continue
            self._check_meaning()
            if not _is_name(self._new):
                raise self._refuse(f"where {self._new!r} cannot be written as a name.")
            start = _offset(text, node)
            yield start, start + len(self._old), self._new

    def _calls(self, text: str, tree: ast.expr) -> Iterator[tuple[int, int, str]]:
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id="iterations"), args=[ast.Constant() as label]):
                    if label.value == self._old:
                        start = _offset(text, label)
                        written = ast.get_source_segment(f"({text}\n)", label) or ""
                        yield start, start + len(written), _quoted(self._new, written[0])


def _mapped(value: JsonValue, change: Callable[[str], str]) -> JsonValue:
    match value:
        case str():
            return change(value)
        case list():
            return [_mapped(each, change) for each in value]
        case dict():
            return {key: _mapped(each, change) for key, each in value.items()}
        case _:
            return value


def _open_values(pieces: Iterable[Piece], name: str) -> Iterator[Value]:
    """The values in which `name` is not hidden by a loop's own names."""
    for piece in pieces:
        match piece:
            case Value():
                yield piece
            case Block(kind=kind, value=value):
                yield value
                if kind != "each" or name not in _LOOP_NAMES:
                    yield from _open_values(piece.pieces, name)
                yield from _open_values(piece.otherwise, name)


def _is_valid(text: str) -> bool:
    try:
        template.check(text)
    except TemplateError:
        return False
    return True


def _is_name(text: str) -> bool:
    try:
        return names_in_expression(text) == {text} and text.isidentifier()
    except ExpressionError:
        return False


def _offset(text: str, node: ast.expr) -> int:
    line, column = expression_syntax.place(text, node)
    return sum(len(each) + 1 for each in text.split("\n")[: line - 1]) + column - 1


def _quoted(text: str, quote: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return f"{quote}{escaped}{quote}"


def _unwritable(message: str, node: Label, name: str, hint: str) -> DiagramError:
    return DiagramError(Problem("bad_label", message, node, ("nodes", node, name), hint))
