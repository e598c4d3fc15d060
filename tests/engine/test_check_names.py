"""Which names templates and expressions may use: what is given, in time, and what the run gives."""

from __future__ import annotations

import pytest

from .checking import check, codes, flow

PERSON = "P: {service: demo}"


def ask(prompt, *, source="{type: user_response, prompt: Hello?}", label="", start="", **settings):
    """One node that asks, behind another one whose value arrives under a label, or under none."""
    more = "".join(f", {name}: {value}" for name, value in settings.items())
    nodes = f"source: {source}\nask: {{type: person_job, person: P, prompt: '{prompt}'{more}}}"
    named = f", label: {label}" if label else ""
    text = flow(nodes, f"start -> source\n{{from: source, to: ask{named}}}", persons=PERSON)
    return text.replace("type: start", f"type: start{start}", 1)


@pytest.mark.parametrize(
    ("prompt", "label"),
    [
        ("{{topic}}", "topic"),
        ("{{topic.title | upper}}", "topic"),
        ("{{default}}", ""),
        ("{{source}}", "topic"),
        ("{{nobody?}}", ""),
        ("{{#each topic}}{{this}} {{@index}}{{/each}}", "topic"),
        ("{{given}}", "topic"),
    ],
)
def test_names_that_are_given_are_right(prompt, label):
    assert [] == codes(ask(prompt, label=label, start=", custom_data: {given: 1}"))


def test_a_name_that_only_the_run_can_give_is_a_hint_once():
    found = check(ask("{{subject}} {{subject}}", label="topic"))

    assert [("run_input", "hint")] == [(each.code, each.severity) for each in found]
    assert "must be given 'subject'" in found[0].message


def test_a_name_like_one_that_is_given_is_a_warning():
    (problem,) = check(ask("{{topik}}", label="topic"))

    assert ("unknown_name", "warning") == (problem.code, problem.severity)
    assert "Did you mean 'topic'?" == problem.hint


@pytest.mark.parametrize(("name", "label"), [("step3", "step2"), ("n1", "n")])
def test_names_that_are_alike_by_nature_are_no_slips(name, label):
    assert ["run_input"] == codes(ask(f"{{{{{name}}}}}", label=label))


@pytest.mark.parametrize(
    "source",
    [
        "{type: job, code: return 1}",
        "{type: db, file: a.json}",
        "{type: notion, operation: read_page, page_id: x}",
        "{type: user_response, prompt: Hi?, schema: {type: object}}",
        "{type: person_job, person: P, prompt: Hi, on_error: {default: {topic: x}}}",
    ],
)
def test_an_object_without_a_label_may_bring_any_name(source):
    assert [] == codes(ask("{{topic}}", source=source))
    assert ["run_input"] == codes(ask("{{topic}}", source=source, label="other"))


def test_a_text_without_a_label_brings_no_names():
    assert ["run_input"] == codes(
        ask("{{topic}}", source="{type: person_job, person: P, prompt: x}")
    )


def test_text_that_is_read_as_an_object_may_bring_any_name():
    text = ask("{{topic}}").replace("to: ask}", "to: ask, content_type: object}")

    assert [] == codes(text)


def test_a_form_brings_the_names_of_its_fields():
    form = "{type: user_response, prompt: Hi?, schema: {type: object, properties: {age: {}}}}"

    assert [] == codes(ask("{{age}}", source=form))
    assert ["run_input"] == codes(ask("{{size}}", source=form))


@pytest.mark.parametrize(("source", "expected"), [("job", []), ("user_response", ["run_input"])])
def test_a_condition_passes_on_what_it_is_given(source, expected):
    setting = "code: return 1" if source == "job" else "prompt: Hi?"
    nodes = f"""
        a: {{type: {source}, {setting}}}
        b: {{type: condition, expression: 1 < 2}}
        c: {{type: user_response, prompt: '{{{{topic}}}}'}}
        """

    assert expected == codes(flow(nodes, "start -> a\na -> b\nb.true -> c\nb.false -> c"))


def test_a_list_of_inputs_says_which_there_are():
    schema = ", data_schema: {type: object, properties: {topic: {}}}"

    assert ["run_input"] == codes(ask("{{topic}}", label="other", start=schema))
    assert ["unknown_name"] == codes(ask("{{subject}}", label="other", start=schema))


def test_default_needs_a_value_without_a_label():
    (problem,) = check(ask("{{default}}", label="topic"))

    assert "unknown_name" == problem.code
    assert "'topic'" in problem.hint


def test_braces_that_are_text_are_no_input_of_the_run():
    (problem,) = check(ask("{{a/b c}}", label="topic"))

    assert "unknown_name" == problem.code
    assert "braces" in problem.hint


def test_a_node_that_comes_later_is_too_late():
    nodes = """
        a: {type: user_response, prompt: '{{b}}'}
        b: {type: user_response, prompt: '{{a}}'}
        """
    (problem,) = check(flow(nodes, "start -> a\na -> b"))

    assert ("name_too_early", "a") == (problem.code, problem.node)


def test_a_node_in_a_parallel_branch_never_comes_before():
    nodes = """
        a: {type: user_response, prompt: Hi?}
        b: {type: user_response, prompt: '{{a}}'}
        """

    assert ["name_too_early"] == codes(flow(nodes, "start -> a\n{from: start, to: b, label: x}"))


def test_in_a_loop_everyone_comes_before_everyone():
    nodes = """
        a: {type: user_response, prompt: '{{b}}'}
        b: {type: user_response, prompt: '{{a}} {{b}}'}
        c: {type: condition, expression: count > 2, expose_index_as: count}
        d: {type: user_response, prompt: '{{count}} {{a}}'}
        """
    edges = "start -> a\na -> b\nb -> c\nc.false -> a\nc.true -> d"

    assert [] == codes(flow(nodes, edges))


def test_a_batch_gives_its_items_to_its_prompt_alone():
    batch = "{type: person_batch_job, person: P, prompt: '{{item}} {{index}}', items: rows}"
    nodes = f"a: {batch}\nb: {{type: user_response, prompt: '{{{{item}}}}'}}"
    edges = "{from: start, to: a, label: rows}\na -> b"
    found = check(flow(nodes, edges, persons=PERSON))

    assert [("run_input", "b")] == [(each.code, each.node) for each in found]


def test_labels_with_dots_and_spaces_are_names_too():
    nodes = """
        my data.v2: {type: user_response, prompt: Hi?}
        b: {type: user_response, prompt: '{{my data.v2}}'}
        """

    assert [] == codes(flow(nodes, "{from: start, to: my data.v2}\n{from: my data.v2, to: b}"))


def test_texts_inside_of_objects_are_looked_at():
    nodes = "a: {type: db, operation: write, file: x.json, data: {rows: [{name: '{{topic}}'}]}}"
    (problem,) = [each for each in check(flow(nodes, "start -> a")) if each.code != "writes_files"]

    assert ("run_input", ("nodes", "a", "data", "rows", 0, "name")) == (problem.code, problem.path)
