"""Collects what is wrong with a text while it is read, each problem with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from ..errors import DiagramError, Problem
from .model import Diagram
from .older import places_of_secrets
from .source import Path, Reading, Source, read
from .wrong_values import kind, wrong_values
from .yaml.tree import MOST_PROBLEMS

Model = TypeVar("Model", bound=BaseModel)
Map = dict[str, JsonValue]


class Report:
    """The problems found so far. `source` tells their places, and may learn better names."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []

    @property
    def full(self) -> bool:
        """Whether there are more problems than anybody reads."""
        return len(self.problems) >= MOST_PROBLEMS

    def add(self, code: str, message: str, path: Path, hint: str | None = None) -> None:
        """Note a problem with the part of the diagram that `path` leads to."""
        self.include(Problem(code, message, _node(path), path, hint))

    def include(self, problem: Problem) -> None:
        """Note a problem that somebody else has put in words."""
        if not self.full:
            self.problems.append(self.source.locate(problem))

    def build(self, model: type[Model], fields: Mapping[str, object], path: Path) -> Model | None:
        """The model with these fields; None when a value is wrong, which is then noted."""
        try:
            return model.model_validate(fields)
        except ValidationError as error:
            for wrong in wrong_values(error):
                self.add("bad_value", wrong.message, (*path, *wrong.path), wrong.hint)
            return None

    def map(self, value: JsonValue, path: Path) -> Map:
        """A map that may be left out; anything else is noted."""
        if isinstance(value, dict):
            return value
        if value is not None:
            self.add("bad_value", f"`{path[-1]}` must be a map, not {kind(value)}.", path)
        return {}

    def warn_of_secrets(self, data: Map) -> None:
        """Note the API keys that older files list with their values: these are not kept."""
        for path in places_of_secrets(data):
            message = "The file holds the value of an API key; it is neither used nor written back."
            hint = "Remove it, and revoke the key: whoever got the file has it."
            self.include(Problem("key_in_file", message, None, path, hint, "warning"))

    def in_order(self) -> tuple[Problem, ...]:
        """All problems, in the order of the file."""
        return tuple(sorted(self.problems, key=lambda problem: problem.line or 0))


def survey_yaml(
    text: str, name: str, version: str, diagram_of: Callable[[Map, Report], Diagram]
) -> Reading:
    """What a format of YAML reads of a text, which is a map at the top; never raises."""
    source = Source(text, name, {})
    try:
        data, source = read(text, name)
        report = Report(source)
        diagram = diagram_of(_top_level(data, version), report)
    except DiagramError as error:
        return Reading(Diagram(), source, error.problems)
    return Reading(diagram, report.source, report.in_order())


def _top_level(data: JsonValue, version: str) -> Map:
    if isinstance(data, dict):
        return data
    message = f"A diagram is a map with a list of `nodes`, not {kind(data)}."
    hint = f"Begin with `version: {version}` and `nodes:`."
    raise DiagramError(Problem("not_a_diagram", message, hint=hint).at(1, 1))


def _node(path: Path) -> str | None:
    match path:
        case ("nodes", str(label), *_):
            return label
        case _:
            return None
