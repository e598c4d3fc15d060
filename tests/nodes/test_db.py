"""`db`: files in, files out, and clear words when it cannot be."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import tracemalloc
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dipeo_jupyter.engine.node import Inputs
from dipeo_jupyter.errors import DipeoError, NodeError, ServiceError
from dipeo_jupyter.nodes.db import Db
from dipeo_jupyter.nodes.pieces_of_files import Rows, read_rows
from dipeo_jupyter.services.files import LocalFiles
from tests.nodes.context import FakeContext, services


class Desk:
    """Runs `db` nodes on the files of one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.services = services(files=LocalFiles(root))

    def put(self, path: str, content: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(content, newline="")

    def text(self, path: str) -> str:
        return (self.root / path).read_bytes().decode()

    def run(self, settings: dict[str, Any], inputs: Any = (), **names: Any) -> Any:
        return asyncio.run(self.running(settings, inputs, **names))

    async def running(self, settings: dict[str, Any], inputs: Any = (), **names: Any) -> Any:
        result = await Db.model_validate(settings).run(
            Inputs(inputs), FakeContext(services=self.services, names=names)
        )
        return result.outputs["default"]

    def refusal(self, settings: dict[str, Any], inputs: Any = (), **names: Any) -> str:
        with pytest.raises(DipeoError) as caught:
            self.run(settings, inputs, **names)
        return str(caught.value)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def invalid(**settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Db.model_validate(settings)
    return str(caught.value)


# -- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("a.json", '{"a": [1, null]}', {"a": [1, None]}),
        ("a.yaml", "a:\n- 012\n", {"a": ["012"]}),
        ("a.csv", "a,b\n1,x\n", [{"a": "1", "b": "x"}]),
        ("a.xml", "<a><b>1</b></a>", {"a": {"b": "1"}}),
        ("a.jsonl", '1\n{"a": 2}\n', [1, {"a": 2}]),
        ("a.md", "# T\n", "# T\n"),
        ("a.txt", "one\r\ntwo", "one\r\ntwo"),
        ("a", '{"a": 1}', '{"a": 1}'),
        ("a.json", "\ufeff[1]", [1]),
    ],
)
def test_reading_gives_the_value_by_suffix(
    desk: Desk, path: str, content: str, expected: Any
) -> None:
    desk.put(path, content)
    assert desk.run({"file": path}) == expected


def test_a_given_format_counts_more_than_the_suffix(desk: Desk) -> None:
    desk.put("a.txt", "[1]")
    assert desk.run({"file": "a.txt", "format": "json"}) == [1]
    assert desk.run({"file": "a.txt"}) == "[1]"


def test_a_missing_file_is_an_error_with_a_hint(desk: Desk) -> None:
    desk.put("users.json", "{}")
    assert "Did you mean 'users.json'?" in desk.refusal({"file": "user.json"})


def test_broken_content_is_named_with_its_file(desk: Desk) -> None:
    desk.put("data/a.json", '{\n"a": }')
    assert "'data/a.json': The text is not valid JSON (line 2)" in desk.refusal(
        {"file": "data/a.json"}
    )


def test_a_path_out_of_the_root_is_refused(desk: Desk) -> None:
    assert "leads out of" in desk.refusal({"file": "../{name}"}, name="etc/passwd")
    assert "leads out of" in desk.refusal({"file": "data/{{name}}"}, name="../../etc/passwd")


def test_a_list_of_files_gives_path_and_content(desk: Desk) -> None:
    desk.put("a.json", "1")
    desk.put("b.txt", "two")
    assert desk.run({"file": ["a.json", "b.txt"]}) == {"a.json": 1, "b.txt": "two"}
    assert desk.run({"file": ["a.json"]}) == {"a.json": 1}


