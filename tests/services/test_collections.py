"""Collections, in SQLite and in a real PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing

import pytest

from dipeo_jupyter.engine.ports.collections import Change, Query
from dipeo_jupyter.errors import NodeError, ServiceError
from dipeo_jupyter.services.collections import SqlCollections
from tests.postgres_server import NEEDS_POSTGRES, PASSWORD, PostgresServer

CITIES = [{"name": "Oslo", "people": 709}, {"name": "Rome", "people": 2873}]
FOREVER = {
    "sqlite": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r) SELECT sum(n) FROM r",
    "postgresql": "SELECT count(*) FROM generate_series(1, 1000000000000)",
}


@pytest.fixture(scope="module")
def postgres():
    with closing(PostgresServer()) as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=NEEDS_POSTGRES)])
def kind(request):
    return request.param


@pytest.fixture
def collections(kind, tmp_path, request):
    if kind == "sqlite":
        yield SqlCollections(tmp_path, {})
        return
    server = request.getfixturevalue("postgres")
    made = SqlCollections(tmp_path, {"": server.url})
    yield made
    server.forget()


def put(collections, rows=CITIES, **options):
    change = Change(options.pop("collection", "cities"), rows, **options)
    return asyncio.run(collections.change(change))


def ask(collections, sql="SELECT * FROM cities ORDER BY name", limit=1000, **parameters):
    return asyncio.run(collections.query(Query(sql, parameters, limit)))


def refusal(act, *arguments, **options):
    with pytest.raises(ServiceError) as caught:
        act(*arguments, **options)
    return str(caught.value)


# -- rows in, rows out ----------------------------------------------------------------------------


def test_rows_make_the_collection_that_they_need(collections):
    assert put(collections) == 2
    assert ask(collections) == CITIES

    (table,) = asyncio.run(collections.tables())
    assert (table.name, table.columns) == ("cities", {"name": "text", "people": "bigint"})


def test_a_row_may_leave_columns_out(collections):
    put(collections, [{"name": "Oslo", "people": 709}, {"name": "Rome"}])

    assert ask(collections)[1] == {"name": "Rome", "people": None}


def test_a_collection_is_made_of_the_columns_that_are_given(collections):
    put(collections, [], columns={"name": "text", "people": "integer"}, keys=("name",))

    assert put(collections) == 2
    assert asyncio.run(collections.tables())[0].keys == ("name",)


def test_all_sorts_of_values_come_back_as_json(collections, kind):
    columns = {"at": "datetime", "day": "date", "yes": "boolean"}
    row = {"at": "2024-05-01T12:00:00+02:00", "day": "2024-05-01", "yes": True, "n": 1.5}
    put(collections, [{**row, "more": {"a": [1, None]}, "text": "ä % :x ' \"", "none": None}])
    before = ask(collections, "SELECT * FROM cities")[0]

    put(collections, [row], columns=columns, collection="typed")
    typed = ask(collections, "SELECT * FROM typed")[0]

    assert (before["at"], before["text"], before["none"]) == (row["at"], "ä % :x ' \"", None)
    assert before["more"] in ({"a": [1, None]}, '{"a": [1, null]}')  # SQLite has no such type
    assert (typed["at"][:10], typed["at"][11:19]) == ("2024-05-01", "10:00:00")
    assert (typed["day"], typed["yes"], typed["n"]) == ("2024-05-01", True, 1.5)


@NEEDS_POSTGRES
def test_what_json_has_no_word_for_becomes_text(tmp_path, postgres):
    collections = SqlCollections(tmp_path, {"": postgres.url})
    sql = r"SELECT 1.50::numeric AS d, '\x00ff'::bytea AS b, array[1, 2] AS a, 'NaN'::float8 AS n"

    assert ask(collections, sql) == [{"d": "1.50", "b": "AP8=", "a": [1, 2], "n": None}]


def test_an_upsert_replaces_rows_with_the_same_keys(collections):
    put(collections, keys=("name",), replace=True)
    put(collections, [{"name": "Rome", "people": 1}], keys=("name",), replace=True)

    assert ask(collections) == [{"name": "Oslo", "people": 709}, {"name": "Rome", "people": 1}]


def test_an_upsert_leaves_columns_alone_that_it_does_not_name(collections):
    put(collections, [{"name": "Oslo", "people": 709, "note": "x"}], keys=("name",))
    put(collections, [{"name": "Oslo", "people": 1}], keys=("name",), replace=True)

    assert ask(collections) == [{"name": "Oslo", "people": 1, "note": "x"}]


def test_an_upsert_needs_keys_that_the_table_knows(collections):
    put(collections)

    assert "those of a primary key" in refusal(put, collections, keys=("name",), replace=True)


def test_of_rows_with_the_same_keys_the_last_one_counts(collections):
    put(collections, [{"k": 1, "v": 1}, {"k": 1, "v": 2}], keys=("k",), replace=True)

    assert ask(collections, "SELECT * FROM cities") == [{"k": 1, "v": 2}]


def test_inserting_the_same_keys_twice_says_what_to_do(collections):
    put(collections, keys=("name",))

    assert "`upsert` replaces it" in refusal(put, collections)


# -- all or nothing, and once ---------------------------------------------------------------------


def test_a_change_is_made_whole_or_not_at_all(collections):
    put(collections)
    rows = [*({"name": f"n{i}", "people": i} for i in range(2500)), {"name": "x", "people": "many"}]

    assert "Row 2,501: 'many' does not fit the column 'people'" in refusal(put, collections, rows)
    assert ask(collections) == CITIES


def test_a_collection_is_not_left_behind_by_a_change_that_failed(collections):
    def rows():
        yield CITIES[0]
        raise NodeError("the file ends here")

    with pytest.raises(NodeError):
        put(collections, rows())
    assert asyncio.run(collections.tables()) == []


def test_the_same_change_is_made_once_even_by_another_process(collections, kind, tmp_path):
    assert put(collections, key="run/node[1]") == 2

    again = SqlCollections(tmp_path, collections._databases._urls)
    assert put(again, key="run/node[1]") == 2
    assert put(again, [CITIES[0]], key="run/node[2]") == 1
    assert len(ask(collections)) == 3


def test_a_change_that_failed_can_be_made_later_under_its_key(collections):
    refusal(put, collections, [{}], key="k")

    assert put(collections, key="k") == 2


def test_many_changes_at_once_wait_for_each_other(collections):
    async def race():
        changes = (Change("race", [{"i": i}], key=str(i)) for i in range(20))
        await asyncio.gather(*(collections.change(each) for each in changes))

    asyncio.run(race())

    assert len(ask(collections, "SELECT i FROM race")) == 20


def test_a_change_waits_for_another_program_that_has_locked_the_whole_file(tmp_path):
    collections = SqlCollections(tmp_path, {})
    put(collections)
    path = tmp_path / ".dipeo" / "collections.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert put(collections, on_wait=other.rollback) == 2


# -- calling off ----------------------------------------------------------------------------------


def test_a_query_ends_when_nobody_waits_for_it(collections, kind):
    async def hurry():
        async with asyncio.timeout(0.3):
            await collections.query(Query(FOREVER[kind]))

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(hurry())
    assert time.monotonic() - began < 20


def test_a_change_that_is_called_off_leaves_nothing(collections):
    going = asyncio.Event()

    async def call_off():
        loop = asyncio.get_running_loop()

        def rows():
            for i in range(100_000_000):
                if i == 5000:
                    loop.call_soon_threadsafe(going.set)
                yield {"i": i}

        task = asyncio.create_task(collections.change(Change("endless", rows())))
        await going.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return await collections.tables()

    assert asyncio.run(call_off()) == []


# -- queries only read ----------------------------------------------------------------------------


def test_values_are_bound_and_never_part_of_the_statement(collections):
    put(collections)
    evil = "x'; DROP TABLE cities; --"

    assert ask(collections, "SELECT * FROM cities WHERE name = :name", name=evil) == []
    assert (
        ask(collections, "SELECT :name AS said FROM cities LIMIT 1", name=evil)[0]["said"] == evil
    )
    assert ask(collections) == CITIES


def test_a_list_stands_for_several_values(collections):
    put(collections)

    found = ask(collections, "SELECT name FROM cities WHERE name IN :xs", xs=["Rome", "Bonn"])
    assert found == [{"name": "Rome"}]


def test_an_empty_list_stands_for_none_where_the_database_takes_it(collections, kind):
    put(collections)
    sql = "SELECT name FROM cities WHERE name IN :xs"

    if kind == "sqlite":
        assert ask(collections, sql, xs=[]) == []
    else:
        assert "a list of what?" in refusal(ask, collections, sql, xs=[])


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE cities",
        "INSERT INTO cities VALUES ('x', 1)",
        "UPDATE cities SET people = 0",
        "SELECT 1; DELETE FROM cities",
        "SELECT 1; COMMIT; DROP TABLE cities",
        "WITH gone AS (SELECT 1) DELETE FROM cities",
        "WITH gone AS (DELETE FROM cities RETURNING *) SELECT * FROM gone",
        "/* SELECT */ DELETE FROM cities",
        "-- SELECT\nDELETE FROM cities",
        "SELECT * INTO other FROM cities",
        "PRAGMA writable_schema = ON",
        "ATTACH DATABASE '/tmp/other.db' AS other",
        "VACUUM INTO '/tmp/other.db'",
        "SELECT * FROM pragma_database_list",
        "SELECT load_extension('/tmp/evil.so')",
        "SELECT writefile('/tmp/evil', 'x')",
        "COPY cities TO '/tmp/evil'",
        "COPY cities TO PROGRAM 'touch /tmp/evil'",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SET TRANSACTION READ WRITE",
        "EXPLAIN ANALYZE DELETE FROM cities",
        "",
        ";",
    ],
)
def test_a_query_that_does_more_than_read_is_refused(collections, sql):
    put(collections)

    refusal(ask, collections, sql)

    assert ask(collections) == CITIES


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM cites", "`%dipeo show collections` lists"),
        ("SELECT * FROM cities WHERE name = :nmae", "no value for `:nmae`. Did you mean 'name'?"),
        ("SELECT name, name FROM cities", "two columns 'name': name one with `AS`"),
        ("SELEC 1", "begins with SELECT, WITH or VALUES, not 'SELEC'"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(collections, sql, words):
    put(collections)

    assert words in refusal(ask, collections, sql, name="x")


def test_more_rows_than_the_limit_are_an_error(collections):
    put(collections, [{"i": i} for i in range(30)], collection="many")

    assert len(ask(collections, "SELECT * FROM many", limit=30)) == 30
    assert "more than 29 rows" in refusal(ask, collections, "SELECT * FROM many", limit=29)


def test_a_query_never_gives_more_than_can_be_held(collections, kind):
    large = "hex(zeroblob(40000000))" if kind == "sqlite" else "repeat('x', 60000000)"

    assert refusal(ask, collections, f"SELECT {large} AS large")


# -- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", "a b", "a;b", "dipeo_effects", "sqlite_master", "a.b.c", '"a"']
)
def test_a_name_that_cannot_be_one_of_a_collection_is_refused(collections, name):
    assert "cannot be the name of a collection" in refusal(put, collections, collection=name)


def test_columns_may_be_called_anything_that_can_be_read(collections):
    rows = [{'a "quoted" name': 1, "50 % (net)": 2, "select": 3, "größe:m": 4}]
    put(collections, rows)

    assert ask(collections, "SELECT * FROM cities") == rows


def test_an_unknown_column_names_the_nearest(collections):
    put(collections)

    assert "Did you mean 'people'?" in refusal(put, collections, [{"name": "x", "poeple": 1}])


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        ([], {}, "say its `columns`"),
        ([{}], {}, "say its `columns`"),
        (CITIES, {"keys": ("nmae",)}, "Did you mean 'name'?"),
        ([{"a": {"b": 1}}], {"keys": ("a",)}, "cannot be one of the `keys`"),
        ([{"": 1}], {}, "cannot be the name of a column"),
        (
            [{"a": 1}] * 1000 + [{"a": 2**70}],
            {},
            "Row 1,001: '1180591620717411303424' does not fit",
        ),
    ],
)
def test_what_makes_no_collection_is_refused(collections, rows, options, words):
    assert words in refusal(put, collections, rows, **options)


# -- which databases there are --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sales", "sqlite:////etc/passwd", "postgresql://evil/", "../x"])
def test_a_diagram_reaches_no_database_that_nobody_has_named(tmp_path, name):
    collections = SqlCollections(tmp_path, {"sale": "sqlite:////nowhere.db"})

    with pytest.raises(ServiceError, match=r"There is no database .*a diagram cannot") as caught:
        asyncio.run(collections.query(Query("SELECT 1", database=name)))
    assert name != "sales" or "Did you mean 'sale'?" in str(caught.value)


def test_a_named_database_is_used_beside_the_usual_one(tmp_path):
    other = tmp_path / "other.db"
    sqlite3.connect(other).close()
    collections = SqlCollections(tmp_path, {"other": f"sqlite:///{other}"})

    put(collections, database="other")

    assert asyncio.run(collections.tables()) == []
    assert [each.name for each in asyncio.run(collections.tables("OTHER"))] == ["cities"]


def test_the_usual_file_is_hidden_and_for_the_user_alone(tmp_path):
    put(SqlCollections(tmp_path, {}))

    path = tmp_path / ".dipeo" / "collections.db"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (path.parent / ".gitignore").read_text() == "*\n"


def test_the_usual_file_is_not_followed_elsewhere(tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / ".dipeo").symlink_to(tmp_path / "secret")

    assert "is reached by a link" in refusal(put, SqlCollections(tmp_path, {}))


@NEEDS_POSTGRES
def test_no_error_has_a_password_in_it(tmp_path, postgres):
    wrong = postgres.url.replace(PASSWORD, "pg-wrong-9876543210")
    collections = SqlCollections(tmp_path, {"": wrong})

    said = refusal(ask, collections, "SELECT 1")
    assert "authentication failed" in said
    assert "pg-wrong" not in said


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "DIPEO_SALES_DATABASE_URL is no URL"),
        ("sqlite://", "names no file"),
        ("nosuch://x/y", "SQLAlchemy knows no nosuch"),
        ("sqlite:////no/such/place.db", "SALES_DATABASE_URL: there is no file /no/such/place.db"),
        ("mysql://me@127.0.0.1/x", "pip install 'mysqlclient'"),
        ("postgresql://me@127.0.0.1:1/x", "The database says: connection failed"),
    ],
)
def test_a_database_that_cannot_be_opened_says_which_setting_is_wrong(tmp_path, url, words):
    collections = SqlCollections(tmp_path, {"sales": url})

    with pytest.raises(ServiceError) as caught:
        asyncio.run(collections.query(Query("SELECT 1", database="sales")))
    assert words in str(caught.value)


def test_dates_and_numbers_of_untyped_rows_are_found_out(collections):
    row = {"id": "007", "n": "12", "x": "1.5", "day": "2024-02-01", "no": "2024-02-30", "gap": ""}
    put(collections, [row, {**row, "gap": "5", "n": ""}], untyped=True)

    (table,) = asyncio.run(collections.tables())
    kinds = {name: what.split()[0] for name, what in table.columns.items()}
    assert kinds["id"] == kinds["no"] == "text"
    assert (kinds["n"], kinds["gap"], kinds["x"], kinds["day"]) == (
        *("bigint", "bigint"),
        "double",
        "date",
    )
    assert [each["n"] for each in ask(collections, "SELECT n FROM cities")] == [12, None]


def test_progress_is_told_of_many_rows(collections):
    told = []
    change = Change("many", ({"i": i} for i in range(100_500)), on_rows=told.append)

    assert asyncio.run(collections.change(change)) == 100_500
    assert told == [100_000]
