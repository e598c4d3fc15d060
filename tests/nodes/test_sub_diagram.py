"""`sub_diagram`: a diagram inside of a node, once or for each item of a list."""

from __future__ import annotations

from textwrap import dedent

import pytest

from dipeo_jupyter.diagram import files
from dipeo_jupyter.engine.compile import examine
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.protocol import events as e
from tests.running import diagram_of, run

ECHO = """
{nodes: [
  {label: start, type: start},
  {label: say, type: condition, expression: "1 < 2"},
  {label: end, type: endpoint, content_format: "TEXT"}],
 connections: [{from: start, to: say}, {from: "say[condtrue]", to: end}]}
"""
TWO_ENDS = """
{nodes: [
  {label: start, type: start, custom_data: {score: 3, list: [7]}},
  {label: whole, type: endpoint},
  {label: text, type: endpoint, content_format: hello}],
 connections: [{from: start, to: whole}, {from: start, to: text}]}
"""
ONE = """
nodes:
- {label: start, type: start, custom_data: DATA}
- {label: sub, type: sub_diagram, diagram_data: INNER, SETTINGS}
- {label: result, type: endpoint}
connections: [{from: start, to: sub}, {from: sub, to: result}]
"""
SPOKEN = """
persons: {P: {service: demo}, Q: {service: demo}}
nodes:
- {label: start, type: start}
- {label: before, type: person_job, person: P, prompt: "Before"}
- {label: sub, type: sub_diagram, diagram_data: INNER, SETTINGS}
- {label: after, type: person_job, person: P, prompt: "After"}
connections: [{from: start, to: before}, {from: before, to: sub}, {from: sub, to: after}]
"""
SPEAKING = """
{persons: {P: {service: demo}},
 nodes: [
  {label: start, type: start},
  {label: before, type: person_job, person: P, prompt: "Inside"},
  {label: end, type: endpoint}],
 connections: [{from: start, to: before}, {from: before, to: end}]}
"""


def one(inner, data="{}", settings="", text=ONE):
    text = text.replace("INNER", " ".join(inner.split())).replace("DATA", data)
    return text.replace(", SETTINGS", f", {settings}" if settings else "")


def echo(text, data="{}", settings=""):
    return one(ECHO.replace("TEXT", text), data, settings)


def result(text, **options):
    return run(text, **options).outputs["result"]


def messages(outcome, node):
    (done,) = outcome.completed(node)
    return done.messages


# -- what goes in ---------------------------------------------------------------------------------


def test_what_arrives_by_name_are_the_inputs():
    assert result(echo("{{a}}", "{a: 1}")) == "1"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("a", "1"),
        ("inputs.a", "1"),
        ("rows[0].b", "2"),
        ("inputs.rows[0].b", "2"),
        ("start.a", "1"),
        ("a + 1", "2"),
        ("5", "5"),
    ],
)
def test_a_mapping_says_what_the_inputs_are(source, found):
    settings = f"input_mapping: {{x: '{source}'}}"

    assert result(echo("{{x}}", "{a: 1, rows: [{b: 2}]}", settings)) == found


def test_with_a_mapping_nothing_else_goes_in():
    failed = run(echo("{{a}}", "{a: 1}", "input_mapping: {b: a}"))

    assert "`a` is not known here" in failed.error.message


def test_a_mapping_from_something_that_is_not_there_is_an_error():
    error = run(echo("", "{abc: 1}", "inputMapping: {x: abd}")).error

    assert error.field == "inputMapping"
    assert "'abd' is not there" in error.message


# -- what comes out -------------------------------------------------------------------------------


def test_the_result_is_the_value_of_the_only_endpoint():
    assert result(echo("hello")) == "hello"


def test_of_several_endpoints_all_values_come_by_label():
    found = result(one(TWO_ENDS))

    assert found == {"whole": {"score": 3, "list": [7]}, "text": "hello"}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("text", "hello"),
        ("text.value", "hello"),
        ("whole.score", 3),
        ("whole.list.0", 7),
    ],
)
def test_a_mapping_says_what_the_result_is(path, found):
    assert result(one(TWO_ENDS, settings=f"output_mapping: {{x: {path}}}")) == {"x": found}


@pytest.mark.parametrize("path", ["txet", "whole.nothing", "text.0"])
def test_a_mapping_of_a_result_that_is_not_there_is_an_error(path):
    error = run(one(TWO_ENDS, settings=f"output_mapping: {{x: {path}}}")).error

    assert error.field == "output_mapping"


