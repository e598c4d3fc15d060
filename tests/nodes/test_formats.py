"""Text to value and back, by format."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.errors import NodeError
from dipeo_jupyter.nodes.formats import (
    Format,
    appended,
    dump,
    filled,
    format_of,
    load,
    structured,
)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
plain = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=8,
).filter(lambda value: not isinstance(value, str))
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@pytest.mark.parametrize("kind", ["json", "yaml"])
@given(value=values)
@settings(max_examples=150)
def test_json_and_yaml_give_back_every_value(kind: Format, value: Any) -> None:
    assert load(dump(value, kind), kind) == value


@given(value=st.lists(values, max_size=4))
def test_jsonl_gives_back_a_list_of_values(value: Any) -> None:
    assert load(dump(value, "jsonl"), "jsonl") == value


@given(rows=st.lists(st.fixed_dictionaries({"a": cells, "b, c": cells, "": cells}), min_size=1))
def test_csv_gives_back_rows_of_text(rows: Any) -> None:
    assert load(dump(rows, "csv"), "csv") == rows


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.json", "json"),
        ("a.b/c.YML", "yaml"),
        ("a.yaml", "yaml"),
        ("a.csv", "csv"),
        ("a.xml", "xml"),
        ("a.ndjson", "jsonl"),
        ("a.jsonl", "jsonl"),
        ("a.md", "markdown"),
        ("a.txt", "text"),
        ("a.py", "text"),
        ("folder.json/a", "text"),
    ],
)
def test_the_suffix_tells_the_format(path: str, expected: str) -> None:
    assert format_of(path) == expected


def test_without_a_known_suffix_the_default_counts() -> None:
    assert format_of("a", "json") == "json"


@pytest.mark.parametrize("kind", ["text", "yaml", "csv", "xml", "jsonl", "markdown"])
def test_text_goes_out_as_it_is(kind: Format) -> None:
    said = 'a, "b"\n<c>: [1\n'
    assert dump(said, kind) == said


@pytest.mark.parametrize("said", ['{"a":1}', " [1, 2]\n", "5", '"quoted"', "null"])
def test_text_that_is_json_goes_out_as_it_is(said: str) -> None:
    assert dump(said, "json") == said


@pytest.mark.parametrize("said", ["hello", "{a: 1}", "NaN", ""])
def test_text_that_is_no_json_becomes_a_string(said: str) -> None:
    assert load(dump(said, "json"), "json") == said


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("text", '{\n  "name": "Zoë"\n}\n'),
        ("json", '{\n  "name": "Zoë"\n}\n'),
        ("yaml", "name: Zoë\n"),
        ("csv", "name\nZoë\n"),
        ("xml", "<name>Zoë</name>\n"),
        ("jsonl", '{"name": "Zoë"}\n'),
        ("markdown", '```json\n{\n  "name": "Zoë"\n}\n```\n'),
    ],
)
def test_each_format_writes_an_object_its_way(kind: Format, expected: str) -> None:
    assert dump({"name": "Zoë"}, kind) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(None, ""), (True, "true"), (3, "3"), (0.5, "0.5")]
)
def test_single_values_become_plain_text(value: Any, expected: str) -> None:
    assert dump(value, "text") == expected


@pytest.mark.parametrize("said", ["no", "012", "1:30", "2024-01-01", "~", ".5e3", "1_000", "a: b"])
def test_text_in_yaml_stays_text(said: str) -> None:
    assert load(dump([said], "yaml"), "yaml") == [said]
    assert load(f"- {said}", "yaml") == [said] or said in ("~", ".5e3", "a: b")


def test_yaml_writes_several_lines_as_several_lines() -> None:
    assert dump({"b": "one\ntwo\n", "a": 1}, "yaml") == "b: |\n  one\n  two\na: 1\n"


def test_yaml_spells_out_what_occurs_twice() -> None:
    same = {"a": [1]}
    assert "&" not in dump([same, same], "yaml")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"a": 1, "b": "x"}, {"b": None, "c": True}], "a,b,c\n1,x,\n,,true\n"),
        ([["a", "b"], [1, 2.5]], "a,b\n1,2.5\n"),
        ([1, "two"], "value\n1\ntwo\n"),
        ([{"a": [1, {"b": 2}]}], 'a\n"[1, {""b"": 2}]"\n'),
        ([{"a": 'say "hi"', "b": "1,5\n2"}], 'a,b\n"say ""hi""","1,5\n2"\n'),
        ([], ""),
    ],
)
def test_csv_writes_tables(value: Any, expected: str) -> None:
    assert dump(value, "csv") == expected