def test_one_missing_file_of_many_is_an_error(desk: Desk) -> None:
    desk.put("a.json", "1")
    assert "There is no file 'b.json'" in desk.refusal({"file": ["a.json", "b.json"]})


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"file": "*.json"}, ["a.json"]),
        ({"file": "**/*.json"}, ["a.json", "d/b.json"]),
        ({"file": "?.json", "glob": True}, ["a.json"]),
        ({"file": "a.json", "glob": True}, ["a.json"]),
        ({"file": ["d/*", "a.json"]}, ["d/b.json", "a.json"]),
    ],
)
def test_a_pattern_gives_path_and_content(desk: Desk, settings: Any, found: list[str]) -> None:
    for path in ("a.json", "d/b.json"):
        desk.put(path, "[1]")
    result = desk.run(settings)
    assert result == {path: [1] for path in found}
    assert list(result) == found


def test_a_file_with_a_star_in_its_name_is_read(desk: Desk) -> None:
    desk.put("a*.json", "1")
    desk.put("ab.json", "2")
    assert desk.run({"file": "a*.json"}) == 1
    assert desk.run({"file": "a*.json", "glob": True}) == {"a*.json": 1, "ab.json": 2}


def test_question_marks_are_plain_without_glob(desk: Desk) -> None:
    desk.put("why.txt", "x")
    desk.put("wh?[1].txt", "y")
    assert desk.run({"file": "wh?[1].txt"}) == "y"


def test_a_pattern_without_a_match_is_an_error(desk: Desk) -> None:
    assert desk.refusal({"file": "data/*.json"}) == "No file matches 'data/*.json'."


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("a.b", 1),
        (["c.1.d"], 3),
        ("a, e.f", {"a": {"b": 1}, "e.f": 4}),
    ],
)
def test_keys_pick_parts_of_what_is_read(desk: Desk, keys: Any, expected: Any) -> None:
    desk.put("a.json", json.dumps({"a": {"b": 1}, "c": [2, {"d": 3}], "e.f": 4}))
    assert desk.run({"file": "a.json", "keys": keys}) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("user.nmae", "'user.nmae' leads nowhere: there is no 'nmae'. Did you mean 'name'?"),
        ("user.name.x", "what should hold 'x' is text"),
        ("list.7", "has 1 items"),
        ("list.x", "is a list"),
    ],
)
def test_a_key_that_leads_nowhere_is_named(desk: Desk, key: str, expected: str) -> None:
    desk.put("a.json", json.dumps({"user": {"name": "Ann"}, "list": [1]}))
    said = desk.refusal({"file": "a.json", "keys": [key]})
    assert said.startswith("'a.json': ")
    assert expected in said


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("2", "b\n"),
        (2, "b\n"),
        ("1:2, 4", "a\nb\nd"),
        (["3:", ":1"], "c\nda\n"),
        ("2:99", "b\nc\nd"),
    ],
)
def test_lines_are_counted_from_one_inclusive(desk: Desk, lines: Any, expected: str) -> None:
    desk.put("a.txt", "a\nb\nc\nd")
    assert desk.run({"file": "a.txt", "lines": lines}) == expected


def test_a_line_beyond_the_end_is_an_error(desk: Desk) -> None:
    desk.put("a.txt", "a\nb\n")
    assert "There is no line 5; there are 2." in desk.refusal({"file": "a.txt", "lines": "5"})


