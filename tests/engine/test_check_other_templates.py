"""Texts that are written in the language of Jinja, of which nothing would be filled in."""

from __future__ import annotations

import pytest

from .checking import check, codes, flow


def found(text, field="prompt: ", node="type: person_job, person: P"):
    nodes = f"a: {{{node}, {field}{text!r}}}"
    persons = "P: {service: demo, model: m}"
    diagram = flow(nodes, "start -> a", persons=persons if "P" in node else "")
    return [each for each in check(diagram) if each.code == "other_template"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{% if default == 2 %}x{% endif %}", "{{#if x}}…{{else}}…{{/if}}"),
        ("{%- if default -%}x{%- endif -%}", "what compares is a `condition` before"),
        ("{% for x in default %}{{default}}{% endfor %}", "{{#each xs}}…{{this}}…{{/each}}"),
        ("Hi {# a note #}", "{{! a note }}"),
        ("{% set x = 1 %}", "make the text in a `job`"),
    ],
)
def test_a_prompt_for_jinja_is_warned_of_and_told_how_it_is_said_here(text, hint):
    (problem,) = found(text)

    assert (problem.severity, problem.line) == ("warning", 3)
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("node", "field"),
    [
        ("type: template_job", "template_content: "),
        ("type: user_response", "prompt: "),
        ("type: api_job, method: POST, url: 'https://example.org/'", "body_format: text, body: "),
        ("type: notion, operation: append_blocks, page_id: x", "markdown: "),
        ("type: person_job, person: P, prompt: Hi", "first_only_prompt: "),
    ],
)
def test_all_that_is_filled_in_is_looked_at(node, field):
    assert found("{% if x %}{% endif %}", field, node)


def test_it_is_pointed_at_where_it_stands():
    text = flow("a: {type: user_response, prompt: Hi}", "start -> a").replace(
        "{label: a, type: user_response, prompt: Hi}",
        "label: a\n  type: user_response\n  prompt: |\n    Hello,\n      {% if default %}you",
    )
    (problem,) = (each for each in check(text) if each.code == "other_template")

    assert text.splitlines()[problem.line - 1][problem.column - 1 :].startswith("{% if")


@pytest.mark.parametrize(
    "text",
    ["100{% of it", "\\frac{%\na}", "{%}", "{#id} #}", "{{#if default}}x{{/if}}", "{{! no }}"],
)
def test_what_only_looks_alike_is_text(text):
    assert not found(text)


def test_code_is_no_template():
    assert "other_template" not in codes(
        flow("a: {type: job, code: \"return '{% if x %}'\"}", "start -> a")
    )
