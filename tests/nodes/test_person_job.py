"""`person_job`: what is said to whom, what they remember, and what when the model fails."""

from __future__ import annotations

from itertools import permutations

import pytest

from dipeo_jupyter.diagram import light
from dipeo_jupyter.errors import DiagramError
from dipeo_jupyter.protocol import events as e
from tests.running import run
from tests.steering import answering, engine

PERSONS = """
persons:
  P: {service: openai, model: m, system_prompt: You are P.}
  Q: {service: openai, model: m}
"""


def said(request):
    return [(each["role"], each["content"]) for each in request.body["messages"]]


def seen(outcome, node, activation=1):
    """The contents of the messages that the run says the person was shown."""
    by_id = {x.id: x.content for each in outcome.of(e.NodeCompleted) for x in each.messages}
    return [by_id[each] for each in outcome.completed(node)[activation - 1].seen]


# What a person sees -------------------------------------------------------------------------------

TALK = """
nodes:
- {label: start, type: start}
- {label: p1, type: person_job, person: P, prompt: one}
- {label: q1, type: person_job, person: Q, prompt: two}
- {label: p2, type: person_job, person: P, prompt: three}
- {label: p3, type: person_job, person: P, prompt: four, SETTINGS}
connections:
- {from: start, to: p1}
- {from: p1, to: q1}
- {from: q1, to: p2}
- {from: p2, to: p3}
"""
MINE = ["one", "R1", "three", "R3"]
ALL = ["one", "R1", "two", "R2", "three", "R3"]


@pytest.fixture
def server(openai_server):
    for number in range(1, 9):
        openai_server.reply(f"R{number}")
    return openai_server


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ("memory: ALL_INVOLVED", MINE),
        ("memorize_to: all_messages", ALL),
        ("memory: SENT_BY_ME", ["R1", "R3"]),
        ("memory: SENT_TO_ME", ["one", "three"]),
        ("memory: CONVERSATION_PAIRS", MINE),
        ("memory: SYSTEM_AND_ME", MINE),
        ("memory: GOLDFISH", []),
        ("memory_profile: FULL", ALL),
        ("memory_config: {forget_mode: on_every_turn}", []),
        ("memory_config: {forget_mode: upon_request}", ["one", "three"]),
        ("memory_config: {max_messages: 1}", ["R3"]),
        (
            "memory_profile: CUSTOM, memory_settings: {view: all_messages, max_messages: 3}",
            ALL[-3:],
        ),
        ("memory_profile: GOLDFISH, memory_settings: {view: all_messages}", []),
        ("memory: ALL_MESSAGES, at_most: 4", ALL[-4:]),
        ("memory: ALL_MESSAGES, ignore_person: Q", MINE),
        ("memory: ALL_MESSAGES, ignore_person: [P, Q]", []),
        ("memory: ALL_MESSAGES, ignore_person: 'Q, P'", []),
    ],
)
def test_the_model_gets_exactly_what_the_run_says(server, settings, shown):
    outcome = run(TALK.replace("SETTINGS", settings) + PERSONS, engine=engine(server=server))
    roles = {"R1": "assistant", "R3": "assistant"}
    expected = [(roles.get(each, "user"), each) for each in [*shown, "four"]]
    assert [("system", "You are P."), *expected] == said(server.requests[-1])
    assert [*shown, "four"] == seen(outcome, "p3")


def test_in_every_turn_seen_is_what_was_sent(server):
    text = TALK.replace("SETTINGS", "memory: ALL_MESSAGES")
    outcome = run(text + PERSONS, engine=engine(server=server))
    sent = [[text for role, text in said(x) if role != "system"] for x in server.requests]
    assert sent == [seen(outcome, label) for label in ("p1", "q1", "p2", "p3")]


BRANCHES = """
nodes:
- {label: start, type: start}
- {label: left, type: user_response, prompt: "?"}
- {label: right, type: user_response, prompt: "?"}
- {label: pl, type: person_job, person: P, prompt: "left", memory: ALL_MESSAGES}
- {label: ql, type: person_job, person: Q, prompt: "left again", memory: ALL_MESSAGES}
- {label: pr, type: person_job, person: P, prompt: "right", memory: ALL_MESSAGES}
- {label: judge, type: person_job, person: Q, prompt: "who?", memory: ALL_MESSAGES}
connections:
- {from: start, to: left}
- {from: start, to: right}
- {from: left, to: pl}
- {from: pl, to: ql}
- {from: right, to: pr}
- {from: ql, to: judge}
- {from: pr, to: judge}
"""
DEMO = """
persons:
  P: {service: demo, answers: [I am P]}
  Q: {service: demo, answers: [I am Q]}
"""


