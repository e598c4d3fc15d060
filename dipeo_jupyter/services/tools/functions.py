"""Python functions as tools: what models are told of them, and how they are called."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import ArgsKwargs

from ...diagram.suggest import did_you_mean
from ...engine.chat import TOOL_NAME, Tool
from ...engine.own_thread import in_thread
from ...engine.ports import OutsideTool, ToolResult
from ...engine.values import as_json, is_image
from ...errors import ServiceError

_LONGEST_ERROR = 2_000


@dataclass(frozen=True, slots=True)
class _Function:
    offered: OutsideTool
    adapter: TypeAdapter[Any]
    is_async: bool


class Functions:
    """Functions by their names; a later one takes the place of an earlier one.

    Those that are no coroutines are called in a thread of their own; one that never comes back
    holds up nothing else.
    """

    def __init__(self) -> None:
        self._functions: dict[str, _Function] = {}

    def add(
        self, function: Callable[..., Any], name: str | None = None, *, repeatable: bool = False
    ) -> None:
        """Take a function. Models are told its docstring, and what its annotations say.

        Raises `TypeError` for what is no function, or has parameters that JSON cannot fill;
        `ValueError` for a name that providers refuse.
        """
        own = str(name or getattr(function, "__name__", ""))
        if not callable(function):
            raise TypeError(f"A tool is a function, not {type(function).__name__}.")
        if not re.fullmatch(TOOL_NAME, own):
            raise ValueError(
                f"{own!r} is no name for a tool: up to 64 of the letters a to z, digits, _ and -. "
                'Give it one: `@dipeo.tool(name="…")`.'
            )
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", function))
            parameters = adapter.json_schema()
        except PydanticUserError as error:
            raise TypeError(
                f"{own} cannot be a tool: its parameters have no JSON Schema "
                f"({str(error).splitlines()[0]})"
            ) from None
        if "properties" not in parameters:
            raise TypeError(f"{own} cannot be a tool: its parameters must have names.")
        tool = Tool(own, inspect.getdoc(function) or "", parameters)
        home = f"python:{_version(function)}"
        offered = OutsideTool(tool, home, repeatable)
        self._functions[own] = _Function(offered, adapter, inspect.iscoroutinefunction(function))

    def offered(self) -> list[OutsideTool]:
        """All that there are."""
        # Cells may add some meanwhile, in another thread.
        return [each.offered for each in list(self._functions.values())]

    def find(self, name: str) -> OutsideTool:
        """The function of this name; raises `ServiceError` when there is none."""
        if name not in self._functions:
            hint = did_you_mean(name, self._functions)
            given = hint or f"Write `@dipeo.tool` above `def {name}(…)`, and run that first."
            raise ServiceError(f"There is no function {name!r} among the tools. {given}")
        return self._functions[name].offered

    async def use(self, tool: OutsideTool, arguments: Mapping[str, Any]) -> ToolResult:
        """Call the function as it is now. What it raises is for the model to know."""
        function = self._functions[tool.tool.name]
        call = partial(function.adapter.validate_python, ArgsKwargs((), dict(arguments)))
        try:
            value = call() if function.is_async else await in_thread(call)
            if inspect.isawaitable(value):
                value = await value
            return await in_thread(partial(_result, value))
        except BaseException as error:
            # Somebody else's function: not even its SystemExit ends the run, only who cancels us.
            task = asyncio.current_task()
            if isinstance(error, GeneratorExit) or (task and task.cancelling()):
                raise
            return ToolResult(_words(error)[:_LONGEST_ERROR], failed=True)


def _result(value: Any) -> ToolResult:
    """What a function has returned: text as it is, images as such, all else as JSON."""
    value = as_json(value)
    several = value if isinstance(value, list) else [value]
    if several and all(map(is_image, several)):
        return ToolResult("", images=tuple(several))
    images: list[str] = []
    value = _without_images(value, images)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return ToolResult("" if value is None else text, images=tuple(images))


def _without_images(value: Any, images: list[str]) -> Any:
    """The value with each image in it moved to `images`, and what it is there in its place."""
    if is_image(value):
        images.append(value)
        return f"(image {len(images)})"
    if isinstance(value, dict):
        return {name: _without_images(each, images) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_images(each, images) for each in value]
    return value


def _words(error: BaseException) -> str:
    if isinstance(error, ValidationError) and error.title.startswith(
        "call["
    ):  # not one inside of it
        faults = ("{}: {}".format(".".join(map(str, x["loc"])), x["msg"]) for x in error.errors())
        return f"The arguments are wrong: {'; '.join(faults)}"
    name = type(error).__name__
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - somebody else's class
        return name
    return f"{name}: {said}" if said else name


def _version(function: Callable[..., Any]) -> str:
    """Other code is another tool: what the old one gave is not what the new one would."""
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):  # typed into a plain Python, or not written in Python
        code = getattr(function, "__code__", None)
        source = repr((code.co_code, code.co_consts, code.co_names)) if code else repr(function)
    return hashlib.sha256(source.encode()).hexdigest()[:12]
