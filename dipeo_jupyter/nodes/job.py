"""`job`: a piece of Python, JavaScript or Bash, run apart from this process, or in the notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar, get_args

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue

from ..diagram.model import Diagram, Label
from ..diagram.suggest import did_you_mean
from ..engine import ports
from ..engine.node import Context, EffectPolicy, Inputs, Node, Result
from ..engine.ports import JobLanguage
from ..engine.powers import Power
from ..errors import NodeError, Problem, ServiceError
from .checks import check_python
from .spellings import spelled

_DEFAULT_TIMEOUT = 30.0  # seconds
_BY_NAME: dict[str, JobLanguage] = {
    "python": "python",
    "python3": "python",
    "py": "python",
    "javascript": "javascript",
    "js": "javascript",
    "node": "javascript",
    "bash": "bash",
    "shell": "bash",
    "sh": "bash",
}
_BY_SUFFIX: dict[str, JobLanguage] = {".py": "python", ".js": "javascript", ".sh": "bash"}


def _language(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    name = value.strip().lower()
    if name in {"", "file"}:  # "a file, see there": its suffix tells
        return None
    if name in {"typescript", "ts"}:
        raise ValueError("TypeScript does not run here: compile it and use `language: javascript`.")
    if name not in _BY_NAME:
        hint = did_you_mean(name, _BY_NAME) or "There is python, javascript and bash."
        raise ValueError(f"{value!r} is no language of a job. {hint}")
    return _BY_NAME[name]


class Job(Node):
    """Runs code; the inputs are its variables, and what it returns or prints is its value.

    Values never become part of the code. In Python and JavaScript they are variables (and all of
    them `inputs`), in Bash `$INPUT_<name>`. The value is what the code returns, else its `result`,
    else what it prints; None when there is nothing of these. Its
    `timeout` is 30 seconds unless given. With `kernel` Python runs in the notebook's own process,
    and the names that it assigns, inputs and `result` apart, are the notebook's.
    """

    type: ClassVar[str] = "job"
    keeps_inputs: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("code_job",)
    ignored: ClassVar[frozenset[str]] = frozenset({"tool"})
    example: ClassVar[Mapping[str, JsonValue]] = {"code": "return len(default)"}

    language: Annotated[
        JobLanguage | None,
        BeforeValidator(_language),
        spelled(get_args(JobLanguage), _BY_NAME, optional=True),
    ] = Field(
        None,
        validation_alias=AliasChoices("language", "code_type", "codeType"),
        description="By default the suffix of the file tells, and else it is Python.",
    )
    code: str | None = Field(
        None,
        description="The code itself; the values that arrive are its variables.",
        examples=["return sum(numbers)"],
    )
    file_path: str | None = Field(
        None,
        validation_alias=AliasChoices(
            "file_path", "filePath", "codeFile", "code_file", "source_details", "sourceDetails"
        ),
        description="A file with the code, instead of `code`; relative to the run's root.",
        examples=["scripts/count.py"],
    )
    function_name: str | None = Field(
        None,
        validation_alias=AliasChoices("function_name", "functionName"),
        description="The function to call with the inputs. Without it, the code is run as a whole.",
        examples=["main"],
    )

    pure: bool = Field(
        default=False,
        description=(
            "Its value depends on its code and inputs alone and nothing else happens; so a result "
            "of an earlier run will do."
        ),
    )

    kernel: bool = Field(
        default=False,
        description=(
            "Run Python in the notebook's own process, among its names, without any sandbox: the "
            "code sees what the notebook has assigned, and the notebook what the code assigns."
        ),
    )

    network: bool = Field(
        default=False,
        description=(
            "Let the code speak with public addresses, by HTTP and HTTPS. Without it, it has no "
            "network."
        ),
    )

    def contradictions(self) -> Iterator[str]:
        has_code = bool(self.code and self.code.strip())
        if has_code and self.file_path:
            yield "A job has `code` or `file_path`, not both: remove one."
        if not has_code and not self.file_path:
            yield "A job needs `code`, or a `file_path` with the code."
        if self.kernel and self._language_of(self.file_path) != "python":
            yield "In the notebook's process only Python runs: remove `kernel: true`."

    def check(self, label: Label, diagram: Diagram) -> Iterator[Problem]:
        yield from super().check(label, diagram)
        has_code = bool((self.code or "").strip())
        if has_code and self._may_be_path is None and self._language_of(None) == "python":
            yield from check_python(label, "code", self.code or "")

    @property
    def needs_kernel(self) -> bool:
        return self.kernel

    def powers(self) -> Iterator[Power]:
        script = self.file_path or self._may_be_path
        code, language = self.code, self._language_of(script)
        what: dict[str, JsonValue] = {"language": language, "code": code}
        what["function"] = self.function_name
        if self.kernel:
            says = "runs in the notebook's own process, with all its rights"
            hint = "Run it only if you would run its code in a cell."
            yield Power("runs_in_kernel", says, hint, what, "kernel", script)
        elif self.network:
            says = "runs code that can send what it knows over the network"
            hint = "Look at its code, and at what arrives there, before you run it."
            yield Power("uses_network", says, hint, what, "network", script)
        else:
            says = "runs code with all your rights, for there is no sandbox here"
            hint = "Look at its code, or do not set DIPEO_SANDBOX=off."
            field = "file_path" if self.file_path else "code"
            yield Power("runs_code", says, hint, what, field, script, walled=True)

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        path = self.file_path or await self._path_in_code(ctx)
        code = await ctx.services.files.read(path) if path else self.code or ""
        for power in self.powers() if path else ():
            await ctx.check_script(power, code)
        job = ports.Job(
            language=self._language_of(path),
            code=code,
            inputs=inputs.by_name(),
            function=self._function(path),
            timeout=self.timeout or _DEFAULT_TIMEOUT,
            network=self.network,
        )

        async def work(key: str) -> Any:
            place = ctx.services.kernel if self.kernel else ctx.services.sandbox
            done = await place.run(replace(job, idempotency_key=key), ctx.progress)
            return done.value

        # How long it may take does not change what comes of it.
        request = {"job": job.language, "code": job.code, "function": job.function}
        if self.kernel:
            request["place"] = "kernel"
        if self.network:
            request["network"] = "public"
        try:
            done = await ctx.effect(
                {**request, "inputs": job.inputs}, work, EffectPolicy(reuse=self.pure)
            )
        except NodeError as error:
            if self.file_path and error.field == "code":
                error.field = "file_path"
            raise
        return Result.value(done.value)

    async def _path_in_code(self, ctx: Context) -> str | None:
        """Older files have a script's path as their `code`."""
        text = self._may_be_path
        if text is None:
            return None
        try:
            return text if await ctx.services.files.exists(text) else None
        except ServiceError:  # leads out of the root: then it is a command, not a file of ours
            return None

    @property
    def _may_be_path(self) -> str | None:
        text = (self.code or "").strip()
        return text if "\n" not in text and PurePosixPath(text).suffix in _BY_SUFFIX else None

    def _language_of(self, path: str | None) -> JobLanguage:
        by_suffix = _BY_SUFFIX.get(PurePosixPath(path).suffix) if path else None
        return self.language or by_suffix or "python"

    def _function(self, path: str | None) -> str | None:
        # Older files say `main` everywhere, also where the code defines no function; the sandbox
        # calls a `main` that the code only defines anyway.
        if not path and self.function_name == "main":
            return None
        return self.function_name or None