@pytest.mark.parametrize("order", [*permutations(["left", "right"])])
def test_nobody_sees_what_is_said_meanwhile_in_another_branch(order):
    outcome = run(BRANCHES + DEMO, steer=answering(*order))
    assert ["left"] == seen(outcome, "pl")
    assert ["left", "I am P", "left again"] == seen(outcome, "ql")
    assert ["right"] == seen(outcome, "pr")


@pytest.mark.parametrize("order", [*permutations(["left", "right"])])
def test_after_a_join_messages_stand_in_the_order_of_the_flow(order):
    outcome = run(BRANCHES + DEMO, steer=answering(*order))
    left = ["left", "I am P", "left again", "I am Q"]
    assert [*left, "right", "I am P", "who?"] == seen(outcome, "judge")


ROUNDS = """
nodes:
- {label: start, type: start}
- {label: a, type: user_response, prompt: "?", max_iteration: 2}
- {label: b, type: user_response, prompt: "?", max_iteration: 2}
- {label: p, type: person_job, person: P, prompt: "{{a}}", memory: ALL_MESSAGES}
- {label: q, type: person_job, person: Q, prompt: "{{b}}", memory: ALL_MESSAGES}
- {label: done, type: condition, condition_type: detect_max_iterations}
- {label: after, type: person_job, person: P, prompt: end, memory: ALL_MESSAGES}
connections:
- {from: start, to: a}
- {from: start, to: b}
- {from: a, to: p}
- {from: b, to: q}
- {from: p, to: done}
- {from: q, to: done}
- {from: "done[condfalse]", to: a}
- {from: "done[condfalse]", to: b}
- {from: "done[condtrue]", to: after}
"""


@pytest.mark.parametrize("second", ["ab", "ba"])
@pytest.mark.parametrize("first", ["ab", "ba"])
def test_rounds_are_remembered_in_order_whoever_is_first(first, second):
    outcome = run(ROUNDS + DEMO, steer=answering(*first, *second))
    before = ["a1", "I am P", "b1", "I am Q"]
    assert [[*before, "a2"], [*before, "b2"]] == [seen(outcome, "p", 2), seen(outcome, "q", 2)]
    assert [*before, "a2", "I am P", "b2", "I am Q", "end"] == seen(outcome, "after")


# What edges bring ---------------------------------------------------------------------------------


def brought(settings="memory: GOLDFISH", person="P", edges=(), answer="a remark"):
    """What `last` sees when an edge brings it the conversation of `first`."""
    more = "".join(f"- {{{edge}}}\n" for edge in edges)
    outcome = run(
        f"""
nodes:
- {{label: start, type: start}}
- {{label: first, type: person_job, person: {person}, prompt: one}}
- {{label: middle, type: person_job, person: Q, prompt: two}}
- {{label: note, type: user_response, prompt: "?"}}
- {{label: last, type: person_job, person: Q, prompt: three, {settings}}}
connections:
- {{from: start, to: first}}
- {{from: first, to: middle}}
- {{from: middle, to: last}}
- {{from: first, to: last, label: talk, content_type: conversation_state}}
{more}"""
        + DEMO,
        answers={"note": answer},
    )
    return seen(outcome, "last")


def test_what_an_edge_brings_is_seen_whatever_the_view():
    assert ["one", "I am P", "three"] == brought()


def test_ones_own_words_come_along_with_the_question():
    assert ["one", "I am Q", "three"] == brought(person="Q")


def test_what_is_brought_and_remembered_is_seen_once_in_order():
    both = ["one", "I am P", "two", "I am Q", "three"]
    assert both == brought("memory: ALL_MESSAGES") == brought("memory: ALL_INVOLVED")


def test_a_remark_of_no_person_is_heard_before_the_prompt():
    edge = "from: note, to: last, label: n, content_type: conversation_state"
    assert ["one", "I am P", "a remark", "three"] == brought(edges=[edge])


def test_equal_remarks_of_two_sources_are_both_heard():
    edges = [f"from: {x}, to: last, label: {x}, content_type: conversation_state" for x in "ab"]
    nodes = "".join(f"- {{label: {x}, type: user_response, prompt: '?'}}\n" for x in "ab")
    outcome = run(
        f"nodes:\n{nodes}- {{label: last, type: person_job, person: P, prompt: so}}\n"
        f"connections:\n- {{{edges[0]}}}\n- {{{edges[1]}}}\n" + DEMO,
        answers={"a": "yes", "b": "yes"},
    )
    assert ["yes", "yes", "so"] == seen(outcome, "last")


HEARD = """
nodes:
- {label: note, type: user_response, prompt: "?"}
- {label: p, type: person_job, person: P, prompt: go, max_iteration: 2, memory: VIEW}
- {label: done, type: condition, condition_type: detect_max_iterations}
- {label: q, type: person_job, person: Q, prompt: end, memory: VIEW}
connections:
- {from: note, to: p, label: note, content_type: conversation_state}
- {from: p, to: done}
- {from: "done[condfalse]", to: p, label: again}
- {from: "done[condtrue]", to: q}
"""


