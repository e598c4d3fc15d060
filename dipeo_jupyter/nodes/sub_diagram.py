"""The `sub_diagram` node: runs another diagram, once or for each item of a list."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from types import ModuleType
from typing import Any, ClassVar

from pydantic import AliasChoices, Field, JsonValue

from ..diagram import expression, light, native, readable
from ..diagram.files import Format
from ..diagram.model import DEFAULT
from ..diagram.source import Reading
from ..diagram.suggest import did_you_mean
from ..engine.names import layered
from ..engine.node import ChildResult, Context, ErrorTypes, Inputs, Refusal, Result
from ..engine.ports import Files
from ..errors import ChildError, DiagramError, ExpressionError, NodeError, ServiceError
from .batches import FIELDS, KEYS, OverItems, items_in, names_for
from .diagram_files import read_diagram, readable_diagrams, result_of, wrong_diagram

_MODULES: dict[Format, ModuleType] = {"light": light, "native": native, "readable": readable}


class SubDiagram(OverItems):
    """Runs another diagram as a part of this run, and hands on its result.

    What arrives by name are the inputs of that run, unless `input_mapping` says which. The result
    is the value of its endpoint, or of several endpoints an object by label, unless
    `output_mapping` says what. Its persons know what was said here before, and what is said there
    is known here, unless `isolate_conversation` is set. With `batch: true` it runs once for each
    item of a list, and hands on the list of results.
    """

    type: ClassVar[str] = "sub_diagram"
    keeps_inputs: ClassVar[bool] = True
    retried_errors: ClassVar[ErrorTypes] = (ServiceError, ChildError)
    ignored: ClassVar[frozenset[str]] = frozenset({"passInputData", "pass_input_data"})
    refused: ClassVar[Mapping[str, Refusal]] = dict.fromkeys(
        ("wait_for_completion", "waitForCompletion"),
        Refusal(
            "A run waits for its parts; start a run of its own from outside instead.",
            harmless=(None, True, "true"),
        ),
    )
    example: ClassVar[Mapping[str, JsonValue]] = {
        "diagram_name": "review.light.yaml",
        "input_mapping": {"draft": "text"},
    }

    diagram_name: str | None = Field(
        None,
        validation_alias=AliasChoices("diagram_name", "diagramName"),
        description="The diagram's file, relative to the run's root; its suffix may be left out.",
        examples=["review.light.yaml"],
    )
    diagram_data: dict[str, JsonValue] | None = Field(
        None,
        validation_alias=AliasChoices("diagram_data", "diagramData"),
        description="The diagram itself, instead of `diagram_name`.",
        examples=[{"nodes": [{"label": "start", "type": "start"}]}],
    )
    diagram_format: Format | None = Field(
        None,
        validation_alias=AliasChoices("diagram_format", "diagramFormat"),
        description="How it is written. By default its suffix and its content tell.",
    )
    input_mapping: dict[str, JsonValue] | None = Field(
        None,
        validation_alias=AliasChoices("input_mapping", "inputMapping"),
        description=(
            "The inputs of that run: each name with what it is, an input or a path into one. "
            "By default all that arrives by name."
        ),
        examples=[{"draft": "text", "author": "page.author"}],
    )
    output_mapping: dict[str, str] | None = Field(
        None,
        validation_alias=AliasChoices("output_mapping", "outputMapping"),
        description="The keys of the result: each with an endpoint of that run, or a path into it.",
        examples=[{"verdict": "result", "score": "result.score"}],
    )
    isolate_conversation: bool = Field(
        default=False,
        validation_alias=AliasChoices("isolate_conversation", "isolateConversation"),
        description="Nobody there knows what was said here, and the other way round.",
    )
    ignore_if_sub: bool = Field(
        default=False,
        validation_alias=AliasChoices("ignore_if_sub", "ignoreIfSub"),
        description="In a run that is a part of another one, only hand on what arrives.",
    )
    batch: bool = Field(default=False, description="Run once for each item of a list.")

    def contradictions(self) -> Iterator[str]:
        if (not self.diagram_name) == (self.diagram_data is None):
            yield "needs a `diagram_name` or `diagram_data`, and not both"

    def without_effect(self) -> Mapping[str, str]:
        if self.batch:
            return {} if self.parallel else {"max_concurrency": "has no effect without `parallel`"}
        return dict.fromkeys(FIELDS, "counts only with `batch: true`")

    @property
    def output_keys(self) -> Collection[str] | None:
        if self.batch:
            return KEYS if self.partial else ()
        return tuple(self.output_mapping) if self.output_mapping else None

    @cached_property
    def _inline(self) -> Reading:
        data = self.diagram_data or {}
        kind = self.diagram_format or _format_of(data)
        reading: Reading = _MODULES[kind].survey(json.dumps(data, ensure_ascii=False, indent=1))
        return reading

    def inner(self) -> tuple[str, Reading] | None:
        return None if self.diagram_data is None else ("diagram_data", self._inline)

    async def diagrams(self, files: Files) -> Sequence[Reading]:
        if self.diagram_name is None:
            return ()
        found = readable_diagrams(self.diagram_name, self.diagram_format, files)
        return [each async for each in found]

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        if self.ignore_if_sub and ctx.path:
            return Result.value(inputs.single())
        reading = await self._read(ctx)
        if self.batch:
            return await self._each(reading, inputs, ctx)
        given = _given(ctx)
        if self.input_mapping is not None:
            given = self._mapped(layered(given, ctx.names), given)
        done = await self._run(reading, given, ctx)
        return self._result(self._value(done), [done])

    async def _each(self, reading: Reading, inputs: Inputs, ctx: Context) -> Result:
        items = items_in(inputs, ctx, self.items)
        named = {name: value for name, value in _given(ctx).items() if value is not items}

        async def one(index: int, item: Any) -> tuple[ChildResult, Any]:
            about = {**(item if isinstance(item, dict) else {}), "item": item, "index": index}
            given = named
            if self.input_mapping is not None:
                names = layered(about, named, names_for(ctx, index, item))
                given = self._mapped(names, named)
            done = await ctx.attempt(lambda: self._run(reading, {**given, **about}, ctx, index))
            return done, self._value(done)

        done = await self.each(items, ctx, one)
        value = self.collected(done, lambda each: each[1])
        return self._result(value, [each[0] for each in done if isinstance(each, tuple)])

    async def _run(
        self, reading: Reading, given: Mapping[str, Any], ctx: Context, item: int | None = None
    ) -> ChildResult:
        shared = not self.isolate_conversation
        file = reading.source if self.diagram_data is None else None
        try:
            return await ctx.run_diagram(
                reading.diagram, given, item=item, shared=shared, file=file
            )
        except DiagramError as error:
            raise self._wrong(reading, error) from error

    def _result(self, value: Any, done: list[ChildResult]) -> Result:
        said = () if self.isolate_conversation else (x for each in done for x in each.messages)
        # What an edge brought from outside may have been heard by several.
        return Result({DEFAULT: value}, messages=tuple(dict.fromkeys(said)))

    # -- the diagram ------------------------------------------------------------------------------

    async def _read(self, ctx: Context) -> Reading:
        reading = self._inline
        if self.diagram_data is None:
            name, kind, files = self.diagram_name or "", self.diagram_format, ctx.services.files
            reading = await read_diagram(name, kind, files, "diagram_name")
        try:
            return reading.checked()
        except DiagramError as error:
            raise self._wrong(reading, error) from error

    def _wrong(self, reading: Reading, error: DiagramError) -> NodeError:
        inline = self.diagram_data is not None
        field = "diagram_data" if inline else "diagram_name"
        return wrong_diagram(reading, error, field, inline=inline)

    # -- what goes in, and what comes out ---------------------------------------------------------

    def _mapped(self, names: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        seen = layered(names, {"inputs": dict(given)})
        return {
            name: self._found(source, seen) for name, source in (self.input_mapping or {}).items()
        }

    def _found(self, source: JsonValue, names: Mapping[str, Any]) -> Any:
        if not isinstance(source, str):
            return source
        if source in names:
            return names[source]
        try:
            return expression.evaluate(source, names)
        except ExpressionError as error:
            raise NodeError(f"{source!r} is not there: {error}", field="input_mapping") from error

    def _value(self, done: ChildResult) -> Any:
        outputs = done.outputs
        if self.output_mapping:
            return {key: _at(outputs, path) for key, path in self.output_mapping.items()}
        return result_of(outputs)


def _format_of(data: Mapping[str, Any]) -> Format:
    if data.keys() & {"flow", "workflow"}:
        return "readable"
    is_native = data.keys() & {"arrows", "handles"} or isinstance(data.get("nodes"), dict)
    return "native" if is_native else "light"


def _given(ctx: Context) -> dict[str, Any]:
    """All that arrives by name; of an unlabelled object its keys alone."""
    return {
        name: value
        for name, value in ctx.named_inputs.items()
        if not (name == DEFAULT and isinstance(value, Mapping))
    }


def _at(outputs: Mapping[str, Any], path: str) -> Any:
    """The result that a label stands for, or a piece of it (`result.score`)."""
    labels = [label for label in outputs if path == label or path.startswith(f"{label}.")]
    if not labels:
        hint = did_you_mean(path.partition(".")[0], outputs) or "It has no results."
        message = f"the diagram has no result {path!r}. {hint}"
        raise NodeError(message, field="output_mapping")
    label = max(labels, key=len)
    value = outputs[label]
    for name in path[len(label) + 1 :].split(".") if len(path) > len(label) else ():
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        elif name != "value" or isinstance(value, Mapping):  # DiPeO's results were wrapped so
            message = f"the result {label!r} has nothing at {path!r}"
            raise NodeError(message, field="output_mapping")
    return value