def test_a_line_longer_than_a_piece_is_read_whole(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr("dipeo_jupyter.nodes.pieces_of_files._LONGEST", 3)
    desk.put("a.txt", "first line\nsecond\r\nthird")
    assert desk.run({"file": "a.txt", "lines": "2:"}) == "second\r\nthird"


def test_a_line_without_an_end_is_given_up(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr("dipeo_jupyter.nodes.pieces_of_files._LONGEST", 3)
    monkeypatch.setattr("dipeo_jupyter.nodes.pieces_of_files._HIGHEST", 12)
    desk.put("a.txt", "first\n" + "x" * 16)
    said = "'a.txt': Line 2 has more than 12 characters."
    assert said == desk.refusal({"file": "a.txt", "lines": "2"})


def test_lines_of_what_is_no_text_are_refused_with_the_place(desk: Desk) -> None:
    (desk.root / "a.txt").write_bytes(b"one\n" * 5000 + b"\xff\n")
    assert "not text in UTF-8 (about line " in desk.refusal({"file": "a.txt", "lines": "5001"})


def test_lines_of_json_are_text(desk: Desk) -> None:
    desk.put("a.json", '{\n"a": 1\n}')
    assert desk.run({"file": "a.json", "lines": "2"}) == '"a": 1\n'


def test_serialized_json_is_text(desk: Desk) -> None:
    desk.put("a.yaml", "a: [1]\n")
    said = desk.run({"file": "a.yaml", "serialize_json": True})
    assert isinstance(said, str)
    assert json.loads(said) == {"a": [1]}


def test_the_fixed_prompt_is_handed_on_filled_in(desk: Desk) -> None:
    for settings in ({"subType": "fixed_prompt"}, {"operation": "prompt"}):
        settings |= {"sourceDetails": "Dear {{name}}: {name}"}
        assert desk.run(settings, name="Ann") == "Dear Ann: {name}"


# -- paths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("out/{{name}}.txt", "out/ann.txt"),
        ("out/{name}.txt", "out/ann.txt"),
        ("out/{user.id}.txt", "out/7.txt"),
        ("out/{unknown}.txt", "out/{unknown}.txt"),
        ("out/{user.unknown}.txt", "out/{user.unknown}.txt"),
        ("{name}/{{user.id}}{name}.txt", "ann/7ann.txt"),
        ("{odd}.txt", "{{name}}{name}.txt"),
    ],
)
def test_names_in_paths_are_filled_in_once(desk: Desk, written: str, expected: str) -> None:
    names = {"name": "ann", "user": {"id": 7}, "odd": "{{name}}{name}"}
    settings = {"operation": "write", "file": written, "data": "x"}
    assert desk.run(settings, **names) == expected


def test_a_path_filled_in_with_nothing_is_refused(desk: Desk) -> None:
    assert "`file` is empty once" in desk.refusal({"file": "{{name}}"}, name=" ")


@pytest.mark.parametrize("name", ["file", "source_details", "sourceDetails", "file_path"])
def test_the_file_has_the_names_of_older_diagrams(desk: Desk, name: str) -> None:
    desk.put("a.txt", "x")
    assert desk.run({name: "a.txt", "sub_type": "file", "operation": "read"}) == "x"


# -- writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["a.csv", "a.json", "a.yaml", "a.xml", "a.txt", "a.py", "a.jsonl"])
def test_text_is_written_as_it_is(desk: Desk, path: str) -> None:
    said = '["a, b", "c"]\r\n'
    assert desk.run({"operation": "write", "file": path}, {"default": said}) == path
    assert desk.text(path) == said


@pytest.mark.parametrize("path", ["a.json", "a.yaml", "a.jsonl", "d/e/a.json"])
def test_what_is_written_is_what_is_read(desk: Desk, path: str) -> None:
    value = [{"a": 1, "b": [True, None]}, {"a": "ü\n"}]
    desk.run({"operation": "write", "file": path}, {"rows": value})
    assert desk.run({"file": path}) == value


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"default": "d", "value": "v", "content": "c", "generated_code": "g"}, "g"),
        ({"default": "d", "value": "v", "content": "c"}, "c"),
        ({"default": "d", "value": "v"}, "v"),
        ({"other": "o", "default": "d"}, "d"),
        ({"other": "o"}, "o"),
        ({"a": "1", "b": "2"}, '{\n  "a": "1",\n  "b": "2"\n}\n'),
        ({"default": None}, ""),
    ],
)
def test_the_value_comes_from_the_first_of_the_inputs(
    desk: Desk, inputs: Any, expected: str
) -> None:
    desk.run({"operation": "write", "file": "a.txt"}, inputs)
    assert desk.text("a.txt") == expected


