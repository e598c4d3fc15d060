"""`output_schema`: who is asked how for JSON, what becomes of it, and of what is none."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass

import pytest
from pydantic import BaseModel

import dipeo_jupyter as dipeo
from dipeo_jupyter.diagram import light
from dipeo_jupyter.engine.schemas import schema_of
from dipeo_jupyter.errors import DiagramError, ExecutionFailedError
from dipeo_jupyter.nodes.structured import Form, is_strict
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.settings import Settings
from tests.running import run
from tests.steering import REAL_MODELS, engine

pytestmark = REAL_MODELS

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "score": {"type": "integer"}},
    "required": ["name", "score"],
}
CLOSED = {**SCHEMA, "additionalProperties": False}
GOOD = '{"name": "Ann", "score": 3}'
BAD = '{"name": "Ann", "score": "three"}'
HELD, TOLD = "gpt-4.1-nano", "gpt-3.5-turbo"
"""A model that takes schemas, and one that does not."""


def drawn(settings="", model=HELD, schema=SCHEMA, person="system_prompt: You judge."):
    schema = json.dumps(schema) if isinstance(schema, dict) else schema
    return f"""
persons:
  P: {{service: openai, model: {model}, {person}}}
nodes:
- {{label: start, type: start}}
- {{label: p, type: person_job, person: P, prompt: Judge., output_schema: {schema}, {settings}}}
- {{label: end, type: endpoint}}
connections: [{{from: start, to: p}}, {{from: p, to: end}}]
"""


def asked(server, *answers, text=None, **options):
    for answer in answers:
        server.reply(answer)
    return run(text or drawn(), engine=engine(server=server, **options))


def sent(server):
    return [
        [(each["role"], each["content"]) for each in x.body["messages"]] for x in server.requests
    ]


# How it is asked for ------------------------------------------------------------------------------


def test_a_model_that_takes_schemas_is_given_it_as_response_format(openai_server):
    asked(openai_server, GOOD)
    (request,) = openai_server.requests
    wanted = {"name": "answer", "schema": SCHEMA, "strict": False}
    assert {"type": "json_schema", "json_schema": wanted} == request.body["response_format"]
    assert [[("system", "You judge."), ("user", "Judge.")]] == sent(openai_server)


def test_a_model_that_does_not_is_told_it_by_the_system(openai_server):
    asked(openai_server, GOOD, text=drawn(model=TOLD))
    (request,) = openai_server.requests
    assert "response_format" not in request.body
    ((_, system), prompt) = sent(openai_server)[0]
    assert system.startswith("You judge.\n\nAnswer with nothing but JSON that")
    assert system.endswith(json.dumps(SCHEMA))
    assert ("user", "Judge.") == prompt


def test_without_a_schema_nothing_is_said_of_json(openai_server):
    outcome = asked(openai_server, GOOD, text=drawn(schema="null"))
    (request,) = openai_server.requests
    assert "response_format" not in request.body
    assert outcome.outputs["end"] == GOOD


def test_a_response_format_of_its_own_stays_and_the_schema_is_told(openai_server):
    own = {"type": "json_object"}
    asked(openai_server, GOOD, text=drawn(person=f"response_format: {json.dumps(own)}"))
    assert own == openai_server.requests[0].body["response_format"]
    assert "JSON Schema" in sent(openai_server)[0][0][1]


def test_a_schema_of_a_list_is_told_because_objects_alone_are_taken(openai_server):
    schema = {"type": "array", "items": {"type": "integer"}}
    outcome = asked(openai_server, "[1, 2]", text=drawn(schema=schema))
    assert "response_format" not in openai_server.requests[0].body
    assert outcome.outputs["end"] == [1, 2]


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (CLOSED, True),
        (SCHEMA, False),
        ({**CLOSED, "required": ["name"]}, False),
        ({**CLOSED, "properties": {"name": CLOSED, "score": SCHEMA}}, False),
        ({**CLOSED, "properties": {"name": CLOSED, "score": {"enum": [1]}}}, True),
        ({"type": "array", "items": SCHEMA}, False),
        ({"type": "array", "items": {"$ref": "#/$defs/a"}, "$defs": {"a": CLOSED}}, True),
        ({"anyOf": [CLOSED, {"type": "null"}]}, True),
        ({"anyOf": [CLOSED, SCHEMA]}, False),
        ({"type": "string", "pattern": "a"}, False),
        ({"oneOf": [CLOSED]}, False),
        (True, False),
    ],
)
def test_only_a_schema_that_leaves_nothing_open_is_strict(schema, strict):
    assert strict == is_strict(schema)


def test_a_schema_may_stand_in_a_file(openai_server, tmp_path):
    (tmp_path / "form.json").write_text(json.dumps(SCHEMA))
    outcome = asked(openai_server, GOOD, text=drawn(schema="form.json"), root=tmp_path)
    assert outcome.outputs["end"] == json.loads(GOOD)


# What becomes of it -------------------------------------------------------------------------------


def test_the_value_is_handed_on_and_the_text_is_said(openai_server):
    outcome = asked(openai_server, GOOD)
    (done,) = outcome.completed("p")
    assert outcome.outputs["end"] == json.loads(GOOD)
    assert ["Judge.", GOOD] == [each.content for each in done.messages]
    assert ("p[1].0",) == done.seen


@pytest.mark.parametrize(
    "answer",
    [
        GOOD,
        f"\n {GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"Here you are:\n```\n{GOOD}```\nAnything else?",
        f"First\n```python\nx = 1\n```\nthen\n```json\n{GOOD}\n```",
        f"Not\n```json\n{BAD}\n```\nbut\n```json\n{GOOD}\n```",
    ],
)
def test_json_is_found_in_a_fence_too(answer):
    assert Form(SCHEMA, 0).read(answer) == (None, json.loads(GOOD))


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("Gladly!", "it is no JSON (Expecting value"),
        ("```\nGladly!\n```", "it is no JSON (Expecting value"),
        (BAD, "score: 'three' is not of type 'integer'"),
        (f"So:\n```json\n{BAD}\n```\n```\nx\n```", "score: 'three' is not"),
        ('{"name": "Ann"}', "'score' is a required property"),
        ('{"name": "Ann", "score": NaN}', "it is no JSON (NaN is no JSON)"),
        ('{"name": "Ann", "score": 1e999}', "it is no JSON (1e999 is too large)"),
        ("[" * 100_000, "it is no JSON (it is nested too deeply)"),
        ("```\n" * 20_000, "it is no JSON"),
        ("", "it is no JSON"),
    ],
    ids=lambda value: value[:20] or "nothing",
)
def test_what_is_wrong_with_an_answer_is_said(answer, fault):
    said, value = Form(SCHEMA, 0).read(answer)
    assert said is not None
    assert said.startswith(fault)
    assert value is None


def test_templates_and_conditions_look_into_the_value(openai_server):
    openai_server.reply(GOOD)
    text = drawn().replace("type: endpoint", "type: endpoint, content_format: '{{p.name}}!'")
    outcome = run(text, engine=engine(server=openai_server))
    assert outcome.outputs["end"] == "Ann!"


# Asking again -------------------------------------------------------------------------------------


def test_whoever_answers_otherwise_is_told_why_and_asked_again(openai_server):
    outcome = asked(openai_server, BAD, GOOD)
    *before, (said_by, said), (told_by, told) = sent(openai_server)[1]
    assert before == sent(openai_server)[0]
    assert ("assistant", BAD) == (said_by, said)
    assert told_by == "user"
    assert "score: 'three' is not of type 'integer'. Answer again" in told
    assert outcome.outputs["end"] == json.loads(GOOD)


def test_of_the_tries_nobody_hears_but_the_last(openai_server):
    after = "- {label: q, type: person_job, person: P, prompt: So?, memory: ALL_MESSAGES}\n"
    text = drawn().replace("- {label: end", f"{after}- {{label: end")
    text = text.replace("{from: p, to: end}", "{from: p, to: q}, {from: q, to: end}")
    outcome = asked(openai_server, "Hm.", GOOD, "Fine.", text=text)
    assert [x for _, x in sent(openai_server)[2]] == ["You judge.", "Judge.", GOOD, "So?"]
    assert ("p[1].0", "p[1].1", "q[1].0") == outcome.completed("q")[0].seen


def test_each_try_is_an_effect_that_is_paid(openai_server):
    openai_server.usage(prompt_tokens=5, completion_tokens=2)
    outcome = asked(openai_server, "Hm.", BAD, GOOD)
    done = outcome.of(e.EffectCompleted)
    assert ["", ".again1", ".again2"] == [each.effect for each in done]
    usage = outcome.completed("p")[0].usage
    assert (3, 15, 6) == (usage.calls, usage.input_tokens, usage.output_tokens)


def test_after_the_last_try_the_node_fails_with_the_first_fault(openai_server):
    error = asked(openai_server, "Hm.", "Well.", BAD).error
    assert ("p", "output_schema", BAD) == (error.node, error.field, error.details)
    assert error.message == (
        "'P' did not answer as the `output_schema` wants, asked 3 times: "
        f"score: 'three' is not of type 'integer'. It said: {BAD}"
    )
    assert len(openai_server.requests) == 3


def test_an_error_quotes_only_the_beginning_of_an_answer(openai_server):
    error = asked(openai_server, f"So {[*range(300)]}", text=drawn("output_retries: 0")).error
    assert error.message.startswith("'P' did not answer as the `output_schema` wants: it is no")
    assert "It said: So [0, 1, 2," in error.message
    assert error.message.endswith("…")
    assert len(error.message) < 300


@pytest.mark.parametrize(
    ("policy", "outputs"),
    [("continue", {}), ("{default: {name: nobody}}", {"end": {"name": "nobody"}})],
)
def test_what_an_error_leads_to_is_up_to_on_error(openai_server, policy, outputs):
    text = drawn(f"output_retries: 0, on_error: {policy}")
    assert outputs == asked(openai_server, BAD, text=text).outputs


def test_an_edge_for_errors_gets_the_fault(openai_server):
    text = drawn("output_retries: 0, on_error: edge")
    text = text.replace("{from: p, to: end}", "{from: 'p[error]', to: end}")
    error = asked(openai_server, BAD, text=text).outputs["end"]
    assert error["type"] == "NodeError"
    assert "score: 'three'" in error["message"]


def test_a_failure_between_two_tries_is_tried_again_without_the_first(openai_server):
    openai_server.reply(BAD)
    openai_server.fail(500)
    openai_server.reply(GOOD)
    outcome = asked(openai_server, text=drawn("retry: {initial_interval: 0}"))
    assert [2, 4, 4] == [len(each) for each in sent(openai_server)]
    assert outcome.outputs["end"] == json.loads(GOOD)


# Runs that are kept -------------------------------------------------------------------------------


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


def test_after_a_crash_between_tries_no_try_is_repeated(settings, openai_server):
    openai_server.reply(BAD)
    openai_server.hang()
    with closing(Session(settings)) as session:
        name = session.start(drawn()).id
        assert openai_server.wait(lambda: len(openai_server.requests) == 2)

    openai_server.reply(GOOD)
    with closing(Session(settings)) as session:
        done = session.get(name)
        done.resume()
        done.wait()

    assert [2, 4, 4] == [len(each) for each in sent(openai_server)]
    assert done.outputs["end"] == json.loads(GOOD)
    assert done["p"].usage.calls == 2


def test_another_run_takes_the_tries_that_are_known(session, openai_server):
    openai_server.reply(BAD)
    openai_server.reply(GOOD)
    session.start(drawn()).wait()
    again = session.start(drawn()).wait()

    assert len(openai_server.requests) == 2
    assert again.outputs["end"] == json.loads(GOOD)
    assert again["p"].usage.calls == 0


def test_who_tries_again_after_the_last_try_does_ask_again(session, openai_server):
    text = drawn("output_retries: 1")
    openai_server.reply(BAD, times=2)
    run = session.start(text)
    with pytest.raises(ExecutionFailedError):
        run.wait()

    openai_server.reply(GOOD)
    run.resume()
    assert run.wait().outputs["end"] == json.loads(GOOD)
    assert [2, 4, 6] == [len(each) for each in sent(openai_server)]


@pytest.mark.parametrize("model", [HELD, TOLD])
def test_with_another_schema_the_model_is_asked_anew(session, openai_server, model):
    openai_server.reply(GOOD, times=2)
    session.start(drawn(model=model)).wait()
    session.start(drawn(model=model, schema=CLOSED)).wait()

    assert len(openai_server.requests) == 2


def test_a_cassette_replays_all_tries_and_knows_the_schema(session, openai_server, tmp_path):
    openai_server.reply(BAD)
    openai_server.reply(GOOD)
    tape = tmp_path / "tape.yaml"
    session.start(drawn(), cassette=tape).wait()
    replay = {"cassette": tape, "cassette_mode": "replay", "fresh": True}
    replayed = session.start(drawn(), **replay).wait()

    assert replayed.outputs["end"] == json.loads(GOOD)
    assert len(openai_server.requests) == 2
    with pytest.raises(ExecutionFailedError, match="no answer to this request"):
        session.start(drawn(schema=CLOSED), **replay).wait()


def test_a_plan_knows_the_keys_of_an_answer_and_counts_one_call(session):
    more = drawn().replace("type: endpoint", "type: endpoint, content_format: '{{p.name}}!'")
    rows = {each.node: each for each in session.plan(more).activations}

    assert ("run", 1) == (rows["p"].action, rows["p"].calls)
    assert rows["end"].action != "fail"


# The demo, and lists ------------------------------------------------------------------------------


def demo(node, *answers):
    answers = json.dumps(list(answers))
    return f"""
