"""What nodes need from outside, as protocols. `services/` fulfils them by shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ...errors import CommandError
from .collections import Collections
from .files import Files
from .jobs import Job, JobLanguage, JobResult, Kernel, Sandbox
from .journal import PAGE, Journal, Letter, RecordedEffect, RunRecord
from .models import LLM, Drawn, DrawRequest, Embedded, Embedder, EmbedRequest, Painter
from .notion import Notion, Steps, Write
from .tools import OutsideTool, Toolbox, ToolResult
from .trust import NothingTrusted, Trust
from .web import Web

__all__ = [
    "LLM",
    "PAGE",
    "DrawRequest",
    "Drawn",
    "EmbedRequest",
    "Embedded",
    "Embedder",
    "Files",
    "Job",
    "JobLanguage",
    "JobResult",
    "Journal",
    "Kernel",
    "Letter",
    "NothingTrusted",
    "Notion",
    "OnePlace",
    "OutsideTool",
    "Painter",
    "Places",
    "RecordedEffect",
    "RunRecord",
    "Sandbox",
    "Services",
    "Steps",
    "ToolResult",
    "Toolbox",
    "Trust",
    "Write",
]


@dataclass(frozen=True, slots=True)
class Services:
    """All that nodes may use. Tests hand in what they like."""

    llm: LLM
    files: Files
    sandbox: Sandbox
    notion: Notion
    embedder: Embedder
    tools: Toolbox
    painter: Painter
    kernel: Kernel
    web: Web
    collections: Collections
    trust: Trust = field(default_factory=NothingTrusted)


class Places(Protocol):
    """The outside world by folders: each has files, keys and tools of its own."""

    def at(self, folder: str) -> Services:
        """What a run in this folder below the root may use; `""` is the root.

        Raises `CommandError` when it is none.
        """
        ...

    async def aclose(self) -> None:
        """End what was started for any of them. The next use starts it again."""
        ...


@dataclass(frozen=True, slots=True)
class OnePlace:
    """Fulfils the port `Places` where there is no folder but the root."""

    services: Services

    def at(self, folder: str) -> Services:
        if folder:
            message = f"There is no folder {folder!r} here."
            raise CommandError(message, code="bad_folder")
        return self.services

    async def aclose(self) -> None:
        await self.services.tools.aclose()
        await self.services.sandbox.aclose()
