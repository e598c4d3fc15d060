"""`diff_patch`: applies a unified diff to a file, or to the text that arrives."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue, field_validator

from ..diagram.model import DEFAULT
from ..engine.node import Context, Inputs, Node, Result
from ..engine.ports import Files
from ..engine.powers import Power
from ..errors import NodeError
from .changes import changing
from .checks import writing_power
from .patches import FilePatch, apply, read_diff

Mode = Literal["normal", "force", "dry_run", "reverse"]


def _small(value: Any) -> Any:
    return value.strip().lower().replace("-", "_") if isinstance(value, str) else value


class _Outcome(NamedTuple):
    """The text as it is then, what to say of it, and a diff of what did not fit."""

    text: str
    report: dict[str, Any]
    rejects: str


class DiffPatch(Node):
    """Applies a unified diff to a file below the run's root, or to the text that arrives.

    All of it fits, or nothing is changed (`force` applies what fits). The value is for a file what
    was done, for a text the new text.
    """

    type: ClassVar[str] = "diff_patch"
    keeps_inputs: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("target_path", "diff", "backup_dir", "reject_file")
    # One file is named, so the folders before its name in the diff mean nothing.
    ignored: ClassVar[frozenset[str]] = frozenset({"strip_level", "stripLevel"})
    example: ClassVar[Mapping[str, JsonValue]] = {
        "target_path": "notes/plan.md",
        "diff": "{{changes}}",
    }

    target_path: str | None = Field(
        None,
        validation_alias=AliasChoices("target_path", "targetPath"),
        description="The file to change. Without it, the text that arrives is changed.",
        examples=["src/main.py"],
    )
    diff: str | None = Field(
        None,
        description="The diff, as `diff -u` and git write it. By default, of a file, what arrives.",
        examples=["{{changes}}"],
    )
    format: Annotated[Literal["unified", "git"], BeforeValidator(_small)] = Field(
        "unified", description="How the diff is written; both are read the same."
    )
    apply_mode: Annotated[Mode, BeforeValidator(_small)] = Field(
        "normal",
        validation_alias=AliasChoices("apply_mode", "applyMode"),
        description=(
            "`force` applies the hunks that fit, `reverse` takes the diff back, and `dry_run` "
            "changes nothing and hands on what would be in the file."
        ),
    )
    fuzz_factor: int = Field(
        2,
        ge=0,
        le=10,
        validation_alias=AliasChoices("fuzz_factor", "fuzzFactor"),
        description="So many of the outermost lines of a hunk may differ from the text.",
    )
    ignore_whitespace: bool = Field(
        default=False,
        validation_alias=AliasChoices("ignore_whitespace", "ignoreWhitespace"),
        description="Spaces and tabs may differ.",
    )
    validate_patch: bool = Field(
        default=True,
        validation_alias=AliasChoices("validate_patch", "validatePatch"),
        description="Refuse hunks that have not as many lines as they say; models often miscount.",
    )
    create_missing: bool = Field(
        default=False,
        validation_alias=AliasChoices("create_missing", "createMissing"),
        description="A file that is not there is taken for empty.",
    )
    backup: bool = Field(
        default=True, description="Keep the file as it was, with `.orig` behind its name."
    )
    backup_dir: str | None = Field(
        None,
        validation_alias=AliasChoices("backup_dir", "backupDir"),
        description="Where to keep it. By default beside it.",
        examples=["backups"],
    )
    reject_file: str | None = Field(
        None,
        validation_alias=AliasChoices("reject_file", "rejectFile"),
        description="With `force`, a file for the hunks that do not fit.",
        examples=["rejected.diff"],
    )

    @field_validator("format", mode="before")
    @classmethod
    def _readable(cls, value: Any) -> Any:
        if value in ("context", "ed", "normal"):
            raise ValueError(f"{value} diffs are not read: make a unified one, with `diff -u`.")
        return value

    def without_effect(self) -> Mapping[str, str]:
        if self.target_path is None:
            fields = ("create_missing", "backup_dir", "reject_file")
            return dict.fromkeys(fields, "counts only with a `target_path`")
        return {}

    def powers(self) -> Iterator[Power]:
        if self.target_path is not None and self.apply_mode != "dry_run":
            yield writing_power("patch", self.target_path, "target_path")
            if self.reject_file:
                yield writing_power("write", self.reject_file, "reject_file")

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        diff = self._diff(inputs, ctx)
        if self.target_path is None:
            text = inputs.single()
            if not isinstance(text, str):
                message = "There is no text to change: lead one here, or name a `target_path`."
                raise NodeError(message, field="target_path")
            outcome = await asyncio.to_thread(self._patched, text, diff, None)
            _tell(outcome.report, ctx)
            return Result.value(outcome.text)
        path = ctx.render(self.target_path).strip()
        return Result.value(await self._change(path, diff, ctx))

    def _diff(self, inputs: Inputs, ctx: Context) -> str:
        if self.diff is not None:
            return ctx.render(self.diff)
        value = inputs.get("diff", inputs.get(DEFAULT, inputs.single()))
        if self.target_path is None and "diff" not in inputs:
            raise NodeError("Which `diff`? Without a file, what arrives is the text.", field="diff")
        if not isinstance(value, str):
            raise NodeError("There is no diff: lead one here, or write it.", field="diff")
        return value

    async def _change(self, path: str, diff: str, ctx: Context) -> dict[str, Any]:
        files = ctx.services.files
        asked = {"patch": path, "diff": diff, **self._how()}

        async def plan() -> tuple[str, _Outcome]:
            before = await self._before(path, diff, files)
            return before, await asyncio.to_thread(self._patched, before, diff, path)

        async def note(_: str) -> dict[str, Any]:
            before, outcome = await plan()
            digests = {"before": _digest(before), "after": _digest(outcome.text)}
            if self.apply_mode == "dry_run":
                return {**digests, "report": {**outcome.report, "text": outcome.text}}
            others = self._others(path, outcome, ctx, there=await files.exists(path))
            return {**digests, "report": {**outcome.report, **others}}

        async def change(_: str) -> dict[str, Any]:
            report = goal["report"]
            async with changing():
                now = await files.read(path) if await files.exists(path) else ""
                if _digest(now) == goal["after"] and goal["before"] != goal["after"]:
                    return dict(report)  # it was cut short, and was done by then
                before, outcome = await plan()
                for name, text in (("backup", before), ("rejects", outcome.rejects)):
                    if name in report:
                        await files.write(report[name], text)
                await files.write(path, outcome.text)
            _tell(outcome.report, ctx)
            return {**report, **outcome.report}

        # What the file will be is an effect of its own, which is safe before the other begins: if
        # that is cut short and tried again, it tells whether it had been done by then.
        goal = (await ctx.effect(asked, note, name=" before")).value
        if self.apply_mode == "dry_run":
            return dict(goal["report"])
        return dict((await ctx.effect({**asked, "change": True}, change)).value)

    def _how(self) -> dict[str, Any]:
        names = ("apply_mode", "fuzz_factor", "ignore_whitespace", "validate_patch")
        return {name: getattr(self, name) for name in names}

    async def _before(self, path: str, diff: str, files: Files) -> str:
        creates = self.apply_mode != "reverse" and any(
            each.creates for each in read_diff(diff, strict=False)
        )
        if (self.create_missing or creates) and not await files.exists(path):
            return ""
        return await files.read(path)

    def _others(self, path: str, outcome: _Outcome, ctx: Context, *, there: bool) -> dict[str, str]:
        """The files that are written beside the one that is changed, by what is in them."""
        others = {}
        if self.backup and there:
            name = f"{PurePosixPath(path).name}.orig"
            folder = ctx.render(self.backup_dir).strip() if self.backup_dir else None
            others["backup"] = str(PurePosixPath(folder or PurePosixPath(path).parent) / name)
        if self.reject_file and outcome.rejects:
            others["rejects"] = ctx.render(self.reject_file).strip()
        return others

    def _patched(self, text: str, diff: str, path: str | None) -> _Outcome:
        try:
            patch = _of_file(read_diff(diff, strict=self.validate_patch), path)
        except NodeError as error:
            raise NodeError(str(error), field="diff") from None
        if self.apply_mode == "reverse":
            patch = patch.reversed()
        done = apply(text, patch, self.fuzz_factor, loose=self.ignore_whitespace)
        if done.rejected and self.apply_mode != "force":
            raise NodeError(_sentence(patch, done.rejected, text), field="diff")
        report = {
            "path": path,
            "applied": len(patch.hunks) - len(done.rejected),
            "rejected": done.rejected,
            "moved": done.moved,
        }
        return _Outcome(done.text, report, patch.of_hunks(done.rejected) if done.rejected else "")


def _tell(report: Mapping[str, Any], ctx: Context) -> None:
    """Let it be seen that `force` has left something out."""
    if rejected := report["rejected"]:
        numbers = ", ".join(map(str, rejected))
        ctx.progress(f"{report['applied']} hunks applied; these do not fit: {numbers}")


def _of_file(patches: list[FilePatch], path: str | None) -> FilePatch:
    """What a diff says of this file: all of it, if it is about one."""
    if len(patches) == 1:
        return patches[0]
    named = [each for each in patches if path and path in (each.old, each.new)]
    if len(named) != 1:
        names = ", ".join(sorted({each.new for each in patches}))[:200]
        raise NodeError(f"The diff is about several files ({names}), and one is to be changed.")
    return named[0]


def _sentence(patch: FilePatch, rejected: list[int], text: str) -> str:
    number = rejected[0]
    hunk = patch.hunks[number - 1]
    first = next((line for kind, line in hunk.lines if kind != "+"), "")
    total = len(patch.hunks)
    sentence = (
        f"Hunk {number} of {total} does not fit: {first.strip()[:60]!r} and what follows are "
    )
    sentence += f"not there, near line {hunk.start}. Nothing was changed."
    back = apply(text, patch.reversed(), 0)
    if not back.rejected:
        sentence += " It seems to be in the text already."
    return sentence


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