# -- the conversation -----------------------------------------------------------------------------


def test_persons_inside_know_what_was_said_before():
    outcome = run(one(SPEAKING, text=SPOKEN))

    said = [message.id for message in messages(outcome, "sub")]
    assert said == ["sub[1]/before[1].0", "sub[1]/before[1].1"]
    assert messages(outcome, "sub")[0].content == "Inside"


def test_what_is_said_inside_is_known_afterwards():
    (after,) = run(one(SPEAKING, text=SPOKEN)).completed("after")

    assert after.seen == (
        *("before[1].0", "before[1].1"),
        *("sub[1]/before[1].0", "sub[1]/before[1].1", "after[1].0"),
    )


def test_an_isolated_conversation_stays_inside():
    settings = "isolate_conversation: true"
    outcome = run(one(SPEAKING, text=SPOKEN, settings=settings))
    (after,) = outcome.completed("after")

    assert messages(outcome, "sub") == ()
    assert after.seen == ("before[1].0", "before[1].1", "after[1].0")


# -- for each item --------------------------------------------------------------------------------

ROWS = "{rows: [{n: 2}, {n: 0}, {n: 4}]}"
DIVIDE = """
{nodes: [
  {label: start, type: start},
  {label: check, type: condition, expression: "12 / n > 0"},
  {label: end, type: endpoint, content_format: "{{index}}:{{n}}"}],
 connections: [{from: start, to: check}, {from: "check[condtrue]", to: end}]}
"""


def test_a_batch_gives_the_results_in_the_order_of_the_items():
    settings = "batch: true, items: rows"

    assert result(echo("{{index}}:{{item.n}}:{{n}}", ROWS, settings)) == ["0:2:2", "1:0:0", "2:4:4"]


@pytest.mark.parametrize(
    "settings",
    [
        "batch: true, batch_input_key: rows",
        "batch: true",
        "batch: true, batchParallel: false",
        "batch: true, max_concurrency: 1",
    ],
)
def test_a_batch_may_be_written_in_several_ways(settings):
    text = echo("{{n}}", ROWS, settings).replace(
        "{from: start, to: sub}", "{from: start, to: pick}, {from: 'pick[condtrue]', to: sub}"
    )
    pick = "- {label: pick, type: condition, expression: 1 < 2}\n- {label: sub"
    text = text.replace("- {label: sub", pick)
    if settings.startswith("batch: true,") and "key" in settings:
        assert result(text) == ["2", "0", "4"]
    else:
        assert result(echo("{{item}}", "[x, y]", settings)) == ["x", "y"]


def test_a_mapping_of_a_batch_may_name_the_item():
    settings = "batch: true, items: rows, input_mapping: {x: item.n, y: index}"

    assert result(echo("{{y}}:{{x}}", ROWS, settings)) == ["0:2", "1:0", "2:4"]


def test_an_item_that_fails_fails_the_node_after_the_others():
    error = run(one(DIVIDE, ROWS, "batch: true, items: rows")).error

    assert error.message.startswith("1 of 3 items failed; the first is item 1: ")


def test_with_partial_the_other_items_go_on():
    found = result(one(DIVIDE, ROWS, "batch: true, items: rows, partial: true"))

    assert found["results"] == [{"index": 0, "output": "0:2"}, {"index": 2, "output": "2:4"}]
    assert [each["index"] for each in found["failed"]] == [1]
    assert found["total"] == 3


def test_messages_of_a_batch_come_in_the_order_of_the_items():
    text = one(SPEAKING, settings="batch: true, items: '[1, 2]'", text=SPOKEN)

    assert [x.id for x in messages(run(text), "sub")] == [
        *("sub[1].0/before[1].0", "sub[1].0/before[1].1"),
        *("sub[1].1/before[1].0", "sub[1].1/before[1].1"),
    ]


# -- levels ---------------------------------------------------------------------------------------

NESTED = """
{nodes: [
  {label: start, type: start},
  {label: sub, type: sub_diagram, diagram_data: INNER},
  {label: end, type: endpoint}],
 connections: [{from: start, to: sub}, {from: sub, to: end}]}
"""


def test_diagrams_may_be_inside_of_each_other():
    inner = NESTED.replace("INNER", ECHO.replace("TEXT", "{{a}}"))

    assert result(one(NESTED.replace("INNER", inner), "{a: deep}")) == "deep"


