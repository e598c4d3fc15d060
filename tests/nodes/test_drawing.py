"""The tool that draws: what models are told of it, what becomes of images, what they cost."""

from __future__ import annotations

import json
from base64 import b64decode
from contextlib import closing
from pathlib import Path

import pytest

from dipeo_jupyter.app import build_services
from dipeo_jupyter.engine.clock import SystemClock
from dipeo_jupyter.engine.engine import Engine
from dipeo_jupyter.engine.ports import OnePlace
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.nodes.drawing import USUAL
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.protocol.commands import CancelExecution
from dipeo_jupyter.services.journal import MemoryJournal
from dipeo_jupyter.services.prices import price_of
from dipeo_jupyter.settings import Settings
from tests.gemini_server import GeminiServer
from tests.openai_server import PNG
from tests.running import run
from tests.steering import REAL_MODELS

pytestmark = REAL_MODELS

KEY, OTHER = "sk-canary-0123456789abcdef", "sk-canary-fedcba9876543210"
ENVIRON = {"OPENAI_API_KEY": KEY, "OPENAI_API_KEY_2": OTHER, "GEMINI_API_KEY": KEY}
URL = f"data:image/png;base64,{PNG}"
CAT = ("generate_image", {"prompt": "a cat"})


def drawing(tools="[image_generation]", person="service: openai, model: gpt-4.1-nano", more=""):
    return f"""
persons:
  P: {{{person}}}
nodes:
- {{label: start, type: start}}
- {{label: p, type: person_job, person: P, prompt: Draw a cat., tools: {tools}, {more}}}
- {{label: end, type: endpoint}}
connections: [{{from: start, to: p}}, {{from: p, to: end}}]
"""


def at(root=Path(), home=None, **servers):
    bases = {name: server.url for name, server in servers.items()}
    return Settings(root=root, home=home, environ=ENVIRON, api_bases=bases)


def engine(settings):
    return lambda: Engine(
        load_node_types(), OnePlace(build_services(settings)), MemoryJournal(), SystemClock()
    )


def drawn(server, text=None, **options):
    return run(text or drawing(), engine=engine(at(openai=server)), **options)


def scripted(server, *calls, text="Here it is."):
    server.call(*(calls or (CAT,)))
    server.reply(text)


def test_what_was_drawn_is_part_of_the_answer(openai_server):
    scripted(openai_server)
    outcome = drawn(openai_server)

    assert {"end": {"text": "Here it is.", "images": [URL]}} == outcome.outputs
    (body,) = openai_server.drawn
    assert {"model": "gpt-image-2", "prompt": "a cat"} == body


def test_a_model_is_told_that_it_was_drawn_and_not_shown_it(openai_server):
    scripted(openai_server)
    drawn(openai_server)
    first, *_, last = openai_server.requests

    (tool,) = first.body["tools"]
    assert "generate_image" == tool["function"]["name"]
    assert ["prompt"] == tool["function"]["parameters"]["required"]
    assert "tool" == last.body["messages"][-1]["role"]
    assert "was made" in last.body["messages"][-1]["content"]
    assert PNG not in json.dumps(last.body)


SEEN = """
persons:
  P: {service: openai, model: gpt-4.1-nano}
  Q: {service: openai, model: gpt-4.1-nano}
nodes:
- {label: start, type: start}
- {label: p, type: person_job, person: P, prompt: Draw a cat., tools: [image_generation]}
- {label: q, type: person_job, person: Q, prompt: Judge it., memory: ALL_MESSAGES}
- {label: end, type: endpoint}
connections: [{from: start, to: p}, {from: p, to: q}, {from: q, to: end}]
"""


def test_others_are_shown_what_somebody_has_drawn(openai_server):
    scripted(openai_server)
    drawn(openai_server, SEEN)

    assert PNG in json.dumps(openai_server.requests[-1].body)


def test_options_and_another_model_are_those_of_the_diagram(openai_server):
    scripted(openai_server)
    option = "{model: openai/gpt-image-1.5, size: 1024x1024, quality: low}"
    drawn(openai_server, drawing(f"[{{image_generation: {option}}}]"))

    (body,) = openai_server.drawn
    assert ("gpt-image-1.5", "1024x1024", "low") == (body["model"], body["size"], body["quality"])


def test_the_key_is_that_of_the_person_where_the_provider_is(openai_server):
    scripted(openai_server)
    drawn(
        openai_server,
        drawing(person="service: openai, model: gpt-4.1-nano, api_key_id: OPENAI_API_KEY_2"),
    )

    assert {OTHER} == {each.key for each in openai_server.requests}


def test_whoever_is_of_another_provider_has_its_own_key(openai_server):
    with closing(GeminiServer()) as gemini:
        gemini.call(CAT)
        gemini.reply("Here it is.")
        text = drawing(
            "[{image_generation: {model: openai/gpt-image-2}}]",
            "service: gemini, model: m, api_key_id: GEMINI_API_KEY",
        )
        run(text, engine=engine(at(openai=openai_server, gemini=gemini)))
        assert 2 == len(gemini.requests)
    assert [KEY] == [each.key for each in openai_server.requests]


