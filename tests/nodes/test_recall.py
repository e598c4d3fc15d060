"""`memory` in words: who finds what is meant, how often that is asked, what is wrong with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing

import pytest

from dipeo_jupyter.diagram import light
from dipeo_jupyter.errors import DiagramError
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.settings import Settings
from tests.running import run
from tests.steering import REAL_MODELS

pytestmark = REAL_MODELS

FACTS = ["The budget is 500 dollars.", "Anna likes blue.", "The budget was cut in May."]
TALK = """
persons:
  P: {service: demo, answers: [Noted., "Yes, noted."]}
  Q: {service: demo, answers: [Aha.]}
  R: {SERVICE}
  L: {SERVICE, system_prompt: You are a librarian.}
nodes:
- {label: start, type: start, custom_data: {topic: budget}}
- {label: a, type: person_job, person: P, prompt: The budget is 500 dollars.}
- {label: b, type: person_job, person: P, prompt: Anna likes blue.}
- {label: c, type: person_job, person: Q, prompt: The budget was cut in May.}
- {label: x, type: person_job, person: R, prompt: So?, memory: "MEMORY", SETTINGS}
connections: [{from: start, to: a}, {from: a, to: b}, {from: b, to: c}, {from: c, to: x}]
"""
OPENAI = "service: openai, model: m"


def drawn(settings="at_most: 9", memory="what was said about the budget", service="service: demo"):
    text = TALK.replace("SERVICE", service).replace("MEMORY", memory)
    return text.replace("SETTINGS", settings)


def seen(run):
    return [each.content for each in run["x"].seen[:-1]]


def bodies(server):
    """The messages of all requests to chat."""
    found = (x.body.get("messages") for x in server.requests)
    return [[(each["role"], each["content"]) for each in said] for said in found if said]


@pytest.fixture
def settings(tmp_path, openai_server):
    return Settings(
        root=tmp_path,
        home=tmp_path / ".dipeo",
        environ={"OPENAI_API_KEY": "sk-canary-0123456789abcdef"},
        api_bases={"openai": openai_server.url},
    )


@pytest.fixture
def session(settings):
    with closing(Session(settings)) as session:
        yield session


# By words -----------------------------------------------------------------------------------------


def test_what_shares_words_is_remembered_in_the_order_of_the_flow(session):
    assert seen(session.start(drawn()).wait()) == [FACTS[0], FACTS[2]]


def test_a_limit_keeps_what_has_most_to_do_with_it(session):
    run = session.start(drawn("at_most: 1", "budget cut in May")).wait()

    assert seen(run) == [FACTS[2]]


def test_whoever_is_ignored_is_not_looked_through(session):
    assert seen(session.start(drawn("ignore_person: Q")).wait()) == [FACTS[0]]


def test_what_is_wanted_is_a_template(session):
    text = drawn(memory="what was said about the {{topic}}")

    assert seen(session.start(text).wait()) == [FACTS[0], FACTS[2]]
    assert seen(session.start(text, {"topic": "colour blue"}).wait()) == [FACTS[1]]


def test_nothing_is_remembered_of_what_nobody_spoke_about(session):
    assert seen(session.start(drawn(memory="quarterly zebras anywhere")).wait()) == []


# By embeddings ------------------------------------------------------------------------------------

BY_EMBEDDINGS = "memory_model: openai/text-embedding-3-small, at_most: 2"


def test_the_nearest_by_embeddings_are_remembered_in_order(session, openai_server):
    run = session.start(drawn(BY_EMBEDDINGS, "budget dollars")).wait()

    assert openai_server.embedded == [["budget dollars", *every_word(run)]]
    assert FACTS[0] in seen(run)
    assert len(seen(run)) == 2


def every_word(run):
    """All texts before the last node, each once, in order."""
    said = [x.message.content for x in run.conversation if not x.activation.startswith("x")]
    return list(dict.fromkeys(said))


def test_the_demo_makes_embeddings_too(session, openai_server):
    run = session.start(drawn("memory_model: demo, at_most: 2", "the budget")).wait()

    assert seen(run) == [FACTS[0], FACTS[2]]
    assert not openai_server.requests


def test_embeddings_are_counted_with_what_the_node_took(session, openai_server):
    openai_server.usage(prompt_tokens=7, completion_tokens=2)
    run = session.start(drawn(BY_EMBEDDINGS, service=OPENAI)).wait()

    usage = run["x"].usage
    texts = len(openai_server.embedded[0])
    assert (usage.calls, usage.input_tokens, usage.output_tokens) == (2, texts + 7, 2)


# By a model ---------------------------------------------------------------------------------------


def test_a_model_is_given_the_messages_and_names_those_that_matter(session, openai_server):
    openai_server.reply("[4, 2]")
    run = session.start(drawn("memory_selector: model", service=OPENAI)).wait()

    (asked, said) = bodies(openai_server)
    assert seen(run) == [FACTS[1], FACTS[2]]
    assert said == [("user", FACTS[1]), ("user", FACTS[2]), ("user", "So?")]
    (system, (role, text)) = asked
    assert (system[0], role) == ("system", "user")
    listed = json.loads(text)
    assert listed["remember"] == "what was said about the budget"
    assert [each["text"] for each in listed["messages"]][::2] == FACTS
    assert listed["messages"][5] == {"number": 5, "from": "Q", "to": None, "text": "Aha."}


def test_another_person_can_be_asked_what_matters(session, openai_server):
    openai_server.reply("[0]")
    text = drawn("memory_person: L").replace("L: {service: demo", f"L: {{{OPENAI}")
    run = session.start(text).wait()

    assert seen(run) == [FACTS[0]]
    (request,) = openai_server.requests
    assert request.body["messages"][0]["role"] == "system"


def test_a_limit_holds_for_a_model_that_names_more(session, openai_server):
    openai_server.reply("[0, 1, 2, 3, 4]")
    run = session.start(drawn("memory_selector: model, at_most: 2", service=OPENAI)).wait()

    assert seen(run) == ["Yes, noted.", FACTS[2]]


def test_a_model_that_names_nothing_is_asked_again(session, openai_server):
    openai_server.reply("I would take the first.")
    openai_server.reply("[0]")
    retry = "memory_selector: model, retry: {initial_interval: 0}"
    run = session.start(drawn(retry, service=OPENAI)).wait()

    assert seen(run) == [FACTS[0]]
    assert len(openai_server.requests) == 3


def test_with_nothing_to_choose_from_nobody_is_asked(session, openai_server):
    node = "label: x, type: person_job, person: P, prompt: hi, memory: of the budget"
    persons = "persons: {P: {service: openai, model: m}}"
    text = f"nodes: [{{{node}, memory_selector: model}}]\n{persons}\n"
    run = session.start(text).wait()

    assert (seen(run), len(openai_server.requests)) == ([], 1)


# Asked once ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen_by", ["memory_selector: model", BY_EMBEDDINGS])
def test_what_was_chosen_is_not_asked_again_by_the_next_process(settings, openai_server, chosen_by):
    if chosen_by != BY_EMBEDDINGS:
        openai_server.reply("[0]")
    openai_server.hang()
    with closing(Session(settings)) as session:
        run = session.start(drawn(chosen_by, service=OPENAI))
        assert openai_server.wait(lambda: len(openai_server.requests) == 2)
    with closing(Session(settings)) as session:
        again = session.get(run.id)
        again.resume()
        assert seen(again.wait())
    assert len(openai_server.requests) == 3
    assert openai_server.requests[-1].body["messages"][-1]["content"] == "So?"


PROGRAM = """
import sys
from dipeo_jupyter.notebook.session import default_session
run = default_session().start(sys.stdin.read())
print(run.id, flush=True)
run.wait()
"""


def test_what_was_chosen_outlives_the_death_of_the_process(settings, openai_server):
    openai_server.reply("[4]")
    openai_server.hang()
    environ = {
        **os.environ,
        **settings.environ,
        "DIPEO_HOME": str(settings.home),
        "DIPEO_OPENAI_API_BASE": openai_server.url,
    }
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environ,
        text=True,
    )
    with program:
        program.stdin.write(drawn("memory_selector: model", service=OPENAI))
        program.stdin.close()
        assert openai_server.wait(lambda: len(openai_server.requests) == 2, 60)
        program.kill()
        name = program.stdout.read().strip()
    with closing(Session(settings)) as session:
        run = session.get(name)
        run.resume()
        assert seen(run.wait()) == [FACTS[2]]
    assert len(openai_server.requests) == 3


@pytest.mark.parametrize("chosen_by", ["memory_selector: model", BY_EMBEDDINGS])
def test_the_same_choice_is_taken_from_an_earlier_run(session, openai_server, chosen_by):
    openai_server.reply("[0]", times=None)
    text = drawn(chosen_by, service=OPENAI)
    first, second = (session.start(text).wait() for _ in "12")

    assert (seen(second), second["x"].status) == (seen(first), "cached")
    assert len(openai_server.requests) == 2
    session.start(text.replace("was said", "has been said")).wait()
    assert len(openai_server.requests) == 3


def test_a_plan_says_what_choosing_would_take(session, openai_server):
    text = drawn("memory_selector: model", service=OPENAI)
    (planned,) = [x for x in session.plan(text).activations if x.node == "x"]

    assert (planned.action, planned.calls) == ("run", 2)
    assert not openai_server.requests
    openai_server.reply("[0]")
    session.start(text).wait()
    (planned,) = [x for x in session.plan(text).activations if x.node == "x"]
    assert planned.action == "reuse"


# What is wrong ------------------------------------------------------------------------------------


def problems(given, memory="what was said"):
    with pytest.raises(DiagramError) as caught:
        run(drawn(given, memory))
    return caught.value.problems


@pytest.mark.parametrize(
    ("given", "memory", "said"),
    [
        ("at_most: 1", "all mesages", "Did you mean 'ALL_MESSAGES'?"),
        ("at_most: 1", "budget", "Or say in several words"),
        ("memory_selector: embeddings", "the budget", "needs a `memory_model`"),
        ("memory_selector: bm25", "the budget", "lexical"),
        ("memory_model: text-embedding-3-small", "the budget", "openai/text-embedding-3-small"),
        ("memory_person: Nobody", "the budget", "Nobody"),
        ("at_most: 1", "about {{", "{{"),
    ],
)
def test_mistakes_are_found_before_anything_runs(given, memory, said):
    assert said in " ".join(f"{x} {x.hint}" for x in problems(given, memory))


@pytest.mark.parametrize(
    ("given", "memory", "field"),
    [
        ("memory_selector: model", "ALL_MESSAGES", "memory_selector"),
        ("memory_model: demo", "goldfish", "memory_model"),
        ("memory_person: L", "ALL_MESSAGES", "memory_person"),
        ("memory_person: L, memory_selector: lexical", "the budget", "memory_person"),
        ("memory_model: demo, memory_selector: model", "the budget", "memory_model"),
    ],
)
def test_settings_without_an_effect_are_told(session, given, memory, field):
    found = session.check(light.survey(drawn(given, memory)))

    assert ("unused_setting", field) in {(each.code, each.path[-1]) for each in found}


def test_an_unknown_name_in_what_is_wanted_is_found_at_its_place():
    error = run(drawn(memory="about {{lost}} things")).error

    assert (error.node, error.field) == ("x", "memory")
    assert "`lost` is not known here" in error.message