def test_a_diagram_that_contains_itself_is_refused(tmp_path):
    text = NESTED.replace("diagram_data: INNER", "diagram_name: mirror")
    drawn = diagram_of(text)
    (tmp_path / "mirror.light.yaml").write_text(files.dumps(drawn))

    error = run(drawn, root=tmp_path).error
    assert "nested more than 10 deep" in error.message
    assert "mirror → mirror" in error.message


def test_inside_of_another_run_a_node_may_be_left_out():
    inner = NESTED.replace("diagram_data: INNER", f"ignore_if_sub: true, diagram_data: {ECHO}")

    assert result(one(inner, "{a: 1}")) == {"a": 1}
    assert result(echo("run", settings="ignoreIfSub: true")) == "run"


# -- the diagram itself ---------------------------------------------------------------------------


def named(name, settings=""):
    return one("", settings=settings).replace("diagram_data: ", f"diagram_name: {name}")


@pytest.mark.parametrize("form", files.FORMATS)
@pytest.mark.parametrize("suffix", [True, False])
def test_a_file_may_be_in_any_format(tmp_path, form, suffix):
    drawn = diagram_of(ECHO.replace("TEXT", "hello"))
    name = f"inner{files.SUFFIXES[form]}"
    (tmp_path / name).write_text(files.dumps(drawn, form))

    assert result(named(name if suffix else "inner"), root=tmp_path) == "hello"


def test_a_diagram_may_be_written_inside_in_the_native_format():
    native = files.dumps(diagram_of(ECHO.replace("TEXT", "hello")), "native")

    assert result(one(native)) == "hello"


@pytest.mark.parametrize("name", ["nowhere", "../outside.light.yaml", "/etc/passwd"])
def test_a_file_that_cannot_be_read_is_an_error_at_the_node(tmp_path, name):
    (tmp_path / "root").mkdir()
    (tmp_path / "outside.light.yaml").write_text(ECHO)
    error = run(named(name), root=tmp_path / "root").error

    assert (error.node, error.field) == ("sub", "diagram_name")
    assert name in error.message


def test_a_file_with_a_mistake_is_an_error_with_its_line(tmp_path):
    wrong = dedent("""\
        nodes:
        - {label: start, type: start}
        - {label: end, type: endpiont}
        connections: [{from: start, to: end}]
        """)
    (tmp_path / "inner.yaml").write_text(wrong)
    error = run(named("inner"), root=tmp_path).error

    assert "the diagram 'inner.yaml' is wrong: line 3: " in error.message
    assert "'endpiont'" in error.message


def test_what_fails_inside_is_named_outside():
    error = run(one(DIVIDE, "{n: 0}")).error

    assert (error.type, error.node) == ("ChildError", "sub")
    assert "failed at check[1]" in error.message


# -- checking -------------------------------------------------------------------------------------


def problems(text):
    return examine(diagram_of(text), load_node_types())[1]


def test_a_mistake_in_a_diagram_inside_is_found_at_the_node():
    wrong = echo("{{x").replace("type: condition", "type: conditoin")
    found = next(x for x in problems(wrong) if x.code == "unknown_type")

    assert found.path == ("nodes", "sub", "diagram_data")
    assert found.message.startswith("In the diagram of 'sub': Node 'say' has the unknown type")


def test_a_warning_about_a_diagram_inside_is_found_too():
    lonely = echo("x").replace(
        "{label: end", "{label: lonely, type: db, operation: read, file: x}, {label: end"
    )

    assert any("In the diagram of 'sub'" in x.message for x in problems(lonely))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("", "needs a `diagram_name` or `diagram_data`"),
        ("diagram_name: a, diagram_data: {}", "and not both"),
        ("diagram_name: a, wait_for_completion: false", "A run waits for its parts"),
    ],
)
def test_what_cannot_be_done_is_refused(settings, message):
    text = f"nodes: [{{label: sub, type: sub_diagram, {settings}}}]"

    assert any(message in str(x) for x in problems(text))


def test_settings_of_a_batch_count_only_for_a_batch():
    found = [x.code for x in problems(echo("x", settings="partial: true"))]

    assert "unused_setting" in found


def test_properties_of_older_files_are_read():
    settings = (
        "passInputData: true, waitForCompletion: true, diagramFormat: light, "
        "isolateConversation: true, outputMapping: {x: end}"
    )
    assert result(echo("hello", settings=settings)) == {"x": "hello"}


def test_the_run_tells_which_diagram_was_run():
    (done,) = run(echo("hello")).completed("sub")

    assert isinstance(done, e.NodeCompleted)
    assert done.usage is None