def test_given_data_is_filled_in_and_written(desk: Desk) -> None:
    data = {"to": "{{name}}", "items": ["{{name}}!", 3]}
    desk.run({"operation": "write", "file": "a.json", "data": data}, {"default": "no"}, name="Ann")
    assert json.loads(desk.text("a.json")) == {"to": "Ann", "items": ["Ann!", 3]}


def test_writing_without_a_value_is_refused(desk: Desk) -> None:
    assert "There is nothing to write" in desk.refusal({"operation": "write", "file": "a.txt"})


def test_what_cannot_be_written_leaves_the_file(desk: Desk) -> None:
    desk.put("a.csv", "a\n1\n")
    assert "'a.csv': csv needs" in desk.refusal({"operation": "write", "file": "a.csv"}, {"x": 5})
    assert desk.text("a.csv") == "a\n1\n"


# -- appending and updating -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "values", "expected"),
    [
        ("a.txt", ["one", "two"], "one\ntwo\n"),
        ("a.csv", [{"a": 1, "b": 2}, {"b": 3}], "a,b\n1,2\n,3\n"),
        ("a.jsonl", [{"a": 1}, [2, [3]]], '{"a": 1}\n2\n[3]\n'),
        ("a.json", ["one", {"b": 2}], '[\n  "one",\n  {\n    "b": 2\n  }\n]\n'),
        ("a.yaml", ["one", {"b": 2}], "- one\n- b: 2\n"),
    ],
)
def test_appending_makes_and_extends_the_file(
    desk: Desk, path: str, values: Any, expected: str
) -> None:
    for value in values:
        assert desk.run({"operation": "append", "file": path}, {"default": value}) == path
    assert desk.text(path) == expected


def test_appending_to_an_object_is_refused(desk: Desk) -> None:
    desk.put("a.json", "{}")
    said = desk.refusal({"operation": "append", "file": "a.json"}, {"x": 1})
    assert said == "'a.json': Only a list can be appended to, and the file holds an object."


@pytest.mark.parametrize("path", ["a.json", "a.csv", "a.jsonl", "a.txt"])
def test_parallel_appends_to_one_file_lose_nothing(desk: Desk, path: str) -> None:
    async def all_at_once() -> Any:
        settings = {"operation": "append", "file": path}
        await asyncio.gather(*(desk.running(settings, {"x": {"n": n}}) for n in range(20)))
        return await desk.running({"file": path})

    found = asyncio.run(all_at_once())
    assert len(found) == 20 or path == "a.txt"
    assert all(f"{n}" in str(found) for n in range(20))


def test_updating_sets_one_key_to_the_value(desk: Desk) -> None:
    desk.put("a.json", '{"user": {"name": "Ann", "age": 3}, "x": 1}')
    settings = {"operation": "update", "file": "a.json", "keys": "user.name"}
    assert desk.run(settings, {"default": "Bob"}) == "a.json"
    assert json.loads(desk.text("a.json")) == {"user": {"name": "Bob", "age": 3}, "x": 1}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("new.deep.er", {"list": [1, {"a": 2}], "d.t": 3, "new": {"deep": {"er": 9}}}),
        ("list.0", {"list": [9, {"a": 2}], "d.t": 3}),
        ("list.1.a", {"list": [1, {"a": 9}], "d.t": 3}),
        ("d.t", {"list": [1, {"a": 2}], "d.t": 9}),
    ],
)
def test_updating_reaches_into_lists_and_makes_objects(desk: Desk, key: str, expected: Any) -> None:
    desk.put("a.yaml", "list: [1, {a: 2}]\nd.t: 3\n")
    desk.run({"operation": "update", "file": "a.yaml", "keys": [key]}, {"default": 9})
    assert desk.run({"file": "a.yaml"}) == expected


