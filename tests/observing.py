"""Engines that somebody looks on at, and a diagram in which everything happens that can be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dipeo_jupyter.app import build_services
from dipeo_jupyter.engine.clock import SystemClock
from dipeo_jupyter.engine.engine import Engine
from dipeo_jupyter.engine.observing import Observers
from dipeo_jupyter.engine.ports import LLM, Journal, OnePlace
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.services.journal import MemoryJournal
from dipeo_jupyter.services.tools import Functions
from dipeo_jupyter.settings import Settings

KEY = "sk-canary-0123456789abcdef"

TALK = """
name: talk
persons:
  P: {service: openai, model: gpt-4.1-nano, system_prompt: You are P., temperature: 0.5}
nodes:
- {label: start, type: start}
- {label: say, type: person_job, person: P, prompt: Say it}
- {label: end, type: endpoint}
connections: [{from: start, to: say}, {from: say, to: end}]
"""
DEMO = TALK.replace("openai, model: gpt-4.1-nano", "demo")
FAILING = """
name: failing
nodes:
- {label: start, type: start}
- {label: boom, type: job, code: "raise ValueError('no tea')"}
connections: [{from: start, to: boom}]
"""
NESTED = """
name: outer
nodes:
- {label: start, type: start}
- label: review
  type: sub_diagram
  diagram_data:
    name: inner
    persons: {Q: {service: demo}}
    nodes:
    - {label: start, type: start}
    - {label: think, type: person_job, person: Q, prompt: Think}
    - {label: end, type: endpoint}
    connections: [{from: start, to: think}, {from: think, to: end}]
- {label: end, type: endpoint}
connections: [{from: start, to: review}, {from: review, to: end}]
"""
ASKING = """
name: asking
nodes:
- {label: start, type: start}
- {label: ask, type: user_response, prompt: "Who?"}
- {label: end, type: endpoint}
connections: [{from: start, to: ask}, {from: ask, to: end}]
"""
TOOLS = """
name: tools
persons:
  P: {service: demo, answers: [{use: rate, with: {source: USD}}, "1.25"]}
nodes:
- {label: start, type: start}
- {label: say, type: person_job, person: P, prompt: Rate?, tools: [rate]}
- {label: end, type: endpoint}
connections: [{from: start, to: say}, {from: say, to: end}]
"""


def rate(source: str) -> float:
    """The rate of a currency."""
    return 1.25


def watched(
    observers: Observers,
    *,
    settings: Settings | None = None,
    journal: Journal | None = None,
    llm: LLM | None = None,
) -> Callable[[], Engine]:
    """An engine with these observers; its tool is `rate`."""
    functions = Functions()
    functions.add(rate)

    def build() -> Engine:
        services = build_services(settings or Settings(root=Path()), functions)
        services = replace(services, llm=llm or services.llm)
        return Engine(
            load_node_types(),
            OnePlace(services),
            journal or MemoryJournal(),
            SystemClock(),
            observers=observers,
        )

    return build
