"""Persons: their fields, their services, keys and prices, and keys that should not be there."""

from __future__ import annotations

import sys
from textwrap import dedent

import pytest

from dipeo_jupyter.services.demo import DemoLLM
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM, LLMRouter

from .checking import check, flow, nothing_outside

KEY = "sk-proj-abcdefghijklmnop0123456789"


def found(fields, environ=None, *, node="{type: person_job, person: P, prompt: Hi}", more=""):
    llm = LLMRouter(DemoLLM(), LiteLLM(Keys(environ or {})))
    text = flow(f"a: {node}", "start -> a", persons=f"P: {{{fields}}}")
    return check(
        text + dedent(more),
        outside=nothing_outside(llm.check),
    )


@pytest.mark.parametrize(
    "fields",
    [
        "service: demo, answers: [one, two], temperature: 0.2",
        "service: demo, model: gpt-9, tools: [x]",
        "service: ollama, model: 'gemma3:latest'",
        "model: demo",
    ],
)
def test_those_who_need_no_key_are_right_without_one(fields):
    assert [] == found(fields)


def test_a_missing_key_is_named_by_its_variable():
    (problem,) = found("service: claude, model: claude-sonnet-4-5")

    assert ("missing_key", "warning") == (problem.code, problem.severity)
    assert "Set ANTHROPIC_API_KEY" in problem.message


def test_a_key_in_the_environment_is_enough_and_never_shown():
    problems = found("service: openai, model: gpt-4.1-nano", {"OPENAI_API_KEY": KEY})

    assert [] == problems


def test_a_person_to_whom_nobody_speaks_needs_no_key():
    problems = found("service: openai, model: gpt-4.1-nano", node="{type: endpoint}")

    assert ["unused_person"] == [problem.code for problem in problems]


def test_an_unknown_model_costs_nobody_knows_what():
    (problem,) = found("service: openai, model: gpt-4.1-nanno", {"OPENAI_API_KEY": KEY})

    assert ("unknown_price", "hint") == (problem.code, problem.severity)
    assert "Did you mean 'gpt-4.1-nano'?" == problem.hint


def test_an_unknown_service_hides_what_follows_from_it():
    (problem,) = found("service: antropic, model: claude-sonnet-4-5")

    assert ("unknown_model_service", "Did you mean 'anthropic'?") == (problem.code, problem.hint)


@pytest.mark.parametrize(
    ("field", "known"),
    [("temprature", "temperature"), ("max_token", "max_tokens"), ("sytem_prompt", "system_prompt")],
)
def test_a_field_like_a_known_one_is_a_warning_even_for_a_demo(field, known):
    (problem,) = found(f"service: demo, {field}: 1")

    assert ("unknown_person_field", f"Did you mean {known!r}?") == (problem.code, problem.hint)


def test_the_answers_of_a_demo_must_be_texts():
    (problem,) = found("service: demo, answers: yes please")

    assert ("bad_person", "error") == (problem.code, problem.severity)


@pytest.mark.parametrize(
    "fields",
    [
        f"service: demo, api_key: {KEY}",
        f"service: demo, api_key_id: {KEY}",
        f"service: demo, system_prompt: 'use {KEY} for it'",
        "service: demo, key: 0123456789abcdef0123456789abcdef",
        "service: demo, extra_headers: {Authorization: Bearer sk-ant-0123456789abcdefghij}",
    ],
)
def test_a_key_in_a_person_is_an_error_and_is_not_shown(fields):
    problems = [each for each in found(fields) if each.code == "secret_in_diagram"]

    assert ["error"] == [problem.severity for problem in problems]
    assert "0123456789" not in f"{problems}"


@pytest.mark.parametrize(
    "fields",
    [
        "service: demo, api_key_id: APIKEY_0F3A92BC77D1",
        "service: demo, api_key_id: LAB_OPENAI_KEY",
        "service: demo, system_prompt: 'Keys such as sk-… are secret.'",
    ],
)
def test_names_of_keys_are_no_keys(fields):
    assert [] == found(fields)


def test_a_key_beside_the_persons_is_found_too():
    (problem,) = found("service: demo", more=f"\nprovider: {{id: one, key: {KEY}}}\n")

    assert ("secret_in_diagram", ("provider", "key")) == (problem.code, problem.path)


def test_keys_of_data_in_a_node_are_no_secrets():
    node = "{type: db, operation: update, file: a.json, keys: [token], data: {key: name}}"

    assert {"unused_person", "writes_files"} == {x.code for x in found("service: demo", node=node)}


def test_prices_are_looked_up_without_litellm(monkeypatch):
    monkeypatch.setitem(sys.modules, "litellm", None)

    assert [] == found("model: openai/gpt-4.1-nano", {"OPENAI_API_KEY": KEY})