@pytest.mark.parametrize("value", [{"u.a": 1, "b": 2}, '{"a": 1, "u.b": 2}'])
def test_updating_several_keys_takes_each_by_name(desk: Desk, value: Any) -> None:
    desk.put("a.json", "{}")
    desk.run({"operation": "update", "file": "a.json", "keys": "u.a,u.b"}, {"default": value})
    assert json.loads(desk.text("a.json")) == {"u": {"a": 1, "b": 2}}


@pytest.mark.parametrize(
    ("path", "keys", "value", "expected"),
    [
        ("list.json", "a", 1, "Only an object has keys to update, and the file holds a list"),
        ("a.txt", "a", 1, "Only json and yaml can be updated, not text"),
        ("none.json", "a", 1, "There is no file 'none.json'"),
        ("a.json", "a,b", 5, "Several keys need an object with a value for each"),
        ("a.json", "a,b", {"a": 1}, "There is no value for 'b'"),
        ("a.json", "name.x", 1, "'name.x' leads nowhere"),
        ("a.json", "list.4", 1, "'list.4' leads nowhere"),
        ("a.json", "list.-1", 1, "'list.-1' leads nowhere"),
    ],
)
def test_what_cannot_be_updated_says_why(
    desk: Desk, path: str, keys: str, value: Any, expected: str
) -> None:
    for name, content in {
        "list.json": "[]",
        "a.txt": "",
        "a.json": '{"name": "x", "list": []}',
    }.items():
        desk.put(name, content)
    said = desk.refusal({"operation": "update", "file": path, "keys": keys}, {"default": value})
    assert expected in said
    assert desk.text("a.json") == '{"name": "x", "list": []}'


def test_parallel_updates_of_one_file_all_count(desk: Desk) -> None:
    desk.put("a.json", "{}")

    async def all_at_once() -> None:
        settings = {"operation": "update", "file": "a.json"}
        names = [f"k{n}" for n in range(20)]
        await asyncio.gather(*(desk.running({**settings, "keys": n}, {"x": 1}) for n in names))

    asyncio.run(all_at_once())
    assert len(json.loads(desk.text("a.json"))) == 20


# -- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "`file` is missing"),
        ({"file": ""}, "`file` is missing"),
        ({"file": "a", "sub_type": "code"}, "a db does not run code: use a node of type `job`"),
        ({"file": "a", "subType": "api_tool"}, "use a node of type `job`"),
        ({"file": "a", "lines": "1:2", "keys": "b"}, "exclude each other"),
        ({"file": "a", "lines": "0"}, "'0' is no range of lines: write 5, 1:120"),
        ({"file": "a", "lines": "3-4"}, "'3-4' is no range of lines"),
        ({"file": "a", "operation": "write", "lines": "1"}, "for reading alone"),
        ({"file": "a", "operation": "append", "glob": True}, "for reading alone"),
        ({"file": "a", "operation": "update"}, "update needs `keys`"),
        ({"file": "a", "operation": "write", "keys": "b"}, "write takes no `keys`"),
        ({"file": ["a", "b"], "operation": "write"}, "write needs one `file`"),
        ({"file": ["a", "b"], "sub_type": "fixed_prompt"}, "fixed_prompt needs one `file`"),
        ({"file": "a", "operation": "delete"}, "operation"),
        ({"file": "a", "format": "docx"}, "format"),
        ({"file": "a", "colour": "red"}, "colour"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: Any, expected: str) -> None:
    assert expected in invalid(**settings)


def test_errors_are_of_the_kind_they_are(desk: Desk) -> None:
    desk.put("a.json", "{")
    with pytest.raises(NodeError):
        desk.run({"file": "a.json"})
    with pytest.raises(ServiceError):
        desk.run({"file": "b.json"})


# -- pieces of large files ------------------------------------------------------------------------

