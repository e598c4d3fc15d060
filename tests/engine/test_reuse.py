"""A recorded answer stands in for a call that asks exactly the same, and for no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dipeo_jupyter.diagram.model import Diagram, Person, Position
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM
from dipeo_jupyter.services.providers import PARAMETERS
from tests.running import diagram_of

from .world import FakeLLM, World, changed, play, renamed, with_person

TALK = diagram_of("""
persons:
  Ann: {service: openai, model: gpt-4.1-nano, api_key_id: OPENAI_KEY, system_prompt: I am Ann.}
  Bob: {service: openai, model: gpt-4.1-nano, system_prompt: You are Bob.}
nodes:
- {label: start, type: start, custom_data: {topic: tea}}
- {label: before, type: person_job, person: Bob, prompt: "Begin with {{topic}}."}
- {label: between, type: person_job, person: Ann, prompt: "Go on."}
- {label: asked, type: person_job, person: Ann, prompt: "And now {{topic}}?", memory: ALL_MESSAGES}
- {label: end, type: endpoint}
connections:
- {from: start, to: before}
- {from: before, to: between}
- {from: between, to: asked}
- {from: asked, to: end}
""")
VALUES: Mapping[str, Any] = {"stop": ["x"], "response_format": {"type": "json_object"}}
MISSES: dict[str, Diagram] = {
    "service": with_person(TALK, "Ann", service="anthropic"),
    "model": with_person(TALK, "Ann", model="gpt-4.1"),
    "system prompt": with_person(TALK, "Ann", system_prompt="You are Ann!"),
    "no system prompt": with_person(TALK, "Ann", system_prompt=""),
    **{
        name: with_person(TALK, "Ann", **{name: VALUES.get(name, 1)}) for name in sorted(PARAMETERS)
    },
    "prompt": changed(TALK, "asked", prompt="And now {{topic}}!"),
    "other person": changed(TALK, "asked", person="Bob"),
    "memory": changed(TALK, "asked", memory="ALL_INVOLVED"),
    "at_most": changed(TALK, "asked", at_most=1),
    "ignore_person": changed(TALK, "asked", ignore_person=["Bob"]),
    "message of the past": changed(TALK, "before", prompt="Start with {{topic}}."),
    "start data": changed(TALK, "start", custom_data={"topic": "coffee"}),
}


def with_node(diagram: Diagram, label: str, **fields: Any) -> Diagram:
    nodes = [x.model_copy(update=fields) if x.label == label else x for x in diagram.nodes]
    return diagram.model_copy(update={"nodes": tuple(nodes)})


HITS: dict[str, Diagram] = {
    "nothing": TALK,
    "label of another node": renamed(TALK, "end", "finish"),
    "its own label": renamed(TALK, "asked", "question"),
    "label of a node before": renamed(TALK, "between", "meanwhile"),
    "position": with_node(TALK, "asked", position=Position(x=1, y=2)),
    "description of the node": changed(TALK, "asked", description="The last word."),
    "description of the diagram": TALK.model_copy(update={"description": "x", "name": "y"}),
    "timeout": changed(TALK, "asked", timeout=77),
    "retry": changed(TALK, "asked", retry={"max_attempts": 5}),
    "on_error": changed(TALK, "asked", on_error="continue"),
    "max_iteration": changed(TALK, "asked", max_iteration=4),
    "api_key_id": with_person(TALK, "Ann", api_key_id="OPENAI_OTHER_API_KEY"),
    "person nobody asks": TALK.model_copy(
        update={"persons": {**TALK.persons, "Eve": Person(service="openai", model="m")}}
    ),
    "order of the persons": TALK.model_copy(
        update={"persons": dict(reversed(TALK.persons.items()))}
    ),
    "other words for the same": with_person(TALK, "Ann", service=None, model="openai/gpt-4.1-nano"),
    "at_most that changes nothing": changed(TALK, "asked", at_most=50),
}


class Addressed(FakeLLM):
    """Answers as the fake does, but persons are who they are for litellm."""

    def __init__(self, bases: Mapping[str, str] = {}) -> None:
        super().__init__()
        self.real = LiteLLM(Keys({}), bases)

    def identity(self, person: Person) -> Mapping[str, Any]:
        return self.real.identity(person)


def asked_again(diagram: Diagram, bases: Mapping[str, str] = {}, label: str = "asked") -> bool:
    """Whether a node calls the model in a second run, of this diagram."""

    async def story(world: World) -> bool:
        world.llm = Addressed()
        world.another_engine()
        await world.run(TALK)
        world.llm = Addressed(bases)
        world.another_engine()
        run_id = await world.run(diagram)
        assert await world.status(run_id) == "completed"
        return f"{label}[1]" in world.past(run_id).done

    return play(story)


@pytest.mark.parametrize("name", MISSES)
def test_what_reaches_the_provider_makes_another_call(name):
    assert asked_again(MISSES[name])


@pytest.mark.parametrize("name", HITS)
def test_what_does_not_reach_the_provider_makes_no_call(name):
    label = "question" if name == "its own label" else "asked"

    assert not asked_again(HITS[name], label=label)


def test_another_address_of_the_provider_makes_another_call():
    assert asked_again(TALK, {"openai": "http://localhost:8000/v1"})


def test_the_address_of_another_provider_makes_no_call():
    assert not asked_again(TALK, {"anthropic": "http://localhost:8000/v1"})


def test_every_field_of_a_person_is_among_those_that_were_changed():
    tested = {*PARAMETERS, "service", "model", "system_prompt", "api_key_id", "prompt_file"}

    assert {*Person.model_fields, *PARAMETERS} == tested


@pytest.mark.parametrize("who", ["Ann", "asked"])
def test_another_text_in_a_prompt_file_makes_another_call(who):
    diagram = (
        with_person(TALK, "Ann", system_prompt=None, prompt_file="ann.md")
        if who == "Ann"
        else changed(TALK, "asked", prompt=None, prompt_file="ann.md")
    )

    async def story(world: World) -> list[int]:
        counts = []
        for text in ("one", "one", "two"):
            world.files.texts["ann.md"] = text
            before = world.llm.calls
            await world.run(diagram)
            counts.append(world.llm.calls - before)
        return counts

    first, same, other = play(story)
    assert (first, same) == (3, 0)
    assert other > 0


SAMPLERS = diagram_of("""
persons: {Ann: {service: openai, model: m}}
nodes:
- {label: start, type: start}
- {label: left, type: person_job, person: Ann, prompt: "Draw a number.", memory: GOLDFISH}
- {label: right, type: person_job, person: Ann, prompt: "Draw a number.", memory: GOLDFISH}
- {label: both, type: endpoint}
connections:
- {from: start, to: left}
- {from: start, to: right}
- {from: left, to: both, label: left}
- {from: right, to: both, label: right}
""")


def test_two_samplers_get_two_answers():
    async def story(world: World) -> Any:
        run_id = await world.run(SAMPLERS)
        return world.llm.calls, world.past(run_id).outputs["both"]

    calls, both = play(story, sampled=True)
    assert calls == 2
    assert both["left"] != both["right"]


@pytest.mark.parametrize("label", ["left", "right"])
def test_a_sampler_keeps_its_own_answer_when_one_of_them_is_renamed(label):
    async def story(world: World) -> Any:
        first = await world.run(SAMPLERS)
        second = await world.run(renamed(SAMPLERS, label, "other"))
        return world.llm.calls, world.past(first).outputs, world.past(second).outputs

    calls, before, after = play(story, sampled=True)
    assert calls == 2
    assert before == after


def test_a_third_sampler_gets_an_answer_of_its_own():
    first, second, third = SAMPLERS.nodes[1], SAMPLERS.nodes[2], "third"
    node = first.model_copy(update={"label": third})
    edges = [
        edge.model_copy(update={end: third, "label": third if end == "source" else None})
        for edge in SAMPLERS.edges
        for end in ("source", "target")
        if getattr(edge, end) == first.label
    ]
    diagram = SAMPLERS.model_copy(
        update={"nodes": (*SAMPLERS.nodes, node), "edges": (*SAMPLERS.edges, *edges)}
    )

    async def story(world: World) -> Any:
        await world.run(SAMPLERS)
        return world.past(await world.run(diagram)).outputs["both"]

    both = play(story, sampled=True)
    assert len({both[first.label], both[second.label], both[third]}) == 3


def test_two_samplers_that_are_both_renamed_do_not_get_one_answer():
    diagram = renamed(renamed(SAMPLERS, "left", "one"), "right", "two")

    async def story(world: World) -> Any:
        await world.run(SAMPLERS)
        return world.past(await world.run(diagram)).outputs["both"]

    both = play(story, sampled=True)
    assert both["left"] != both["right"]


ROUNDS = diagram_of("""
persons: {Ann: {service: openai, model: m}}
nodes:
- {label: start, type: start}
- {label: draw, type: person_job, person: Ann, prompt: "Draw.", memory: GOLDFISH, max_iteration: 3}
- {label: enough, type: condition, condition_type: detect_max_iterations}
- {label: end, type: endpoint}
connections:
- {from: start, to: draw}
- {from: draw, to: enough}
- {from: "enough[condfalse]", to: draw}
- {from: "enough[condtrue]", to: end}
""")


def test_every_turn_of_a_sampler_has_an_answer_of_its_own():
    async def story(world: World) -> Any:
        first, second = await world.run(ROUNDS), await world.run(ROUNDS)
        return world.llm.calls, [dict(world.past(x).values) for x in (first, second)]

    calls, (first, second) = play(story, sampled=True)
    answers = [first[f"draw[{turn}]"]["default"] for turn in (1, 2, 3)]
    assert calls == 3
    assert len(set(answers)) == 3
    assert [second[f"draw[{turn}]"]["default"] for turn in (1, 2, 3)] == answers


BATCH = diagram_of("""
persons: {Ann: {service: openai, model: m}}
nodes:
- {label: start, type: start, custom_data: {items: [same, same, other]}}
- {label: each, type: person_batch_job, person: Ann, items: items, prompt: "Judge {{item}}."}
- {label: end, type: endpoint}
connections: [{from: start, to: each}, {from: each, to: end}]
""")


def test_every_item_of_a_list_has_an_answer_of_its_own():
    async def story(world: World) -> Any:
        first, second = await world.run(BATCH), await world.run(BATCH)
        return world.llm.calls, world.past(first).outputs, world.past(second).outputs

    calls, before, after = play(story, sampled=True)
    assert calls == 3
    assert len(set(before["end"])) == 3
    assert before == after


def test_a_longer_list_asks_about_the_new_items_only():
    async def story(world: World) -> list[str]:
        await world.run(BATCH)
        before = world.llm.calls
        await world.run(BATCH, {"items": ["same", "same", "other", "new"]})
        return world.llm.since(before)

    assert ["Judge new."] == play(story)


def test_a_fresh_run_asks_everything_again():
    async def story(world: World) -> int:
        await world.run(TALK)
        await world.run(TALK, fresh=True)
        return world.llm.calls

    assert play(story) == 6


def test_reused_answers_cost_nothing():
    async def story(world: World) -> Any:
        await world.run(TALK)
        told = world.past(await world.run(TALK))
        return told.reused, [x.usage for x in told.of(e.NodeCompleted) if x.usage], told.effects

    reused, usages, effects = play(story)
    assert reused == {"before[1]", "between[1]", "asked[1]"}
    assert usages == []
    assert all(effect.reused for effect in effects)
