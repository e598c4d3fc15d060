"""Completion in `%%dipeo` cells and `%dipeo` lines.

What fits into a diagram is the business of `diagram/completion`, what fits on a line that of
`line_completion`; this is how IPython asks for it. In other cells nothing changes.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from IPython.core.completer import SimpleCompletion, context_matcher

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

    from ..diagram.completion import Completions

_CELL = re.compile(r"\s*%%dipeo(?=[ \t\n])(?P<line>[^\n]*)\n?")
_LINE = re.compile(r"(?:[^'\"#]*=)?[ \t]*%dipeo(?=[ \t])(?P<line>.*)")
_AHEAD_OF_ALL = 1000
_log = logging.getLogger(__name__)


class _Nothing(Sequence[SimpleCompletion]):
    """No suggestions, and yet something: IPython asks others when a matcher has nothing at all."""

    @overload
    def __getitem__(self, index: int) -> SimpleCompletion: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SimpleCompletion]: ...
    def __getitem__(self, index: int | slice) -> SimpleCompletion | Sequence[SimpleCompletion]:
        raise IndexError(index)

    def __len__(self) -> int:
        return 1


class _Place(NamedTuple):
    """A text of ours, the cursor in it, and what may be written there."""

    text: str
    offset: int
    found: Completions


class Matcher:
    """Knows the shell, whose variables a line may name."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell

    @context_matcher(identifier="dipeo", priority=_AHEAD_OF_ALL)  # type: ignore[untyped-decorator]
    def match(self, context: CompletionContext) -> SimpleMatcherResult:
        """IPython's hook: what may be written at the cursor; nothing outside of our cells."""
        try:
            place = self._place(context)
        except Exception:  # noqa: BLE001 - our mistakes must not break the kernel's completion
            _log.debug("no completion", exc_info=True)
            place = None
        if place is None:
            return {"completions": [], "suppress": False}
        found = [SimpleCompletion(item.text, type=item.kind) for item in place.found.items]
        return {
            "completions": found or _Nothing(),
            "matched_fragment": place.text[place.found.start : place.offset],
            "suppress": True,
            "ordered": True,
        }

    def _place(self, context: CompletionContext) -> _Place | None:
        text, line = context.full_text, context.line_with_cursor
        above = text.split("\n")[: context.cursor_line]
        offset = sum(len(each) + 1 for each in above) + context.cursor_position
        cell = _CELL.match(text)
        if cell and offset >= cell.end():
            return _in_diagram(text[cell.end() :], offset - cell.end())
        if cell and offset >= cell.start("line"):
            return self._in_cell_line(cell["line"], offset - cell.start("line"), text[cell.end() :])
        command = _LINE.match(line)
        if not cell and command and context.cursor_position >= command.start("line"):
            return self._in_command(
                command["line"], context.cursor_position - command.start("line")
            )
        return None

    def _in_cell_line(self, line: str, offset: int, diagram: str) -> _Place:
        from .line_completion import complete_cell_line  # noqa: PLC0415 - at the first completion

        return _Place(line, offset, complete_cell_line(line[:offset], diagram, self._variables()))

    def _in_command(self, line: str, offset: int) -> _Place:
        from .line_completion import complete_command  # noqa: PLC0415 - at the first completion

        return _Place(line, offset, complete_command(line[:offset], self._variables()))

    def _variables(self) -> Mapping[str, Any]:
        """What the notebook itself has defined."""
        hidden = self._shell.user_ns_hidden
        return {
            name: value
            for name, value in self._shell.user_ns.items()
            if name not in hidden and not name.startswith("_")
        }


def _in_diagram(text: str, offset: int) -> _Place:
    from ..diagram.completion import complete  # noqa: PLC0415 - at the first completion

    return _Place(text, offset, complete(text, offset, _schema()))


@cache
def _schema() -> Mapping[str, Any]:
    """What the installed node types allow; they are loaded once."""
    from ..engine.light_schema import light_schema  # noqa: PLC0415 - at the first completion
    from ..nodes import load_node_types  # noqa: PLC0415 - as above

    return light_schema(load_node_types())


def register(shell: InteractiveShell) -> None:
    """Let a shell complete what is ours."""
    unregister(shell)
    shell.Completer.custom_matchers.append(Matcher(shell).match)


def unregister(shell: InteractiveShell) -> None:
    """Undo `register`, however often it was called."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [
        each for each in matchers if not isinstance(getattr(each, "__self__", None), Matcher)
    ]