TABLE = "name,people,land\nOslo,709,NO\nRome,2873,IT\nBonn,331,DE\n"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"rows": 2}, [{"name": "Rome", "people": "2873", "land": "IT"}]),
        ({"rows": "2:", "columns": "name"}, [{"name": "Rome"}, {"name": "Bonn"}]),
        ({"rows": ":{{n}}", "columns": ["land"]}, [{"land": "NO"}, {"land": "IT"}]),
        ({"columns": "people, name", "rows": "3:9"}, [{"people": "331", "name": "Bonn"}]),
        ({"rows": "4:"}, []),
    ],
)
def test_some_rows_and_columns_of_a_table_are_read(
    desk: Desk, settings: Any, expected: Any
) -> None:
    desk.put("a.csv", TABLE)
    assert desk.run({"file": "a.csv", **settings}, n=2) == expected


def test_rows_of_jsonl_are_objects_and_may_lack_a_column(desk: Desk) -> None:
    desk.put("a.jsonl", '{"a": 1}\n{"a": 2, "b": [3]}\n')
    assert desk.run({"file": "a.jsonl", "rows": "2:", "columns": "b, c"}) == [{"b": [3], "c": None}]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"file": "a.csv", "columns": "nam"}, "'a.csv': There is no column 'nam'. Did you mean"),
        ({"file": "a.csv", "rows": "{{n}}-3"}, "'1-3' is no range of rows"),
        ({"file": "a.txt", "rows": "1"}, "Only csv and jsonl can be read row by row, not text"),
        ({"file": "../a.csv", "rows": "1"}, "leads out of"),
        ({"file": "b.csv", "rows": "1"}, "There is no file 'b.csv'"),
    ],
)
def test_rows_that_cannot_be_read_say_why(desk: Desk, settings: Any, words: str) -> None:
    desk.put("a.csv", TABLE)
    desk.put("a.txt", "x")
    assert words in desk.refusal(settings, n=1)


def test_rows_exclude_what_is_not_about_tables() -> None:
    assert "exclude `lines` and `keys`" in invalid(file="a.csv", rows="1", lines="1")
    assert "for reading alone" in invalid(file="a.csv", rows="1", operation="write")


def test_of_a_file_too_large_to_be_held_only_the_piece_is(desk: Desk) -> None:
    path = desk.root / "large.csv"
    with path.open("w") as file:
        file.write("i,text\n")
        for i in range(60):
            file.write("".join(f"{i * 100 + k},{'x' * 9_000}\n" for k in range(1, 101)))
    assert path.stat().st_size > 53_000_000
    assert "is larger than 50 MB" in desk.refusal({"file": "large.csv"})

    tracemalloc.start()
    rows = desk.run({"file": "large.csv", "rows": "5901:5903", "columns": "i"})
    line = desk.run({"file": "large.csv", "lines": "2"})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert [row["i"] for row in rows] == ["5901", "5902", "5903"]
    assert line.startswith("1,xxx")
    assert peak < 3_000_000


def test_rows_have_a_limit_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dipeo_jupyter.nodes.db.MAX_TOTAL", 40)
    desk.put("a.csv", TABLE)
    assert "more than 40 characters" in desk.refusal({"file": "a.csv", "rows": ":"})
    assert desk.run({"file": "a.csv", "rows": "1", "columns": "name"}) == [{"name": "Oslo"}]


def test_reading_ends_when_nobody_waits_for_it(desk: Desk) -> None:
    ended = threading.Event()

    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            buffer[:2] = b"x\n"
            return 2

    class Slow:
        @contextmanager
        def opened(self, path: str) -> Any:
            try:
                yield io.BufferedReader(Endless())
            finally:
                ended.set()

    async def hurry() -> None:
        async with asyncio.timeout(0.1):
            await read_rows(Slow(), "a.csv", "csv", Rows("10000000000:", None, 100))  # type: ignore[arg-type]

    with pytest.raises(TimeoutError):
        asyncio.run(hurry())
    assert ended.wait(20)
