"""Both readers of YAML understand the same."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.yaml.events import libyaml_events, read_events, ruamel_events
from dipeo_jupyter.diagram.yaml.tree import compose
from dipeo_jupyter.errors import DiagramError

EXAMPLES = [
    path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parent / "diagrams").glob("*.yaml"))
]
PIECES = ["{", "}", "[", "]", "- ", ": ", ":", "\n", "  ", "\t", "'", '"', "|", ">", "*a", "<<: "]
PIECES += ["#", " #", "---", "\r", "\r\n", "\x85", "\u2028", "\ufeff", "\x00", "é", "{{x}}", "😀"]
PIECES += ["%YAML 1.1\n---\n", "|2\n", ",", "-", "?", "!!str ", "\xa0", "~", "\n\n", "'x'", '"\\"']


def plain(tree):
    """The tree with its places, as far as anybody sees them."""
    match tree and tree.value:
        case dict() as entries:
            return {key: (inner.place, plain(inner)) for key, inner in entries.items()}
        case list() as items:
            return [(inner.place, plain(inner)) for inner in items]
        case value:
            return type(value).__name__, value


def understood(text, parse):
    try:
        return plain(compose(text, read_events(text, parse=parse)))
    except DiagramError:
        return "refused"


@st.composite
def spoiled(draw):
    text = draw(st.sampled_from(EXAMPLES))
    start = draw(st.integers(0, len(text) - 1))
    text = text[max(0, start - 300) : start + 300]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        gone = draw(st.integers(0, 6))
        text = text[:at] + draw(st.sampled_from(["", *PIECES])) + text[at + gone :]
    return text


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_mean_the_same_to_both_readers(text):
    fast = understood(text, libyaml_events)
    assert fast != "refused"
    assert understood(text, ruamel_events) == fast


@settings(max_examples=600)
@given(spoiled())
def test_spoiled_examples_mean_the_same_to_both(text):
    assert understood(text, libyaml_events) == understood(text, ruamel_events)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "\ufeffa: b",
            "a: b\r\nc: d\re: f",
            "a:\tb",
            "a: b\tc",
            "a: b\t",
            "a: b\t# c",
            "? a\n: b",
        ),
        *("%YAML 1.1\n---\na: no", "%YAML 1.2\n---\na: b", "a: 😀 b\nc: [😀, d]", "{a: b:}"),
        *("a: [x:?, 1]", "a: {b::  c}", "a: b\x85c", "a: 'b\u2028c'", 'a: "\\ud83d\\ude00"'),
        *(f"{'k' * 1100}: v", f"? {'k' * 1100}\n: v", "a: *b", "a: &b c\nd: *b", "a: &b. c"),
        *(
            "a: |\n  b\n\tc",
            "a: |\n  \t b\n   c",
            "a: |\n  b\n \t\n",
            "a:\n\tb: c",
            "- a\n-\tb",
            "a: >\n  b\n\n   c\n  d",
            ": a",
            "? : a",
        ),
        *("[" * 40 + "]" * 40, "[" * 41 + "]" * 41, "- " * 40 + "a", "a: \U0010ffff", "a: \ufffe"),
    ],
)
def test_odd_texts_mean_the_same_to_both(text):
    assert understood(text, libyaml_events) == understood(text, ruamel_events)