persons:
  P: {{service: demo, answers: {answers}}}
nodes:
- {{label: rows, type: start, custom_data: {{items: [a, b]}}}}
- {{label: p, person: P, prompt: Judge., output_schema: {json.dumps(SCHEMA)}, {node}}}
- {{label: end, type: endpoint}}
connections: [{{from: rows, to: p}}, {{from: p, to: end}}]
"""


def test_a_demo_answers_what_it_is_scripted_to_try_after_try():
    outcome = run(demo("type: person_job", "Hm.", BAD, GOOD))
    assert outcome.outputs["end"] == json.loads(GOOD)


def test_each_item_of_a_list_has_tries_of_its_own():
    outcome = run(demo("type: person_batch_job, parallel: false", BAD, GOOD))
    assert outcome.outputs["end"] == [json.loads(GOOD)] * 2
    names = [each.effect for each in outcome.of(e.EffectCompleted)]
    assert names == [".0", ".0.again1", ".1", ".1.again1"]
    contents = [each.content for each in outcome.completed("p")[0].messages]
    assert contents == ["Judge.", GOOD] * 2


def test_an_item_without_such_an_answer_fails_alone(openai_server):
    for answer in (BAD, GOOD):
        openai_server.reply(answer)
    text = drawn("items: rows, partial: true, parallel: false, output_retries: 0")
    text = text.replace("person_job", "person_batch_job")
    text = text.replace("type: start", "type: start, custom_data: {rows: [a, b]}")
    result = run(text, engine=engine(server=openai_server)).outputs["end"]
    assert result["results"] == [{"index": 1, "output": json.loads(GOOD)}]
    assert "score: 'three'" in result["failed"][0]["error"]


# What is wrong before anything runs ---------------------------------------------------------------


def problems(settings):
    text = f"""
