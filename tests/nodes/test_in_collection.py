"""`db` with a `collection` or a `query`: rows in, rows out, and clear words when it cannot be."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from dipeo_jupyter.engine.node import Inputs
from dipeo_jupyter.engine.ports.collections import Change
from dipeo_jupyter.errors import DipeoError
from dipeo_jupyter.nodes.db import Db
from dipeo_jupyter.nodes.in_collection import InCollection
from dipeo_jupyter.services.collections import SqlCollections
from dipeo_jupyter.services.files import LocalFiles
from tests.nodes.context import FakeContext, services
from tests.running import run

CITIES = [{"name": "Oslo", "people": 709}, {"name": "Rome", "people": 2873}]


class Desk:
    """Runs `db` nodes on the collections and the files of one folder."""

    def __init__(self, root):
        self.root = root
        self.collections = SqlCollections(root, {})
        self.services = services(files=LocalFiles(root), collections=self.collections)
        self.activations = 0

    def run(self, settings, inputs=(), **names):
        self.activations += 1
        ctx = FakeContext(
            services=self.services, names={**dict(inputs), **names}, activation=self.activations
        )
        self.context = ctx
        node = Db.for_settings(settings).model_validate(InCollection.settings_in(settings))
        return asyncio.run(node.run(Inputs(inputs), ctx)).outputs["default"]

    def rows(self, collection="cities"):
        return self.run({"collection": collection})

    def put(self, rows=CITIES, **settings):
        return self.run({"operation": "insert", "collection": "cities", **settings}, default_(rows))


def default_(value):
    return {"default": value}


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def refusal(act, *arguments, **options):
    with pytest.raises((DipeoError, ValidationError)) as caught:
        act(*arguments, **options)
    return str(caught.value)


def test_what_arrives_is_inserted_and_read_again(desk):
    assert desk.put() == {"collection": "cities", "rows": 2}
    assert desk.rows() == CITIES


@pytest.mark.parametrize("value", [CITIES[0], json.dumps(CITIES[0]), [CITIES[0]]])
def test_one_row_or_many_as_values_or_as_json_text(desk, value):
    desk.put(value)

    assert desk.rows() == CITIES[:1]


def test_data_is_filled_in_with_values_not_with_their_text(desk):
    data = {"name": "{{city}}", "people": "{{n}}", "said": "{{n}} people"}
    desk.run({"operation": "insert", "collection": "cities", "data": data}, city="Oslo", n=709)

    assert desk.rows() == [{"name": "Oslo", "people": 709, "said": "709 people"}]


def test_an_upsert_replaces_and_create_makes_the_columns(desk):
    columns = {"name": "text", "people": "integer"}
    made = desk.run(
        {"operation": "create", "collection": "cities", "columns": columns, "keys": "name"}
    )
    desk.put(operation="upsert", keys=["name"])
    desk.put([{"name": "Rome", "people": 1}], operation="upsert", keys="name")

    assert made == {"collection": "cities", "rows": 0}
    assert {row["name"]: row["people"] for row in desk.rows()} == {"Oslo": 709, "Rome": 1}


def test_a_query_takes_values_from_params_and_from_what_the_node_sees(desk):
    desk.put()
    sql = "SELECT name FROM cities WHERE people > :least AND name <> :other"

    found = desk.run({"query": sql, "params": {"least": "{{bound}}"}}, {"other": "Oslo"}, bound=700)
    assert found == [{"name": "Rome"}]


def test_a_value_is_never_taken_for_sql(desk):
    desk.put()
    evil = "x' OR 1=1; DROP TABLE cities; --"

    assert desk.run({"query": "SELECT * FROM cities WHERE name = :name"}, name=evil) == []
    assert desk.rows() == CITIES


def test_a_collection_of_any_name_is_read_by_its_name_alone(desk):
    assert "no such table" in refusal(desk.rows, 'x" UNION SELECT * FROM "dipeo_effects')


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"query": "SELECT {{x}}"}, "a query is no template"),
        ({"operation": "query"}, "`query` is missing"),
        ({"operation": "insert"}, "`collection` is missing"),
        ({"operation": "upsert", "collection": "c"}, "upsert needs `keys`"),
        ({"operation": "create", "collection": "c"}, "`columns` is missing"),
        ({"operation": "import", "collection": "c"}, "`file` is missing"),
        (
            {"operation": "insert", "collection": "c", "query": "SELECT 1"},
            "is for `operation: query`",
        ),
        ({"operation": "write", "collection": "c"}, "'read', 'query', 'create', 'insert'"),
        ({"operation": "create", "collection": "c", "columns": {"a": "blob"}}, "'text', 'integer'"),
        ({"collection": "c", "columns": ["a"]}, "Choose some by a `query`"),
        ({"query": "SELECT 1", "limit": 10**6}, "less than or equal to 100000"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(desk, settings, words):
    assert words in refusal(desk.run, settings)


@pytest.mark.parametrize(
    ("settings", "inputs", "words"),
    [
        ({"query": "SELECT :nmae"}, {"name": 1}, "no value for `:nmae`"),
        ({"query": "SELECT :a", "params": {"a": 1, "b": 2}}, {}, "The query has no `:b`"),
        ({"query": "SELECT :a"}, {"a": {"x": 1}}, "`:a` is an object"),
        ({"operation": "insert", "collection": "c"}, {"default": "text"}, "A row is an object"),
        ({"operation": "insert", "collection": "c"}, {}, "There is nothing to write"),
        ({"operation": "import", "collection": "c", "file": "no.csv"}, {}, "There is no file"),
        ({"operation": "import", "collection": "c", "file": "../no.csv"}, {}, "leads out of"),
        ({"collection": "c", "database": "sales"}, {}, "DIPEO_SALES_DATABASE_URL"),
    ],
)
def test_what_cannot_be_done_says_why(desk, settings, inputs, words):
    assert words in refusal(desk.run, settings, inputs)


def test_a_query_without_a_time_limit_ends_all_the_same(desk, monkeypatch):
    monkeypatch.setattr("dipeo_jupyter.nodes.in_collection.SECONDS", 0.2)
    sql = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT sum(n) FROM r"

    assert "set a `timeout`" in refusal(desk.run, {"query": sql})


# -- importing files ------------------------------------------------------------------------------


def test_a_csv_file_is_imported_with_the_kinds_that_its_cells_look_like(desk):
    (desk.root / "a.csv").write_text("\ufeffname,people,since\nOslo,709,1048-01-01\nX,,\n")

    done = desk.run({"operation": "import", "collection": "cities", "file": "a.csv"})

    assert done == {"collection": "cities", "rows": 2, "file": "a.csv"}
    assert desk.rows() == [
        {"name": "Oslo", "people": 709, "since": "1048-01-01"},
        {"name": "X", "people": None, "since": None},
    ]


def test_jsonl_is_imported_and_keys_make_it_an_upsert(desk):
    desk.put(keys="name")
    (desk.root / "a.jsonl").write_text('{"name": "Rome", "people": 1}\n\n{"name": "Bonn"}\n')

    desk.run({"operation": "import", "collection": "cities", "file": "a.jsonl", "keys": "name"})

    assert {row["name"]: row["people"] for row in desk.rows()} == {
        "Oslo": 709,
        "Rome": 1,
        "Bonn": None,
    }


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "'a.csv': The text is not valid CSV (line 3): 3 cells"),
        ("a.csv", b"a,a\n1,2\n", "A column stands twice"),
        ("a.csv", b"a\n\xff\xfe\n", "not text in UTF-8"),
        ("a.csv", b'a\n"1\n', "not valid CSV"),
        ("a.jsonl", b'{"a": 1}\n[1]\n', "Line 2 is no object, but a list"),
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "Line 2: The text is not valid JSON"),
        ("a.xml", b"<a/>", "Only csv and jsonl"),
        ("a.csv", b"a\n" + b"1\n" * 1500 + b"x\n", "Row 1,501: 'x' does not fit the column 'a'"),
    ],
)
def test_a_file_that_is_wrong_leaves_nothing_behind(desk, name, content, words):
    (desk.root / name).write_bytes(content)

    said = refusal(desk.run, {"operation": "import", "collection": "c", "file": name})
    assert words in said
    assert asyncio.run(desk.collections.tables()) == []


IMPORT = """
import resource, sys
from pathlib import Path
from tests.running import run

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def load(file):
    return run(f'''
nodes:
- {{label: start, type: start}}
- {{label: load, type: db, operation: import, collection: {file[:5]}, file: {file}}}
- {{label: count, type: db, query: SELECT count(*) AS n FROM {file[:5]}}}
- {{label: end, type: endpoint}}
edges: [start -> load -> count -> end]
''', root=Path(sys.argv[1])).outputs["end"][0]["n"]

