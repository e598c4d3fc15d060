"""What became of an effect that was cut short is found out by a look, where one can tell."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dipeo_jupyter.engine.ports import Steps, Write
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.protocol import events as e
from tests.running import diagram_of

from .world import World

MAKES = diagram_of("""
nodes:
- {label: start, type: start}
- {label: make, type: notion, operation: create_page, parent: {page_id: x}, properties: {a: {}}}
- {label: end, type: endpoint}
edges: [start -> make -> end]
""")


@dataclass
class CutShort:
    """Fulfils the port `Notion`: its first write is cut short, and `seen` is what a look gives."""

    seen: Any
    keys: list[str] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)

    async def call(self, operation: str, arguments: Mapping[str, Any], steps: Steps) -> Any:
        write = Write("", {operation: arguments}, self.work, "Making a page", self.look)
        return await steps.once(write)

    async def work(self, key: str) -> Any:
        self.keys.append(key)
        if len(self.keys) == 1:
            raise ServiceError("Nobody knows.", perhaps_done=True)
        return "made again"

    async def look(self, key: str) -> Any:
        self.looks.append(key)
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen


def gone_on(notion: CutShort) -> tuple[e.AnyEvent, Any]:
    """How a run ends that is cut short and gone on with, and what its node gave."""

    async def play() -> tuple[e.AnyEvent, Any]:
        world = World(notion=notion)
        run = await world.run(MAKES)
        assert await world.status(run) == "failed"
        await world.resume(run)
        happened = [entry.event for entry in world.past(run).entries]
        made = [x.outputs for x in happened if isinstance(x, e.NodeCompleted) and x.node == "make"]
        asked = [x for x in happened if isinstance(x, e.InputRequired)]
        return (asked[0] if asked else happened[-1]), (made or [None])[-1]

    return asyncio.run(play())


def test_what_a_look_finds_is_not_done_again():
    notion = CutShort("found")
    last, made = gone_on(notion)
    assert isinstance(last, e.ExecutionCompleted)
    assert made == {"default": "found"}
    assert len(notion.keys) == 1


def test_what_a_look_does_not_find_is_done():
    notion = CutShort(None)
    _, made = gone_on(notion)
    assert made == {"default": "made again"}
    assert notion.keys[0] == notion.keys[1] == notion.looks[0]


def test_people_are_asked_where_a_look_cannot_tell():
    last, made = gone_on(CutShort(ServiceError("Who knows?", perhaps_done=True)))
    assert isinstance(last, e.InputRequired)
    assert last.question.prompt.startswith("Making a page was under way")
    assert made is None


def test_a_look_that_fails_decides_nothing():
    notion = CutShort(ServiceError("No network."))
    last, made = gone_on(notion)
    assert isinstance(last, e.ExecutionFailed)
    assert (made, len(notion.keys)) == (None, 1)
