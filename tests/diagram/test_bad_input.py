"""What is not a diagram, or wants to do harm, is refused with a clear reason in every format."""

import json
import resource
import subprocess
import sys
import time

import pytest

from dipeo_jupyter.diagram.files import SUFFIXES, survey, survey_text
from dipeo_jupyter.diagram.native.text import MAX_JSON
from dipeo_jupyter.diagram.yaml.events import MAX_TEXT

LAUGHS = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]\n" for i in range(1, 12))
MERGES = "".join(f"m{i}: &m{i} {{<<: *m{i - 1}, k{i}: 1}}\n" for i in range(1, 2000))
BUSHES = "".join(f"m{i}: &m{i} {{a: *m{i - 1}, b: *m{i - 1}}}\n" for i in range(1, 60))
DEEP = 10_000
LADDER = "".join(f"{' ' * i}a:\n" for i in range(1000))
PNG = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
YAML = {
    "laughs": (f"l0: &l0 lol\n{LAUGHS}", "too_large"),
    "merges": (f"m0: &m0 {{a: 1}}\n{MERGES}", "too_large"),
    "bushes": (f"m0: &m0 {{a: 1}}\n{BUSHES}", "too_large"),
    "itself": ("nodes: &a [*a]", "yaml_syntax"),
    "flow lists": (f"nodes: {'[' * DEEP}", "too_large"),
    "closed lists": (f"nodes: {'[' * DEEP}{']' * DEEP}", "too_large"),
    "flow maps": (f"nodes: {'{a: ' * DEEP}", "too_large"),
    "block lists": (f"nodes:\n{'- ' * DEEP}", "too_large"),
    "block maps": (LADDER, "too_large"),
    "block keys": (f"{'? ' * DEEP}a", "too_large"),
    "one key twice": ("name: a\nnodes: []\nname: b", "duplicate_key"),
    "tabs": ("nodes:\n\t- label: a", "yaml_syntax"),
    "truncated": ('nodes:\n- {label: "a", ty', "yaml_syntax"),
    "cut in a quote": ('nodes:\n- label: "a', "yaml_syntax"),
    "NUL": ("nodes:\n- label: a\0b", "yaml_syntax"),
    "PNG": (f"nodes: []\n{PNG}", "yaml_syntax"),
    "code": ("nodes: !!python/object/apply:os.system [ls]", "yaml_syntax"),
    "second document": ("nodes: []\n---\nnodes: []", "yaml_syntax"),
    "long": (f"nodes: []\n# {'x' * MAX_TEXT}", "too_large"),
    "a list": ("- a\n- b", "not_a_diagram"),
    "a word": ("nothing\n", "not_a_diagram"),
}
CASES = [
    *((f"{format_} {name}", f"version: {format_}\n{text}", format_, code)
      for format_ in ("light", "readable") for name, (text, code) in YAML.items()
      if code != "not_a_diagram"),
    *((name, text, "light", code) for name, (text, code) in YAML.items()
      if code == "not_a_diagram"),
    ("light: readable", "version: readable\nnodes: []", "light", None),
    ("light: 99", "version: 99\nnodes: []", "light", "unknown_version"),
    ("native lists", '{"nodes": ' + "[" * DEEP, "native", "too_large"),
    ("native maps", '{"a":' * DEEP, "native", "too_large"),
    ("native key twice", '{"nodes": [], "nodes": []}', "native", "duplicate_key"),
    ("native long", json.dumps({"nodes": [], "x": "x" * MAX_JSON}), "native", "too_large"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "format_", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_bad_text_is_refused_with_its_reason(text, format_, code):
    errors = survey_text(text, f"bad{SUFFIXES[format_]}").errors
    if code is None:
        assert not [error for error in errors if error.code == "yaml_syntax"]
        return
    assert errors[0].code == code
    assert errors[0].message.endswith(".")


@pytest.mark.parametrize(
    "text", ['{"nodes": [', '{"nodes": [}', '{"nodes": [\0]}', "{'nodes': []}"]
)
def test_broken_json_is_refused_with_its_line(text):
    errors = survey_text(text, "bad.native.json").errors
    assert errors
    assert errors[0].line == 1


@pytest.mark.parametrize("suffix", SUFFIXES.values())
@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"nodes: \xff\xfe", b"\xc3("])
def test_file_that_is_no_text_is_unreadable(tmp_path, suffix, data):
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(data)
    assert [error.code for error in survey(path).errors] == ["unreadable"]


@pytest.mark.parametrize("suffix", SUFFIXES.values())
def test_file_of_fifty_megabytes_is_not_even_read(tmp_path, suffix):
    path = tmp_path / f"bad{suffix}"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    assert [error.code for error in survey(path).errors] == ["too_large"]


@pytest.mark.parametrize("format_", ["light", "readable"])
def test_all_keys_that_stand_twice_are_told(format_):
    text = f"version: {format_}\na: {{x: 1, x: 2}}\na: 1\n"
    found = [(error.code, error.line) for error in survey_text(text).errors]
    assert found == [("duplicate_key", 2), ("duplicate_key", 3)]


def test_no_bad_text_costs_much_time_or_memory():
    process = subprocess.run(
        [sys.executable, __file__], capture_output=True, text=True, check=True, timeout=100
    )
    costs = json.loads(process.stdout)
    assert set(costs) == {case[0] for case in CASES}
    assert {name: cost for name, cost in costs.items() if cost[0] > 3 or cost[1] > 300} == {}


def _costs():
    """Seconds, and megabytes beyond what was needed before, of every case."""
    costs = {}
    for name, text, format_, _ in CASES:
        before, start = _peak(), time.perf_counter()
        survey_text(text, f"bad{SUFFIXES[format_]}")
        costs[name] = (time.perf_counter() - start, _peak() - before)
    return costs


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(_costs()))