def test_csv_cells_stay_text() -> None:
    said = "id,name\n007,Bond\n\n8\n"
    assert load(said, "csv") == [{"id": "007", "name": "Bond"}, {"id": "8", "name": ""}]


def test_empty_csv_has_no_rows() -> None:
    assert load("", "csv") == []


XML = """<order id="7">
  <item>tea</item>
  <item size="L">cup &amp; saucer</item>
  <note>for <b>me</b> only</note>
  <empty/>
</order>
"""
ORDER = {
    "order": {
        "@id": "7",
        "item": ["tea", {"@size": "L", "#text": "cup & saucer"}],
        "note": {"b": "me", "#text": "for  only"},
        "empty": "",
    }
}


def test_xml_reads_as_nested_objects() -> None:
    assert load(XML, "xml") == ORDER


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"b": ["1", "2"], "@c": "x", "#text": "y"}},
        {"a": "<&>\"'"},
        {"data": {"a": "1", "b": {"c": ""}}},
        {"{urn:x}a": {"{urn:x}b": "1"}},
    ],
)
def test_xml_gives_back_what_it_was_given(value: Any) -> None:
    assert load(dump(value, "xml"), "xml") == value


def test_xml_wraps_what_has_no_root() -> None:
    assert load(dump([1, [2, 3]], "xml"), "xml") == {"data": {"item": ["1", {"item": ["2", "3"]}]}}
    assert load(dump({"a": 1, "b": None}, "xml"), "xml") == {"data": {"a": "1", "b": ""}}


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<?xml version="1.0"?>\n<!DOCTYPE l [<!ENTITY l0 "ha">{LAUGHS}]><l>&l9;</l>'
FOREIGN = '<!doctype a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'


@pytest.mark.parametrize("said", [BOMB, FOREIGN, "<!ENTITY x>"])
def test_xml_that_defines_anything_is_refused(said: str) -> None:
    with pytest.raises(NodeError, match="not allowed"):
        load(said, "xml")


DEEP = 100_000


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("json", '{\n "a": 1,\n}', "not valid JSON (line 3)"),
        ("json", "[1, NaN]", "NaN is not a number"),
        ("json", "[1e999]", "1e999 is not a number"),
        ("json", '["\\ud800"]', "half a character"),
        ("json", "1" * 5000, "not valid JSON"),
        ("json", "[" * DEEP, "nested too deeply"),
        ("json", "", "not valid JSON (line 1)"),
        ("jsonl", '{"a": 1}\n\n{"a"\n', "not valid JSON (line 3)"),
        ("yaml", "a: 1\nb: [1\n", "not valid YAML (line"),
        ("yaml", "a: 1\na: 2\n", "not valid YAML (line 2)"),
        ("yaml", "a: !!python/object:os.system x", "not valid YAML (line 1)"),
        ("yaml", "[" * DEEP, "levels deep"),
        ("csv", "a,b\n1,2,3\n", "not valid CSV (line 2): 3 cells under 2 columns"),
        ("csv", "a,a\n1,2\n", "a column stands twice"),
        ("csv", 'a\n"x"y\n', "not valid CSV (line 2)"),
        ("xml", "<a>\n<b></a>", "not valid XML (line 2): mismatched tag"),
        ("xml", "<a>" * 200 + "</a>" * 200, "levels deep"),
        ("xml", "", "not valid XML"),
    ],
)
def test_bad_text_is_refused_with_its_line(kind: Format, said: str, expected: str) -> None:
    with pytest.raises(NodeError) as caught:
        load(said, kind)
    assert expected in str(caught.value)