persons: {{P: {{service: demo}}}}
nodes:
- {{label: p, type: person_job, person: P, prompt: Judge., {settings}}}
- {{label: end, type: endpoint, content_format: "{{{{names}}}} {{{{score}}}}"}}
connections: [{{from: p, to: end}}]
"""
    return list(dipeo.check(text))


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ("output_schema: {type: objct}", "bad_schema", "is no JSON Schema: type: 'objct' is not"),
        ("output_schema: {$ref: '#/no'}", "bad_schema", "it refers to '/no'"),
        ("output_schema: form.yaml", "bad_property", "or the path of a .json file"),
        ("output_schema: [a]", "bad_property", "or the path of a .json file"),
        ("output_schema: a.json, output_retries: -1", "bad_property", "greater than or equal to 0"),
        ("output_retries: 1", "unused_setting", "counts only with an `output_schema`"),
    ],
)
def test_a_wrong_schema_is_found_with_its_place(settings, code, said):
    found = next(each for each in problems(settings) if each.code == code)
    assert said in found.message
    field = settings.split(":")[0] if "retries: -1" not in settings else "output_retries"
    assert found.path == ("nodes", "p", field)
    assert found.line == 4


def test_the_check_knows_the_keys_of_the_answer():
    schema = {"type": "object", "properties": {"name": {}, "score": {}}}
    found = [
        each for each in problems(f"output_schema: {json.dumps(schema)}") if each.code[0] == "u"
    ]
    assert [(each.code, each.hint) for each in found] == [("unknown_name", "Did you mean 'name'?")]


@pytest.mark.parametrize("schema", ["form.json", {"$ref": "#/$defs/a", "$defs": {"a": {}}}])
def test_of_keys_that_are_not_known_the_check_says_nothing(schema):
    assert [] == [x for x in problems(f"output_schema: {json.dumps(schema)}") if x.node == "end"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot read the schema"),
        ("{", "form.json is no JSON"),
        ("[]", "form.json is no JSON Schema: it must be an object"),
        ('{"type": "objct"}', "form.json is no JSON Schema: type: 'objct'"),
    ],
)
def test_a_wrong_file_fails_the_node_before_anybody_is_asked(openai_server, tmp_path, text, said):
    if text is not None:
        (tmp_path / "form.json").write_text(text)
    error = asked(openai_server, text=drawn(schema="form.json"), root=tmp_path).error
    assert error.field == "output_schema"
    assert said in error.message
    assert not openai_server.requests


# From Python --------------------------------------------------------------------------------------


class Review(BaseModel):
    name: str
    score: int


@dataclass
class Point:
    x: int


def test_a_pydantic_class_makes_a_schema_for_a_diagram():
    diagram = light.loads(demo("type: person_job", GOOD))
    props = {**diagram.nodes[1].props, "output_schema": dipeo.schema_of(Review)}
    node = diagram.nodes[1].model_copy(update={"props": props})
    nodes = (diagram.nodes[0], node, diagram.nodes[2])
    outcome = run(diagram.model_copy(update={"nodes": nodes}))
    assert Review(**outcome.outputs["end"]) == Review(name="Ann", score=3)


def test_other_annotated_types_have_schemas_too():
    assert schema_of(Point)["properties"] == {"x": {"title": "X", "type": "integer"}}
    assert schema_of(list[int]) == {"type": "array", "items": {"type": "integer"}}


def test_a_schema_of_an_open_file_is_an_error():
    with pytest.raises(DiagramError, match="output_schema"):
        run(demo("type: person_job", GOOD).replace(json.dumps(SCHEMA), "3"))