@pytest.mark.parametrize("view", ["ALL_INVOLVED", "ALL_MESSAGES"])
def test_what_comes_again_in_every_round_is_heard_once(view):
    outcome = run(HEARD.replace("VIEW", view) + DEMO, answers={"note": "hear"})
    assert ["hear", "go", "I am P", "go"] == seen(outcome, "p", 2)


@pytest.mark.parametrize(("view", "remembered"), [("ALL_INVOLVED", 0), ("ALL_MESSAGES", 1)])
def test_what_one_heard_the_others_remember_as_a_message(view, remembered):
    outcome = run(HEARD.replace("VIEW", view) + DEMO, answers={"note": "hear"})
    assert remembered == seen(outcome, "q").count("hear")


def test_the_conversation_of_another_run_is_not_taken_for_this_one():
    message = {"id": "p[1].0", "sender": "P", "recipient": None, "content": "long ago"}
    outcome = run(
        """
nodes:
- {label: start, type: start}
- {label: p, type: person_job, person: P, prompt: now}
connections: [{from: start, to: p}]
"""
        + DEMO,
        {"messages": [message], "last_message": "long ago"},
    )
    assert ["long ago", "now"] == seen(outcome, "p")


# What is said -------------------------------------------------------------------------------------


def spoken(settings, turns=1, **options):
    text = f"""
nodes:
- {{label: start, type: start, custom_data: {{topic: tea}}}}
- {{label: p, type: person_job, person: P, max_iteration: {turns}, {settings}}}
- {{label: done, type: condition, condition_type: detect_max_iterations}}
connections:
- {{from: start, to: p}}
- {{from: p, to: done}}
- {{from: "done[condfalse]", to: p}}
"""
    return run(text + DEMO, **options)


@pytest.mark.parametrize(
    ("settings", "prompts"),
    [
        ("prompt: 'on {{topic}}'", ["on tea"] * 3),
        ("default_prompt: on", ["on"] * 3),
        ("defaultPrompt: on", ["on"] * 3),
        ("first_only_prompt: begin", ["begin"] * 3),
        ("first_only_prompt: begin, default_prompt: on", ["begin", "on", "on"]),
        ("first_only_prompt: begin, prompt: on", ["begin", "on", "on"]),
        ("prompt: begin, default_prompt: on", ["begin", "on", "on"]),
        ("prompt: begin, defaultPrompt: on", ["begin", "on", "on"]),
        ("first_only_prompt: '', default_prompt: on", ["", "on", "on"]),
    ],
)
def test_the_first_prompt_is_said_in_the_first_turn(settings, prompts):
    assert prompts == spoken(settings, turns=3).prompts("p")


@pytest.mark.parametrize(
    ("settings", "prompts"),
    [
        ("prompt_file: on.md", ["on tea"] * 3),
        ("first_prompt_file: begin.md", ["begin"] * 3),
        ("first_prompt_file: begin.md, prompt_file: on.md", ["begin", "on tea", "on tea"]),
        ("first_prompt_file: begin.md, prompt: so", ["begin", "so", "so"]),
        ("prompt: so, promptFile: on.md", ["so", "on tea", "on tea"]),
        ("default_prompt: '', prompt_file: on.md", ["on tea"] * 3),
        ("first_only_prompt: one, first_prompt_file: '', prompt: so", ["one", "so", "so"]),
    ],
)
def test_a_file_holds_a_prompt_with_names_to_fill_in(tmp_path, settings, prompts):
    (tmp_path / "on.md").write_text("on {{topic}}")
    (tmp_path / "begin.md").write_text("begin")
    assert prompts == spoken(settings, turns=3, root=tmp_path).prompts("p")


def test_a_prompts_file_that_is_not_there_fails_the_run(tmp_path):
    error = spoken("promptFile: on.md", root=tmp_path).error
    assert ("p", "promptFile") == (error.node, error.field)
    assert "on.md" in error.message


def test_an_unknown_name_in_a_prompts_file_is_told(tmp_path):
    (tmp_path / "on.md").write_text("{{lost}}")
    error = spoken("prompt_file: on.md", root=tmp_path).error
    assert ("p", "prompt_file") == (error.node, error.field)
    assert "`lost` is not known here" in error.message


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("default_prompt: a, prompt_file: b", "has `default_prompt` and `prompt_file`"),
        ("first_only_prompt: a, first_prompt_file: b", "has `first_only_prompt` and `first_pro"),
        ("prompt: a, default_prompt: b, first_only_prompt: c", "has `first_only_prompt` and `pro"),
    ],
)
def test_two_prompts_for_the_same_turns_are_refused(settings, said):
    with pytest.raises(DiagramError, match=said):
        spoken(settings)