def test_a_bomb_of_aliases_is_refused_soon() -> None:
    lines = ["a0: &a0 [x]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)
    ]
    start = time.monotonic()
    with pytest.raises(NodeError, match="Aliases"):
        load("\n".join(lines), "yaml")
    assert time.monotonic() - start < 2


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("json", {"a": float("nan")}, "cannot be written"),
        ("json", {"a": object()}, "cannot be written"),
        ("yaml", [float("inf")], "cannot be written"),
        ("csv", 5, "needs a list of objects or of lists"),
        ("xml", {"a b": 1}, "'a b' cannot be the name"),
        ("xml", {"a": "\x07"}, "cannot hold the character"),
        ("xml", nested(200), "at most 100 levels"),
        ("json", nested(DEEP), "cannot be written"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(kind: Format, value: Any, expected: str) -> None:
    with pytest.raises(NodeError) as caught:
        dump(value, kind)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "old", "value", "expected"),
    [
        ("text", "", "a", "a\n"),
        ("text", "a", "b", "a\nb\n"),
        ("text", "a\n", "b\n", "a\nb\n"),
        ("markdown", "# T\n", "- x", "# T\n- x\n"),
        ("jsonl", '{"a":1}', {"a": 2}, '{"a":1}\n{"a": 2}\n'),
        ("csv", "", {"a": 1, "b": 2}, "a,b\n1,2\n"),
        ("csv", "a,b\n1,2", {"b": 4}, "a,b\n1,2\n,4\n"),
        ("csv", "a,b\n", [{"a": 1}, {"b": 2}], "a,b\n1,\n,2\n"),
        ("csv", "a,b\n", [3, 4], "a,b\n3,4\n"),
        ("csv", "a,b\n", [[3, 4], [5]], "a,b\n3,4\n5\n"),
        ("csv", "a,b\n", "3,4", "a,b\n3,4\n"),
        ("yaml", "- a\n", {"b": 1}, "- a\n- b: 1\n"),
        ("json", "", 1, "[\n  1\n]\n"),
        ("json", "[1]", '{"a": 2}', '[\n  1,\n  {\n    "a": 2\n  }\n]\n'),
        ("json", "[]", "5", '[\n  "5"\n]\n'),
    ],
)
def test_appending_adds_at_the_end(kind: Format, old: str, value: Any, expected: str) -> None:
    assert appended(old, value, kind) == expected


@pytest.mark.parametrize(
    ("kind", "old", "value", "expected"),
    [
        ("json", '{"a": 1}', 1, "Only a list can be appended to, and the file holds an object"),
        ("xml", "<a/>", 1, "Nothing can be appended to xml"),
        ("csv", "a,b\n", {"c": 1}, "no column 'c'; it has a, b"),
        ("csv", "a,b\n", [1, 2, 3], "A row has 3 cells, and the csv has 2 columns"),
    ],
)
def test_appending_what_does_not_fit_is_refused(
    kind: Format, old: str, value: Any, expected: str
) -> None:
    with pytest.raises(NodeError) as caught:
        appended(old, value, kind)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(' {"a": 1}', {"a": 1}), ("[1]", [1]), ("5", "5"), ("{a}", "{a}"), ("x", "x"), (7, 7)],
)
def test_only_lists_and_objects_are_read_out_of_text(value: Any, expected: Any) -> None:
    assert structured(value) == expected


def test_every_text_inside_a_value_is_filled_in() -> None:
    value = {"x": "x", "y": ["x", 1, {"z": "x"}]}
    assert filled(value, str.upper) == {"x": "X", "y": ["X", 1, {"z": "X"}]}
