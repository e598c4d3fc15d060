"""YAML itself: what text means, which mistakes are explained, and what is refused."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.source import read
from dipeo_jupyter.diagram.yaml.events import read_events
from dipeo_jupyter.errors import DiagramError


def problem_of(text):
    with pytest.raises(DiagramError) as caught:
        read(text)
    return caught.value.problems[0]


def places_of_problems(text):
    try:
        read(text)
    except DiagramError as error:
        return [(problem.line, problem.column) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "text",
    [
        *("no", "Yes", "on", "off", "y", "012", "-01", "1:30", "1_000", "0x1f", "0o17"),
        *(
            "2024-01-01",
            "2024-01-01T10:00:00Z",
            "inf",
            "nan",
            "1.2.3",
            "=",
            "TrUe",
            "e5",
            "1e",
            ".",
        ),
    ],
)
def test_text_that_looks_like_something_stays_text(text):
    assert read(f"key: {text}")[0] == {"key": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("0", 0)),
        *(("-7", -7), ("+7", 7), ("1.50", 1.5), (".5", 0.5), ("1e3", 1000.0), ("-2.5E-1", -0.25)),
        *(("!!str 5", "5"), ("'5'", "5"), ('"true"', "true"), ("|\n  5", "5")),
    ],
)
def test_words_and_decimal_numbers_are_converted(text, value):
    found = read(f"key: {text}")[0]["key"]
    assert (found, type(found)) == (value, type(value))


def test_keys_that_are_no_text_become_their_text():
    assert read("1: a\ntrue: b\n1.50: c\n~: d")[0] == {"1": "a", "true": "b", "1.50": "c", "~": "d"}


def test_explicit_keys_go_before_merged_ones():
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\nd: {'<<': 1}"
    data = read(text)[0]
    assert data["c"] == {"x": 1, "y": 1, "z": 3}
    assert data["d"] == {"<<": 1}


def test_aliases_give_values_of_their_own():
    data = read("a: &a [1]\nb: *a")[0]
    data["a"].append(2)
    assert data["b"] == [1]


def test_empty_text_means_nothing():
    assert read("")[0] is None


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\nprompt: Note: this", (2, 13), "contains a colon followed by a space.*in quotes"),
        ("a: 1\nprompt: {{x}}", (2, 10), "begins with `{{`.*needs quotes"),
        ("a: 1\nprompt: {{x}} and more", (2, 15), "Text that begins with {{ needs quotes"),
        ("- {label: a, prompt: {{x}}}", (1, 23), "begins with `{{`"),
        ("- {prompt: hi {{x}}}", (1, 15), "contains a brace"),
        ("nodes:\n\t- label: a", (2, 1), "A tab stands.*Indent with spaces"),
        ("- {from: a[first], to: b}", (1, 11), 'contains a bracket.*from: "argue'),
        ("- label:Start\n  type: x", (1, 1), "space is missing after the colon"),
        ("nodes:\n -label: x\n  type: y", (2, 1), "space is missing after the dash"),
        ("- label: a\n   type: b", (2, 8), "indented further"),
        ("nodes:\n- label: a\n type: b", (3, 2), "indentation of this line fits none"),
        ("nodes:\n  - a: 1\n - b: 2", (3, 2), "indentation of this line fits none"),
        ("a: 1\nb: 'x\nc: 2", (2, 4), "quote is opened here and never closed"),
        ("a: 'it's'", (1, 8), "after the closing quote"),
        ("a: [1, 2\nb: 3", (1, 4), "not closed"),
        ("a: [b]c", (1, 7), "after a closing bracket"),
        ("a: @x", (1, 4), "cannot begin with this character"),
        ("a: - b", (1, 4), "A list cannot begin"),
        ('a: "C:\\dir"', (1, 8), "no such escape"),
        ('a: 1\nb: "\\UFFFFFFFF"', (2, 5), "character that does not exist"),
        ('a: "\\ud800"', (1, 4), "half a character"),
        ("a: & b", (1, 5), "have a meaning in YAML"),
        ("a: |x\n  y", (1, 5), "Only a line break may follow"),
        ("a: one\nb\nc: 2", (2, 1), "neither `key: value` nor"),
        ("a: \x07", (1, 4), r"U\+0007"),
        ("a: b\n---\nc: d", (2, 1), "second document"),
        ("a: *b", (1, 4), "alias has no anchor"),
        ("a: &a [*a]", (1, 8), "contains itself"),
        ("a: !important x", (1, 4), "tag '!important' is not allowed.*in quotes"),
        ("a: {<<: 5}", (1, 5), "only merge maps"),
        ("? [a]\n: b", (1, 3), "key must be text"),
        ("a: }", (1, 4), "cannot stand here|can stand here"),
        ("a: b\u2028c", (1, 5), r"U\+2028"),
        ("? a\n? ? b", (2, 3), "YAML|key"),
    ],
)
def test_mistake_is_explained_at_its_place(text, place, words):
    problem = problem_of(text)
    assert problem.code == "yaml_syntax"
    assert (problem.line, problem.column) == place
    assert re.search(words, str(problem))


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", "9" * 400])
def test_numbers_that_json_cannot_hold_are_refused(text):
    problem = problem_of(f"a: 1\nb: {text}")
    assert (problem.code, problem.line, problem.column) == ("bad_value", 2, 4)


def test_each_template_without_quotes_is_told_once():
    with pytest.raises(DiagramError) as caught:
        read("a: {{x}}\nb: {{y}}\nc: 1\n? [d]\n: {? {e: f}}")
    assert [problem.line for problem in caught.value.problems] == [1, 2, 4, 5]


def test_all_duplicate_keys_are_told_at_once():
    with pytest.raises(DiagramError) as caught:
        read("a: {x: 1, x: 2}\na: 1\nb: {y: 1, y: 2}")
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3]
    assert {problem.code for problem in caught.value.problems} == {"duplicate_key"}
    assert "'x' stands twice in one map, here and on line 1" in str(caught.value)


LAUGHS = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]\n" for i in range(1, 12))
MERGES = "".join(f"m{i}: &m{i} {{<<: *m{i - 1}, k{i}: 1}}\n" for i in range(1, 2000))
NESTED = "".join(f"n{i}: &n{i} [*n{i - 1}]\n" for i in range(1, 50))


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 100_000, "{" * 100_000, "[ " * 100_000, "- " * 100_000, "? " * 100_000),
        *("{a: " * 50_000, "a" * 10_000_001, f"l0: &l0 lol\n{LAUGHS}", f"n0: &n0 []\n{NESTED}"),
        f"m0: &m0 {{a: 1}}\n{MERGES}",
    ],
    ids=["[", "{", "[ ", "-", "?", "{a:", "text", "laughs", "nested", "merges"],
)
def test_hostile_text_is_refused_as_too_large(text):
    assert problem_of(text).code == "too_large"


def test_text_of_too_many_parts_is_refused():
    with pytest.raises(DiagramError, match="line 3: The text has more than 5 parts"):
        list(read_events("- a\n" * 4, most=5))


def test_python_tags_are_never_obeyed():
    assert "not allowed" in str(problem_of("a: !!python/object/apply:os.system [ls]"))


def test_forty_levels_are_the_limit():
    assert read("[" * 40 + "]" * 40)
    assert problem_of("[" * 41 + "]" * 41).column == 41


PIECES = ["{", "}", "[", "]", "- ", ": ", ":", "\n", "  ", "\t", "'", '"', "|", "&a ", "*a", "<<: "]
PIECES += ["!", "? ", "#", "%", "---", "\\U", "\r", "\x85", "\x00", "a", "1", "é", "{{x}}"]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map("".join))
def test_any_text_is_read_or_refused_with_its_line(text):
    assert all(line and column for line, column in places_of_problems(text))
