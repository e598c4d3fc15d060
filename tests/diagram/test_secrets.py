"""Keys that older files list with their values never get any further."""

import json

import pytest

from dipeo_jupyter.diagram.files import FORMATS, SUFFIXES, dumps, survey_text

KEY = "sk-00000000000000000000"
LIGHT = f"nodes:\n- {{label: a, type: start}}\napiKeys:\n  one: {{service: openai, key: {KEY}}}\n"
READABLE = f"""
version: readable
nodes:
- a: {{type: start}}
api_keys:
- {{id: one, key: {KEY}}}
"""
NATIVE = {
    "nodes": [{"id": "a", "type": "start", "data": {"label": "a"}}],
    "arrows": [],
    "apiKeys": [{"id": "one", "label": "mine", "service": "openai", "key": KEY}],
}
TEXTS = {"light": LIGHT, "readable": READABLE, "native": json.dumps(NATIVE, indent=1)}


@pytest.mark.parametrize("format_", FORMATS)
def test_a_listed_key_is_warned_of_with_its_line(format_):
    text = TEXTS[format_]
    (problem,) = survey_text(text, SUFFIXES[format_]).problems

    assert (problem.code, problem.severity) == ("key_in_file", "warning")
    assert KEY in text.splitlines()[problem.line - 1]


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("format_", FORMATS)
def test_a_listed_key_is_not_written_back(format_, to):
    written = dumps(survey_text(TEXTS[format_], SUFFIXES[format_]).diagram, to)

    assert KEY not in written
    assert "one" in written
