"""Engines with parts that tests own, and steering: who finishes first is up to the test."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dipeo_jupyter.app import build_services
from dipeo_jupyter.engine.clock import Clock, SystemClock
from dipeo_jupyter.engine.engine import Engine
from dipeo_jupyter.engine.node import Node
from dipeo_jupyter.engine.ports import LLM, OnePlace
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.protocol.commands import GetExecution, UserResponse
from dipeo_jupyter.services.journal import MemoryJournal
from dipeo_jupyter.settings import Settings
from tests.openai_server import OpenAIServer
from tests.running import Steer

REAL_MODELS = pytest.mark.filterwarnings("ignore:Items? .*ReadOnly:UserWarning")
"""For tests that speak through litellm: it warns of its own classes when it first uses them."""


def engine(
    *,
    clock: Clock | None = None,
    server: OpenAIServer | None = None,
    root: Path = Path(),
    types: Mapping[str, type[Node]] = {},
    llm: LLM | None = None,
) -> Callable[[], Engine]:
    """An engine with this clock, this provider as `openai`, and these node types besides ours."""
    environ = {"OPENAI_API_KEY": "sk-canary-0123456789abcdef"}
    bases = {"openai": server.url} if server else {}

    def build() -> Engine:
        services = build_services(Settings(root=root, environ=environ, api_bases=bases))
        services = replace(services, llm=llm or services.llm)
        known = {**load_node_types(), **types}
        return Engine(known, OnePlace(services), MemoryJournal(), clock or SystemClock())

    return build


def answering(*labels: str) -> Steer:
    """Answer the questions in this order, each as soon as nothing else goes on any more.

    The answer is the label and how many times it was asked: `left1`.
    """
    asked: Counter[str] = Counter()

    async def steer(running: Engine, entry: e.Entry) -> None:
        if asked or not isinstance(entry.event, e.InputRequired):
            return
        for label in labels:
            asked[label] += 1
            await _until_all_wait(running, entry.execution_id)
            value = f"{label}{asked[label]}"
            command = UserResponse(execution_id=entry.execution_id, node=label, value=value)
            await running.send(command)

    return steer


async def _until_all_wait(running: Engine, execution_id: str) -> None:
    question = GetExecution(execution_id=execution_id)
    while (await running.send(question)).result.status == "running":  # noqa: ASYNC110
        await asyncio.sleep(0)
