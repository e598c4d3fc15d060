"""The Python functions of this process that diagrams may name as tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from .functions import Functions

F = TypeVar("F", bound=Callable[..., Any])

FUNCTIONS = Functions()
"""Those of this process. A decorator has nobody to be handed them from."""


@overload
def tool(function: F, /, *, name: str | None = None, repeatable: bool = False) -> F: ...


@overload
def tool(*, name: str | None = None, repeatable: bool = False) -> Callable[[F], F]: ...


def tool(
    function: F | None = None, /, *, name: str | None = None, repeatable: bool = False
) -> F | Callable[[F], F]:
    """Let persons use a function: `@dipeo.tool`, and `tools: [its_name]` in a diagram.

    Models are told its name, its docstring and its parameters, by their annotations. What it
    returns goes back to them: text as it is, images as such, all else as JSON; and so does what it
    raises. It may be a coroutine function; others are called in a thread.

    One that is `repeatable` changes nothing, or twice is the same as once: it may be used while
    others are, and again when a run is gone on with that was interrupted in the middle of it.
    Otherwise people are asked then.

    Raises `TypeError` or `ValueError` for a function that cannot be a tool.
    """

    def add(function: F) -> F:
        FUNCTIONS.add(function, name, repeatable=repeatable)
        return function

    return add if function is None else add(function)