print(load("small.csv"), before := peak(), load("large.csv"), peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured otherwise elsewhere")
def test_importing_a_large_file_takes_no_more_memory_than_a_small_one(tmp_path):
    rows = "".join(f"{i},{'x' * 400},{i / 8}\n" for i in range(10_000))
    (tmp_path / "small.csv").write_text("i,text,n\n" + rows[: rows.index("\n") + 1])
    with (tmp_path / "large.csv").open("w") as file:
        file.write("i,text,n\n" + 15 * rows)
    assert (tmp_path / "large.csv").stat().st_size > 60_000_000

    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    small, _, large, more = done.stdout.split()
    assert (small, large) == ("1", "150000")
    assert float(more) < 15, "megabytes"


# -- in a run -------------------------------------------------------------------------------------

KEPT = """
nodes:
- {label: start, type: start, custom_data: {rows: [{city: Oslo, n: 3}, {city: Rome, n: 5}]}}
- {label: keep, type: db, operation: upsert, collection: seen, keys: city, data: "{{rows}}"}
- {label: ask, type: db, query: "SELECT city FROM seen WHERE n > :least", params: {least: 4}}
- {label: end, type: endpoint}
edges: [start -> keep -> ask -> end]
"""


def test_a_diagram_keeps_rows_and_asks_for_them(tmp_path):
    assert run(KEPT, root=tmp_path).outputs == {"end": [{"city": "Rome"}]}


def test_a_diagram_of_the_next_run_finds_them(tmp_path):
    run(KEPT, root=tmp_path)

    again = KEPT.replace("upsert", "insert").replace("keys: city, ", "")
    assert "`upsert` replaces it" in run(again, root=tmp_path).error.message


def test_a_change_keeps_its_key_over_attempts(desk):
    seen = []

    class Noting:
        async def change(self, change: Change) -> int:
            seen.append(change.key)
            return 1

    desk.services = services(collections=Noting())
    desk.put()
    desk.activations = 0
    desk.put()
    desk.put([CITIES[0]])

    assert seen[0] == seen[1] != seen[2]
    assert seen[0].startswith("node[1] ")
