"""`hook`: tells something outside of a run that it has come so far."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from ..diagram.model import Diagram, Label
from ..diagram.wrong_values import wrong_values
from ..engine.node import Context, Inputs, Node, Refusal, Result, RetryPolicy
from ..engine.powers import Power
from ..errors import NodeError, Problem
from .api_job import ApiJob, Method, json_content
from .db import Db
from .formats import FormatOrNone, structured
from .job import Job
from .request_parts import AuthConfigOrNone, AuthType, Headers
from .spellings import spelled

HookType = Literal["shell", "webhook", "python", "file"]
_OTHER_NAMES: Mapping[str, HookType] = {"http": "webhook", "api": "webhook", "bash": "shell"}
_NEEDS: Mapping[HookType, str] = {
    "shell": "command",
    "webhook": "url",
    "python": "script",
    "file": "file_path",
}
_OF_JOB = {"code": "command", "file_path": "script"}
_CODE = re.compile(r"\S\s*\n\s*\S|[\s(=](?!.*\.py\s*$)")
"""What no script's name holds: a second line, or a word beside another in what is no `….py`."""
_OLDER = {"config": "the settings in it, beside `hook_type`"}


def _hook_type(value: Any) -> Any:
    name = value.strip().lower() if isinstance(value, str) else value
    return _OTHER_NAMES.get(name, name) if isinstance(name, str) else value


class Hook(Node):
    """Runs a command, sends what arrives to an address, calls a function, or writes a file.

    `shell` and `python` are jobs in the sandbox, where the inputs are `$INPUT_<name>` or variables.
    `webhook` sends the inputs as JSON, as an `api_job` does; `file` writes them, as a `db` does.
    """

    type: ClassVar[str] = "hook"
    keeps_inputs: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("url", "headers", "file_path")
    default_retry: ClassVar[RetryPolicy | None] = RetryPolicy()
    example: ClassVar[Mapping[str, JsonValue]] = {
        "hook_type": "webhook",
        "url": "https://example.org/done",
    }
    older: ClassVar[Mapping[str, str]] = _OLDER
    refused: ClassVar[Mapping[str, Refusal]] = {
        "retry_count": Refusal("Write `retry: {max_attempts: 3}`."),
        "env": Refusal("The inputs are the variables: lead a value here by an edge with a label."),
        "cwd": Refusal("A command has a folder of its own, which ends with it."),
    }

    hook_type: Annotated[
        HookType,
        BeforeValidator(_hook_type),
        spelled(get_args(HookType), _OTHER_NAMES, optional=False),
    ] = Field(
        "shell",
        validation_alias=AliasChoices("hook_type", "hookType"),
        description="What is done.",
    )
    command: str | None = Field(
        None,
        description="Of `shell`: the command, in Bash. Values are `$INPUT_<name>`, no text in it.",
        examples=['echo "$INPUT_default" | wc -w'],
    )
    args: tuple[str, ...] = Field(
        (), description="Of `shell`: what is added to the command, each quoted."
    )
    url: str | None = Field(
        None,
        description="Of `webhook`: where to. The host is written out.",
        examples=["https://example.org/done"],
    )
    method: Method = Field("POST", description="Of `webhook`: how it is sent.")
    headers: Headers = Field(default_factory=dict, description="Of `webhook`: further headers.")
    auth_type: AuthType = Field(
        "none",
        description="Of `webhook`: how the key in `auth_config` is sent, if one is.",
    )
    auth_config: AuthConfigOrNone = Field(
        None,
        description="Of `webhook`: which key is sent, by the name of its variable.",
    )
    script: str | None = Field(
        None,
        description="Of `python`: the file with the code, below the run's root.",
        examples=["scripts/report.py"],
    )
    function_name: str | None = Field(
        None,
        validation_alias=AliasChoices("function_name", "functionName"),
        description="Of `python`: the function to call with the inputs.",
        examples=["main"],
    )
    file_path: str | None = Field(
        None,
        validation_alias=AliasChoices("file_path", "filePath"),
        description="Of `file`: the file to write, below the run's root.",
        examples=["reports/{{topic}}.json"],
    )
    format: FormatOrNone = Field(
        None, description="Of `file`: how it is written. By default the suffix tells."
    )

    @model_validator(mode="before")
    @classmethod
    def _older_config(cls, data: Any) -> Any:
        """Read `config: {command, args}` of older files."""
        if not isinstance(data, Mapping) or "config" not in data:
            return data
        config = structured(data["config"])
        if not isinstance(config, Mapping):
            raise ValueError("`config` must be a map")  # noqa: TRY004 - for pydantic
        return {**config, **{name: value for name, value in data.items() if name != "config"}}

    def contradictions(self) -> Iterator[str]:
        needed = _NEEDS[self.hook_type]
        if not (getattr(self, needed) or "").strip():
            yield f"A hook of type {self.hook_type} needs `{needed}`."
        elif self.hook_type == "python" and _CODE.search((self.script or "").strip()):
            yield (
                "`script` is the name of a file below the run's root, such as scripts/report.py, "
                "and this is code. Put code into a job: `type: job` with `code`."
            )
        try:
            self._inner()
        except ValidationError as error:
            yield next(wrong_values(error)).message

    def without_effect(self) -> Mapping[str, str]:
        others = {name: kind for kind, name in _NEEDS.items() if kind != self.hook_type}
        others |= {"headers": "webhook"} if self.hook_type != "webhook" else {}
        return {name: f"counts only with `hook_type: {kind}`" for name, kind in others.items()}

    def check(self, label: Label, diagram: Diagram) -> Iterator[Problem]:
        yield from super().check(label, diagram)
        yield from self._inner().check(label, diagram)

    @property
    def sent_keys(self) -> Collection[tuple[str, str]]:
        return self._inner().sent_keys

    def powers(self) -> Iterator[Power]:
        if self.hook_type == "shell":
            says = "runs a command of the shell, in the sandbox"
            hint = "Look at the command, and at what arrives there, before you run it."
            what: dict[str, JsonValue] = {"command": self.command, "args": [*self.args]}
            yield Power("runs_shell", says, hint, what, "command")
        field = _NEEDS[self.hook_type]
        yield from (replace(each, field=field) for each in self._inner().powers())

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        inner = self._inner()
        try:
            if isinstance(inner, ApiJob):
                content = None if self.method in ("GET", "HEAD") else json_content(dict(inputs))
                return await inner.send(ctx, content)
            return await inner.run(inputs, ctx)
        except NodeError as error:
            if isinstance(inner, Job):
                error.field = _OF_JOB.get(error.field or "", error.field)
            raise

    def _inner(self) -> Node:
        """The node of another type that does it."""
        match self.hook_type:
            case "shell":
                words = " ".join(shlex.quote(each) for each in self.args)
                command = f"{self.command} {words}".strip()
                return Job(language="bash", code=command, timeout=self.timeout)
            case "python":
                return Job(
                    language="python",
                    file_path=self.script,
                    function_name=self.function_name,
                    timeout=self.timeout,
                )
            case "webhook":
                return ApiJob(
                    url=self.url or "",
                    method=self.method,
                    headers=self.headers,
                    auth_type=self.auth_type,
                    auth_config=self.auth_config,
                )
            case "file":
                return Db(operation="write", file=self.file_path, format=self.format)
