"""Every code has its entry in the table, and every entry an example that has the problem."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dipeo_jupyter
from dipeo_jupyter.diagram.files import survey
from dipeo_jupyter.diagram.problems import CODES, codes_table, explain
from dipeo_jupyter.engine.compile import examine
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.services.demo import DemoLLM
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM, LLMRouter
from tests.engine.checking import nothing_outside

TYPES = load_node_types()
PACKAGE = Path(dipeo_jupyter.__file__).parent
RULES = PACKAGE / "diagram" / "rules"
PLACELESS = {"unreadable"}
"""What is not there has no lines."""
MAKERS = {"Problem", "add", "report", "_refuse", "_problem", "_at"}
"""What a problem is made by; the code is the argument that looks like one."""
LOOKS_LIKE_A_CODE = re.compile(r"[a-z]+(_[a-z]+)+|unreadable|unreachable")


def problems_of(text):
    reading = survey(text)
    person = LLMRouter(DemoLLM(), LiteLLM(Keys({}))).check
    outside = nothing_outside(person)
    partial = bool(reading.errors)
    _, found = examine(reading.diagram, TYPES, partial=partial, outside=outside)
    return [*reading.problems, *map(reading.source.locate, found)]


@pytest.mark.parametrize("rule", CODES.values(), ids=CODES)
def test_each_example_has_the_problem_it_stands_for(rule):
    found = [each for each in problems_of(rule.example) if each.code == rule.code]

    assert found, problems_of(rule.example)
    assert {rule.severity} == {each.severity for each in found}
    assert all(each.message.rstrip('"`').endswith((".", "?", "!")) for each in found)
    if rule.code not in PLACELESS:
        assert all(each.line and each.column for each in found)


@pytest.mark.parametrize("rule", CODES.values(), ids=CODES)
def test_an_example_has_no_other_error_or_warning(rule):
    found = {each.code for each in problems_of(rule.example) if each.severity != "hint"}

    assert found <= {rule.code} | BESIDES.get(rule.code, set())


BESIDES = {
    # These cannot be had alone.
    "unknown_entry": {"no_incoming_edge"},
    "unknown_price": {"missing_key"},
    "runs_in_kernel": {"missing_kernel"},
    "changes_notion": {"missing_service"},
    "uses_database": {"missing_service"},
}


def codes_in(tree: ast.AST) -> Iterator[str]:
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func
        name = name.id if isinstance(name, ast.Name) else name
        given = [*call.args, *(each.value for each in call.keywords if each.arg == "code")]
        for each in given if name in MAKERS else ():
            value = each.value if isinstance(each, ast.Constant) else None
            if isinstance(value, str) and LOOKS_LIKE_A_CODE.fullmatch(value):
                yield value


def trees():
    for package in ("diagram", "engine", "nodes", "services"):
        for path in (PACKAGE / package).rglob("*.py"):
            if path.parent != RULES:
                yield ast.parse(path.read_text(encoding="utf-8"))


def test_every_code_that_is_used_is_in_the_table():
    used = {code for tree in trees() for code in codes_in(tree)}

    assert set() == used - CODES.keys()


def test_every_code_in_the_table_is_used():
    words = {
        node.value
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert set() == CODES.keys() - words


@pytest.mark.parametrize("code", CODES)
def test_an_explanation_says_what_to_do_and_shows_it(code):
    said = explain(code)

    assert said.startswith(f"{code} ({CODES[code].severity})\n")
    assert CODES[code].remedy in said
    assert CODES[code].example.splitlines()[0] in said


def test_the_table_has_a_row_for_each_code():
    rows = codes_table().splitlines()

    assert [f"| `{code}` " for code in CODES] == [row[: row.index("|", 2)] for row in rows[2:]]
    assert {5} == {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
