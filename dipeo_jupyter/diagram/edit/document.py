"""A diagram's file open for editing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from ...errors import DiagramError, Problem
from ..files import detect, dumps, survey_text
from ..model import Diagram, Edge, NodeSpec
from ..source import Reading
from .difference import Difference, Extent, Extents
from .edits import Edit
from .meaning import apply
from .outline import Outline
from .spans import spans
from .splicing import CannotSpliceError, same
from .styles import write_flow


@dataclass(frozen=True)
class Document:
    """A text and the diagram it stands for, which edits change together.

    A light text stays as it is wherever an edit does not concern it: comments, order, quotes,
    spaces, line breaks. A text in another format is written anew. `rewritten` is the largest piece
    that the last edit had to write anew.

    >>> from dipeo_jupyter.diagram.edit.edits import SetName
    >>> Document("nodes: []  # none yet").apply(SetName(name="tea")).text.splitlines()
    ['name: tea', 'nodes: []  # none yet']
    """

    text: str
    name: str = "diagram"
    rewritten: Extent = field(default="value", compare=False)
    _known: Diagram | None = field(default=None, repr=False, compare=False)

    @cached_property
    def reading(self) -> Reading:
        """The text as read, with all that is wrong with it."""
        return survey_text(self.text, self.name)

    @property
    def diagram(self) -> Diagram:
        """The diagram; raises `DiagramError` when the text has errors."""
        return self._known or self.reading.checked().diagram

    def apply(self, *edits: Edit) -> Document:
        """The document after these edits: reading its text gives the edited diagram.

        Raises `DiagramError` for an edit that cannot be made, or a text that has errors.
        """
        document = self
        for edit in edits:
            document = document.replaced(apply(document.diagram, edit))
        return document

    def replaced(self, diagram: Diagram) -> Document:
        """The document with another diagram, of which only the differences are written."""
        old = self.diagram
        if same(old, diagram):
            return replace(self, rewritten="value", _known=diagram)
        if detect(self.text, self.name) == "light" and (spliced := self._spliced(old, diagram)):
            return spliced
        text = dumps(diagram, detect(self.text, self.name))
        text = text.replace("\n", "\r\n") if "\r\n" in self.text else text
        if same(self._found_in(text), diagram):
            return Document(text, self.name, "file", diagram)
        message = "The diagram cannot be written in this format so that it reads back the same."
        raise DiagramError(Problem("bad_value", message))

    def _spliced(self, old: Diagram, new: Diagram) -> Document | None:
        """The light text with as little as possible written anew; None when it must all be."""
        outline = Outline(self.text, len(old.nodes), len(old.edges))
        extents: Extents | None = None
        tried: set[str] = set()
        while True:
            difference, found = Difference(outline, old, new, extents), None
            for text in _texts(difference):
                if text in tried:
                    continue
                tried.add(text)
                document = Document(text, self.name, difference.rewritten, new)
                if _is_local(outline, difference, text):
                    return document
                reading = survey_text(text, self.name)
                found = reading.diagram
                if not reading.errors and same(found, new):
                    return document
            extents = difference.coarser(found)
            if extents is None:
                return None

    def _found_in(self, text: str) -> Diagram | None:
        """The diagram that a text says; None when it has errors."""
        reading = survey_text(text, self.name)
        return None if reading.errors else reading.diagram


def _texts(difference: Difference) -> Iterator[str]:
    """The text that a difference makes, if it can make one."""
    try:
        text = difference.text()
    except (CannotSpliceError, DiagramError):
        return
    yield text
    if not text.endswith("\n"):
        # A block of text at the very end may need its last line break.
        yield text + ("\r\n" if "\r\n" in text else "\n")


def _is_local(outline: Outline, difference: Difference, text: str) -> bool:
    """Whether only nodes and edges changed, in lines of their own that mean the right thing.

    Then the rest of the text need not be read again: block items are YAML by themselves, and what
    a node means depends on nothing else as long as labels and ids stay.
    """
    if not outline.by_line or (places := difference.places()) is None:
        return False
    shift = 0
    for start, end, was, now, longer in sorted(places, key=lambda each: each[0]):
        piece = text[start + shift : end + shift + longer]
        shift += longer
        if _named(was) != _named(now) or not (
            _is_alone(outline.text[start:end], was) and _is_alone(piece, now)
        ):
            return False
    return len(text) - len(outline.text) == shift


def _named(part: NodeSpec | Edge) -> tuple[object, ...]:
    """What a part has to do with others; older files name nodes by their ids too."""
    if isinstance(part, NodeSpec):
        return (part.label, part.props.get("id"))
    return (part.source, part.source_handle, part.target, part.target_handle)


def _is_alone(lines: str, part: NodeSpec | Edge) -> bool:
    """Whether lines of a list mean this node or edge, whatever stands around them."""
    span = spans(lines)
    if span is None or any(each.anchor for each in span.parts()):
        return False
    if isinstance(part, NodeSpec):
        reading = survey_text(f"version: light\nnodes:\n{lines}")
        found: tuple[NodeSpec | Edge, ...] = reading.diagram.nodes
    else:
        ends = {part.source: None, part.target: None}
        nodes = write_flow([{"label": label, "type": "job"} for label in ends])
        reading = survey_text(f"version: light\nnodes: {nodes}\nconnections:\n{lines}")
        found = reading.diagram.edges
    return not reading.errors and len(found) == 1 and same(found[0], part)