def test_it_is_a_call_of_a_model_in_the_ledger(openai_server):
    scripted(openai_server)
    outcome = drawn(openai_server)
    done = {x.effect: x for x in outcome.of(e.EffectCompleted)}

    usage = done[".tool0.0"].usage
    assert (1, 0, 272) == (usage.calls, usage.unpriced, usage.image_tokens)
    assert 10 * 5_000 + 272 * 30_000 == usage.nano_usd
    assert 3 == outcome.completed("p")[0].usage.calls


def test_a_budget_without_room_for_it_pauses_before_it_is_drawn(openai_server):
    async def cancel(running, entry):
        if isinstance(entry.event, e.ExecutionPaused):
            await running.send(CancelExecution(execution_id=entry.execution_id))

    scripted(openai_server)
    outcome = drawn(openai_server, budget=e.Budget(calls=1), steer=cancel)

    assert {"budget"} == {x.reason for x in outcome.of(e.ExecutionPaused)}
    assert [] == openai_server.drawn


def test_several_images_of_one_answer_are_in_their_order(openai_server):
    scripted(openai_server, CAT, ("generate_image", {"prompt": "a dog"}))
    outcome = drawn(openai_server)

    assert ["a cat", "a dog"] == sorted(x["prompt"] for x in openai_server.drawn)
    assert 2 == len(outcome.outputs["end"]["images"])


@pytest.mark.parametrize("arguments", [{}, {"prompt": " "}, {"prompt": 1}])
def test_who_does_not_say_what_to_draw_is_told_so(openai_server, arguments):
    scripted(openai_server, ("generate_image", arguments), text="I see.")
    outcome = drawn(openai_server)

    assert {"end": {"text": "I see.", "images": []}} == outcome.outputs
    assert "Say in `prompt`" in openai_server.requests[-1].body["messages"][-1]["content"]
    assert [] == openai_server.drawn


def test_a_provider_that_refuses_to_draw_fails_the_node(openai_server):
    openai_server.scripted_images = True
    openai_server.call(CAT)
    openai_server.fail(400)
    outcome = drawn(openai_server)

    assert "refused (400)" in outcome.error.message


@pytest.mark.parametrize(
    ("tools", "person", "said"),
    [
        ("image_generation", "service: claude, model: m", "no model of anthropic is known"),
        ("{image_generation: {sizes: x}}", "service: openai, model: m", "Did you mean 'size'?"),
        ("{image_generation: {api_base: x}}", "service: openai, model: m", "have your key sent"),
        ("{image_generation: {service: x}}", "service: openai, model: m", "no option 'service'"),
    ],
)
def test_who_cannot_draw_like_this_is_told_before_anybody_is_asked(
    openai_server, tools, person, said
):
    text = drawing(f"[{tools}]", person)
    outcome = drawn(openai_server, text)

    assert said in outcome.error.message
    assert "tools" == outcome.error.field
    assert [] == openai_server.requests


def test_the_demo_draws_without_network():
    answers = "[{use: generate_image, with: {prompt: a cat}}, Here it is.]"
    outcome = run(drawing(person=f"service: demo, answers: {answers}"))
    (image,) = outcome.outputs["end"]["images"]

    assert b64decode(image.removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")


def test_a_plan_draws_nothing_and_a_second_run_nothing_again(openai_server, tmp_path):
    scripted(openai_server)
    scripted(openai_server)
    with closing(Session(at(tmp_path, tmp_path, openai=openai_server))) as session:
        running = session.start(drawing())
        running.wait()
        small = drawing("[{image_generation: {size: 1024x1024}}]")
        plan = session.plan(small, since=running)
        assert 1 == len(openai_server.drawn)
        assert ["run"] == [x.action for x in plan.activations if x.node == "p"]
        assert 1 == next(x.calls for x in plan.activations if x.node == "p")
        session.start(drawing(), since=running).wait()
    assert 3 == len(openai_server.requests)


@pytest.mark.parametrize("model", [each for each in USUAL.values() if each != "demo"])
def test_whoever_draws_usually_has_a_price(model):
    price = price_of(*model.split("/"))

    assert price is not None
    assert price.is_known(e.Usage(output_tokens=1, image_tokens=1), 1)


# Models that draw by themselves -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("details", "unpriced"),
    [({"candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}]}, 0), ({}, 1)],
)
def test_an_answer_with_images_costs_what_images_cost(details, unpriced):
    with closing(GeminiServer()) as gemini:
        gemini.usage(promptTokenCount=4, candidatesTokenCount=1120, totalTokenCount=1124, **details)
        gemini.draw(PNG)
        person = "service: gemini, model: gemini-3.1-flash-image"
        outcome = run(drawing("[]", person), engine=engine(at(gemini=gemini)))

    usage = outcome.completed("p")[0].usage
    cost = 0 if unpriced else 4 * 500 + 1120 * 60_000
    assert (unpriced, cost) == (usage.unpriced, usage.nano_usd)
