"""What may be written on the line of a magic: its options, and what their values are.

Read off the argument parsers of the magics, so that there is no second list of options.
"""

# ruff: noqa: SLF001 (argparse tells nobody what it knows)
from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from ..diagram.completion import Completions, Item
from ..diagram.completion.items import matching
from ..diagram.completion.outline import Outline
from ..diagram.completion.reading import read

_DIAGRAMS = (".yaml", ".yml", ".json")
_WRITTEN = (*_DIAGRAMS, ".svg", ".mmd")
_CASSETTES = (".yaml", ".yml")
_MOST_FILES = 1000
Offer = Callable[[str], Iterable[Item]]


def complete_cell_line(typed: str, diagram: str, variables: Mapping[str, Any]) -> Completions:
    """What may follow `%%dipeo …` above a diagram."""
    from .magics import cell_options  # noqa: PLC0415 - the magics know this module

    outline = Outline(read(diagram))
    offers: dict[str, Offer] = {
        "inputs": lambda word: () if "=" in word else _inputs(outline, variables),
        "answers": lambda _: _variables(variables, lambda value: isinstance(value, Mapping)),
        "out": lambda _: (
            Item(label, "node", node.type)
            for label, node in outline.by_label.items()
            if label.isidentifier()
        ),
        "breakpoints": lambda _: (
            Item(label, "node", node.type)
            for label, node in outline.by_label.items()
            if shlex.quote(label) == label
        ),
        "since": lambda _: _variables(variables, _is_run),
        "cassette": lambda word: _files(word, _CASSETTES),
    }
    return _complete(cell_options(), typed, offers)


def complete_command(typed: str, variables: Mapping[str, Any]) -> Completions:
    """What may follow `%dipeo …`."""
    from ..diagram.problems import CODES  # noqa: PLC0415 - with the next
    from .commands import command_options  # noqa: PLC0415 - the magics know this module

    def diagrams(word: str) -> Iterator[Item]:
        yield from _variables(variables, _may_be_diagram)
        yield from _files(word, _DIAGRAMS)

    offers: dict[str, Offer] = {
        "diagram": diagrams,
        "before": diagrams,
        "after": diagrams,
        "file": lambda word: _files(word, _WRITTEN),
        "code": lambda _: (Item(code, "value") for code in CODES),
        "run": lambda _: _variables(variables, _is_run),
        "since": lambda _: _variables(variables, _is_run),
        "node": lambda _: _nodes(typed, variables),
        "places": lambda _: _nodes(typed, variables),
        "at": lambda _: _activations(typed, variables),
        "key": lambda _: _keys(),
        "keys": lambda _: _keys(),
        "cassette": lambda word: _files(word, _CASSETTES),
    }
    return _complete(command_options(), typed, offers)


def _complete(
    parser: argparse.ArgumentParser, typed: str, offers: Mapping[str, Offer]
) -> Completions:
    words = typed.split()
    word = words.pop() if words and not typed[-1].isspace() else ""
    line = _Line(parser)
    for each in words:
        line.take(each)
    items = matching(word, line.offered(word, offers))
    return Completions(len(typed) - len(word), tuple(items))


class _Line:
    """A line, read word by word as the parser will read it."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._begin(parser)

    def _begin(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._positionals = [each for each in parser._actions if not each.option_strings]
        self._option: argparse.Action | None = None
        self._used: list[argparse.Action] = []

    def take(self, word: str) -> None:
        """Go on behind a word."""
        option = self._parser._option_string_actions.get(word.partition("=")[0])
        if option is not None:
            self._used.append(option)
            self._option = None if option.nargs == 0 or "=" in word else option
        elif self._option is not None:
            self._option = None if self._option.nargs is None else self._option
        elif self._positionals:
            self._take_positional(word)

    def offered(self, word: str, offers: Mapping[str, Offer]) -> Iterator[Item]:
        """What may come next, of which this word is typed already."""
        awaited = self._option or next(iter(self._positionals), None)
        if isinstance(awaited, argparse._SubParsersAction):
            for command in awaited._choices_actions:
                yield Item(command.dest, "command", command.help or "")
        elif awaited is not None and awaited.choices:
            yield from (Item(str(choice), "value") for choice in awaited.choices)
        elif awaited is not None and awaited.dest in offers:
            yield from offers[awaited.dest](word)
        if self._option is None or self._option.nargs == "+":
            yield from self._options()

    def _options(self) -> Iterator[Item]:
        excluded = set(self._used)
        for group in self._parser._mutually_exclusive_groups:
            if not excluded.isdisjoint(group._group_actions):
                excluded.update(group._group_actions)
        for action in self._parser._actions:
            if action not in excluded:
                long = (name for name in action.option_strings if name.startswith("--"))
                yield from (Item(name, "option", action.help or "") for name in long)

    def _take_positional(self, word: str) -> None:
        action = self._positionals.pop(0)
        if isinstance(action, argparse._SubParsersAction) and word in action.choices:
            self._begin(action.choices[word])


def _inputs(outline: Outline, variables: Mapping[str, Any]) -> Iterator[Item]:
    """Variables, and the start data that a diagram has of its own."""
    yield from _variables(variables, lambda value: not callable(value))
    for name in outline.data(outline.by_label):
        yield Item(f"{name}=", "variable", "data of the start node")


def _variables(variables: Mapping[str, Any], fits: Callable[[Any], bool]) -> Iterator[Item]:
    for name, value in variables.items():
        if fits(value) and not isinstance(value, ModuleType):
            yield Item(name, "variable", type(value).__name__)


def _may_be_diagram(value: Any) -> bool:
    from ..diagram.model import Diagram  # noqa: PLC0415 - at the first completion
    from .run import Run  # noqa: PLC0415 - as above

    return isinstance(value, Run | Diagram | Path) or (isinstance(value, str) and "\n" in value)


def _is_run(value: Any) -> bool:
    from .run import Run  # noqa: PLC0415 - at the first completion

    return isinstance(value, Run)


def _nodes(typed: str, variables: Mapping[str, Any]) -> Iterator[Item]:
    """The nodes of the run that is named on the line."""
    run = next((variables[word] for word in typed.split() if _is_run(variables.get(word))), None)
    for spec in run.diagram.nodes if run is not None else ():
        if shlex.quote(spec.label) == spec.label:
            yield Item(spec.label, "node", spec.type)


def _activations(typed: str, variables: Mapping[str, Any]) -> Iterator[Item]:
    """What has fired in the run that is named on the line."""
    run = next((variables[word] for word in typed.split() if _is_run(variables.get(word))), None)
    for record in run.to_records() if run is not None else ():
        if shlex.quote(record["node"]) == record["node"]:
            yield Item(f"{record['node']}[{record['activation']}]", "node", record["status"])


def _keys() -> Iterator[Item]:
    from .key_commands import desk  # noqa: PLC0415 - the magics know this module

    yield from (Item(name, "value", "provider or key") for name in desk().names())


def _files(word: str, suffixes: tuple[str, ...]) -> Iterator[Item]:
    """Folders, and files of these kinds, whose names need no quotes."""
    head = word[: word.rfind("/") + 1]
    try:
        entries = sorted(islice(Path(head or ".").iterdir(), _MOST_FILES))
    except OSError:  # no such folder, or not for us
        return
    for path in entries:
        name = f"{head}{path.name}" + ("/" if path.is_dir() else "")
        wanted = path.is_dir() or path.suffix in suffixes
        if wanted and not path.name.startswith(".") and shlex.quote(name) == name:
            yield Item(name, "path")