def test_a_loop_entered_again_begins_with_the_first_prompt():
    outcome = run(
        """
nodes:
- {label: start, type: start}
- {label: outer, type: condition, expression: 1 < 2, max_iteration: 2}
- {label: p, type: person_job, person: P, first_only_prompt: a, prompt: b, max_iteration: 2}
- {label: inner done, type: condition, condition_type: detect_max_iterations}
- {label: done, type: condition, condition_type: detect_max_iterations}
connections:
- {from: start, to: outer}
- {from: "outer[condtrue]", to: p}
- {from: p, to: inner done}
- {from: "inner done[condfalse]", to: p}
- {from: "inner done[condtrue]", to: done}
- {from: "done[condfalse]", to: outer}
"""
        + DEMO
    )
    assert ["a", "b", "a", "b"] == outcome.prompts("p")


def test_the_answer_is_streamed_handed_on_and_counted(server):
    server.usage(prompt_tokens=7, completion_tokens=2)
    outcome = run(TALK.replace(", SETTINGS", "") + PERSONS, engine=engine(server=server))
    last = outcome.completed("p3")[0]
    assert ({"default": "R4"}, "P") == (last.outputs, last.person)
    assert e.Usage(input_tokens=7, output_tokens=2, calls=1, unpriced=1) == last.usage
    pieces = [each.text for each in outcome.of(e.TokenDelta) if each.node == "p3"]
    assert "R4" == "".join(pieces)


def test_a_prompt_file_is_the_persons_system_prompt(server, tmp_path):
    (tmp_path / "role.md").write_text("You are short.")
    people = "\npersons:\n  P: {service: openai, model: m, prompt_file: role.md}\n"
    text = "nodes: [{label: p, type: person_job, person: P, prompt: hi}]"
    run(text + people, engine=engine(server=server, root=tmp_path))
    assert [("system", "You are short."), ("user", "hi")] == said(server.requests[0])


def test_a_prompt_file_that_is_not_there_fails_the_run(tmp_path):
    people = "\npersons:\n  P: {service: demo, prompt_file: role.md}\n"
    error = run(
        "nodes: [{label: p, type: person_job, person: P, prompt: hi}]" + people, root=tmp_path
    )
    assert ("p", "person") == (error.error.node, error.error.field)
    assert "role.md" in error.error.message


# What is wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ("prompt: '{{lost}}'", "prompt"),
        ("defaultPrompt: '{{lost}}'", "defaultPrompt"),
        ("first_only_prompt: '{{lost}}', prompt: on", "first_only_prompt"),
        ("prompt: '{{lost}}', default_prompt: on", "prompt"),
    ],
)
def test_an_unknown_name_is_found_where_it_was_written(settings, field):
    error = spoken(settings).error
    assert ("p", field) == (error.node, error.field)
    assert "`lost` is not known here" in error.message


@pytest.mark.parametrize(
    ("settings", "code", "field"),
    [
        ("person: R, prompt: hi", "unknown_person", "person"),
        ("personId: R, prompt: hi", "unknown_person", "personId"),
        ("person: P, prompt: hi, ignore_person: 'Q,R'", "unknown_person", "ignore_person"),
        ("person: P, prompt: '{{#if x}}'", "bad_template", "prompt"),
        ("person: P, prompt: '{{x', default_prompt: on", "bad_template", "prompt"),
        ("person: P, firstOnlyPrompt: '{{x'", "bad_template", "firstOnlyPrompt"),
        ("person: P, prompt: hi, memorize_to: goldfsh", "bad_property", "memorize_to"),
        ("person: P, prompt: hi, at_most: 0", "bad_property", "at_most"),
        ("person: P, prompt: [hi]", "bad_property", "prompt"),
        ("person: P, default_prompt: a, defaultPrompt: b", "bad_property", "defaultPrompt"),
        ("person: P, prompt: hi, promt: hi", "unknown_property", "promt"),
    ],
)
def test_mistakes_are_found_before_running_with_their_place(settings, code, field):
    text = f"nodes: [{{label: p, type: person_job, {settings}}}]" + DEMO
    with pytest.raises(DiagramError) as caught:
        run(text)
    (problem,) = caught.value.problems
    assert (code, ("nodes", "p", field)) == (problem.code, problem.path)
    assert light.survey(text).source.place_of(*problem.path) != (1, 8)


@pytest.mark.parametrize("settings", ["person: P", "prompt: hi", "person: P, memory_config: 3"])
def test_what_is_missing_is_found_before_running(settings):
    with pytest.raises(DiagramError) as caught:
        run(f"nodes: [{{label: p, type: person_job, {settings}}}]" + DEMO)
    assert {x.code for x in caught.value.problems} <= {"missing_property", "bad_property"}
