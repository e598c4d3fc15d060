"""A key that everybody on the way gives away: it is nowhere that somebody could read it.

The provider quotes it in every way that it can refuse, break off or answer. What a run leaves
behind is then searched for any ten characters of the key, plain or encoded: 0 must be found.
"""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
import traceback
import zlib
from contextlib import closing

import nbclient
import nbformat
import pytest

import dipeo_jupyter as dipeo
from dipeo_jupyter import cli
from dipeo_jupyter.app import build_engine
from dipeo_jupyter.diagram.files import FORMATS, converted
from dipeo_jupyter.errors import DiagramError, ExecutionFailedError
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.redaction import REMOVED, forms_of
from dipeo_jupyter.settings import Settings
from tests.openai_server import OpenAIServer, completion
from tests.running import run

KEY = "sk-canary-Zq7Xw9Kp3Lm5/Vt1R+8yTb2Nc4Hd6="
WINDOW = 10
NEEDLES = {
    form[start : start + WINDOW] for form in forms_of(KEY) for start in range(len(form) - WINDOW)
}
LONG = 120
LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai", "httpx", "aiohttp", "asyncio")
SERVICES = ("openai", "groq")
"""litellm speaks with the first by OpenAI's client, with the second by its own."""


class TellTale(OpenAIServer):
    """Quotes the key of a request wherever it can; `told` counts how often it did."""

    told = 0

    def quote(self, status, words, **headers):
        """Answer with this body, in which `{key}` and `{headers}` are those of the request."""

        async def step(exchange):
            self.told += 1
            sent = json.dumps(dict(exchange.request.headers))
            body = words.replace("{key}", exchange.request.key).replace(
                "{headers}", json.dumps(sent)[1:-1]
            )
            body = body.replace("{base64}", base64.b64encode(sent.encode()).decode())
            filled = {name: value.format(key=KEY) for name, value in headers.items()}
            await exchange.send(status, body, **filled)

        self._then(step, None)

    def quote_in_stream(self, *pieces, ending="stop", garbage=""):
        """Stream the key in pieces; without an ending the connection breaks off."""

        async def step(exchange):
            self.told += 1
            await exchange.stream([piece.format(key=KEY) for piece in pieces], ending=None)
            if garbage:
                await exchange.event(garbage.format(key=KEY))
            if ending:
                await exchange.event(completion({"delta": {}, "finish_reason": ending}))
                await exchange.event("[DONE]")
                await exchange.end()
            else:
                exchange.writer.transport.abort()

        self._then(step, None)


MESSAGE = '{{"error": {{"message": "{}", "code": "x"}}}}'
ERRORS = {
    "401 quotes the key": (
        lambda server: server.quote(401, MESSAGE.format("Wrong key: {key}.")),
        "refused (401): Wrong key: ",
    ),
    "401 quotes the ends of the key": (
        lambda server: server.quote(401, MESSAGE.format("Wrong key: sk-canary-Zq7***Nc4Hd6=.")),
        "refused (401): Wrong key: ",
    ),
    "400 quotes the headers": (
        lambda server: server.quote(400, MESSAGE.format("Bad: {headers} {base64}")),
        "refused (400): Bad: ",
    ),
    "500 has the key in its body": (
        lambda server: server.quote(500, "panic in handler({key})", x_request_id="{key}"),
        "refused (500): panic in handler(",
    ),
    "429 quotes the key": (
        lambda server: server.quote(429, MESSAGE.format("{key} asks too much"), retry_after="0"),
        "refused (429): ",
    ),
    "redirect": (
        lambda server: server.quote(307, "to {key}", location="/v1/elsewhere?key={key}"),
        "sends the request on to another address",
    ),
    "hang": (lambda server: server.hang(None), "1 s"),
    "html": (
        lambda server: server.quote(200, "<html>{key}</html>", content_type="text/html"),
        "something that is no answer",
    ),
    "no json": (
        lambda server: server.quote(200, "data: {key}\n\n", content_type="text/event-stream"),
        "no answer",
    ),
    "json that is cut off": (
        lambda server: server.quote(200, 'data: {"{key}\n\n', content_type="text/event-stream"),
        "no answer",
    ),
    "stream that is cut": (
        lambda server: server.quote_in_stream("It is sk-", "canary-Zq7Xw9Kp3", ending=None),
        "broke off",
    ),
    "stream with an error in it": (
        lambda server: server.quote_in_stream(
            "It", garbage='{{"error": {{"message": "{key}", "code": 500}}}}', ending=None
        ),
        "",
    ),
    "stream with garbage in it": (
        lambda server: server.quote_in_stream("It", garbage="{{{key}", ending=None),
        "",
    ),
}
"""What the provider does, and what people are told; nothing where litellm's words are its own."""


def diagram(service="openai", timeout=LONG, **person):
    person = json.dumps({"service": service, "model": "loopback", **person})
    long = " ".join(f"word{number}" for number in range(500))
    return f"""
persons: {{Bot: {person}}}
nodes:
- {{label: start, type: start, custom_data: {{topic: tea}}}}
- label: chat
  type: person_job
  person: Bot
  prompt: "Hello {{{{topic}}}} {long}"
  timeout: {timeout}
  retry: {{max_attempts: 2, initial_interval: 0.01}}
- {{label: end, type: endpoint, save_to_file: true, file_path: answer.txt}}
connections: [{{from: start, to: chat}}, {{from: chat, to: end}}]
"""


def hits(places):
    """The names of the places in which any part of the key is, never what is there."""
    return [name for name, text in places if any(needle in text for needle in NEEDLES)]


def said_by(error, seen=()):
    """Everything that an exception, its causes and its contexts hold as text."""
    if error is None or error in seen:
        return
    name = type(error).__name__
    yield f"{name} itself", f"{error} {error!r} {error.args!r}"
    yield f"attributes of {name}", repr({k: v for k, v in vars(error).items() if k != "run"})
    yield f"traceback of {name}", "".join(traceback.format_exception(error))
    yield from said_by(error.__cause__, (*seen, error))
    yield from said_by(error.__context__, (*seen, error))


def shown_of(run):
    """What a run shows and holds."""
    yield "repr", repr(run)
    yield "display", repr(run._repr_mimebundle_())
    yield "records", repr(run.to_records())
    yield "conversation", repr(run.conversation)
    yield "picture", run.picture()
    yield "mermaid", run.mermaid()
    for entry in run.events:
        yield f"event {entry.event.type}", repr(entry) + json.dumps(entry.to_wire())
    for kind in FORMATS:
        yield f"diagram as {kind}", converted(run.diagram, kind)


def kept_in(folder):
    """Every byte of every file, and what is deflated in a journal."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes().decode("latin-1")
    for path in folder.rglob("journal.db"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            for (table,) in tables.fetchall():
                for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608
                    yield from ((f"{table}, {how}", text) for how, text in map(plain, row))


def plain(cell):
    """How a cell of the journal is kept, and its text."""
    if not isinstance(cell, bytes):
        return "plain", str(cell)
    try:
        return "deflated", zlib.decompress(cell, wbits=-zlib.MAX_WBITS).decode("latin-1")
    except zlib.error:
        return "bytes", cell.decode("latin-1")


@pytest.fixture
def server():
    with closing(TellTale()) as server:
        yield server


def settings(folder, url):
    """Runs are kept, and models are on a cassette."""
    return Settings(
        root=folder,
        home=folder / ".dipeo",
        environ={f"{each.upper()}_API_KEY": KEY for each in SERVICES},
        api_bases=dict.fromkeys(SERVICES, url),
        cassette=folder / "cassette.yaml",
        cassette_mode="record",
    )


@pytest.fixture
def session(server, tmp_path):
    with closing(Session(settings(tmp_path, server.url))) as session:
        yield session


@pytest.fixture
def logs(caplog, capfd):
    """All that is logged at any level, or printed."""
    caplog.set_level(logging.DEBUG)
    for name in LOGGERS:
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog, capfd


def logged(logs):
    caplog, capfd = logs
    yield "log", caplog.text
    yield "terminal", "".join(capfd.readouterr())
    yield from ((f"record of {each.name}", repr(vars(each))) for each in caplog.records)


def failed(session, text):
    with pytest.raises(ExecutionFailedError) as caught:
        session.start(text).wait()
    return caught.value


@pytest.mark.parametrize("form", forms_of(KEY))
def test_the_search_finds_the_key_in_any_form(form):
    assert hits([("here", f"a {form} b"), ("there", "a b")]) == ["here"]
    assert hits([("part", form[3:18])]) == ["part"]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("fault", ERRORS)
def test_no_error_leaves_the_key_anywhere(session, server, logs, tmp_path, service, fault):
    script, words = ERRORS[fault]
    script(server)
    error = failed(session, diagram(service, timeout=1 if fault == "hang" else LONG))

    kept = list(kept_in(tmp_path))
    assert {request.key for request in server.requests} == {KEY}
    assert server.told or fault == "hang"
    assert words in str(error)
    assert {"journal.db", "journal.db-wal"} <= {name for name, _ in kept}
    assert any(name.endswith("deflated") for name, _ in kept)
    assert hits([*said_by(error), *shown_of(error.run), *kept, *logged(logs)]) == []


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "pieces", [["It is {key}. "], ["Is it sk-", "canary-Zq7Xw9Kp3Lm5/Vt1R+", "8yTb2Nc4Hd6=? No."]]
)
def test_no_answer_brings_the_key_in(session, server, logs, tmp_path, service, pieces):
    server.quote_in_stream(*pieces, "So much for that. " * 200)
    told = session.start(diagram(service)).wait()

    assert REMOVED in told["chat"].output
    assert told.status == "completed"
    kept = dict(kept_in(tmp_path))
    assert {"answer.txt", "cassette.yaml"} <= kept.keys()
    assert REMOVED in kept["cassette.yaml"]
    assert hits([*shown_of(told), *kept_in(tmp_path), *logged(logs)]) == []


def test_whoever_watches_an_answer_come_sees_no_key(server, tmp_path):
    server.quote_in_stream("Is it sk-", "canary-Zq7Xw9Kp3", "Lm5/Vt1R+8yTb2Nc4Hd6=?", " No.")
    watched = run(diagram(), engine=lambda: build_engine(settings(tmp_path, server.url)))
    pieces = "".join(each.text for each in watched.of(e.TokenDelta))
    assert pieces == f"Is it {REMOVED}? No."
    assert hits((each.type, repr(each)) for each in watched.events) == []


def test_a_request_that_quotes_the_key_is_recorded_without_it(session, server, tmp_path):
    server.reply("Thanks.")
    session.start(diagram().replace("topic: tea", f"topic: '{KEY}'")).wait()

    cassette = (tmp_path / "cassette.yaml").read_text()
    assert REMOVED in cassette
    assert hits([("cassette", cassette)]) == []


def test_an_unreachable_provider_leaves_no_key(logs, tmp_path):
    with closing(OpenAIServer()) as gone:
        url = gone.url
    with closing(Session(settings(tmp_path, url))) as session:
        error = failed(session, diagram())
        assert "broke off" in str(error)
        places = [*said_by(error), *shown_of(error.run), *kept_in(tmp_path), *logged(logs)]
    assert hits(places) == []


def test_a_key_in_place_of_its_name_is_refused_and_kept_nowhere(session, server, logs, tmp_path):
    with pytest.raises(DiagramError) as caught:
        session.start(diagram(api_key_id=KEY))
    assert server.requests == []
    assert hits([*said_by(caught.value), *kept_in(tmp_path), *logged(logs)]) == []


def test_a_job_sees_no_key(session, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    code = "import os\nreturn dict(os.environ)"
    nodes = f"nodes:\n- {{label: look, type: job, code: {json.dumps(code)}}}\n"
    run = session.start(nodes).wait()
    assert run["look"].output
    assert hits([*shown_of(run), *kept_in(tmp_path)]) == []


USING = """
persons: {A: {service: openai, model: m}}
nodes:
- {label: start, type: start}
- {label: a, type: person_job, person: A, prompt: Hello, tools: [give_away, complain]}
- {label: end, type: endpoint}
connections: [{from: start, to: a}, {from: a, to: end}]
"""


def test_no_tool_brings_the_key_in(session, server, logs, tmp_path):
    @dipeo.tool
    def give_away():
        return {"key": KEY}

    @dipeo.tool
    def complain():
        raise RuntimeError(f"the key is {KEY}")

    server.call(("give_away", {}), ("complain", {}))
    server.reply("Thank you.")
    done = session.start(USING).wait()
    results = [each["content"] for each in server.requests[1].body["messages"][-2:]]
    assert all(REMOVED in each for each in results)
    assert hits([*shown_of(done), *kept_in(tmp_path), *logged(logs)]) == []


def test_a_diagram_cannot_read_the_dotenv_file(session, tmp_path):
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={KEY}\n")
    error = failed(session, "nodes:\n- {label: read, type: db, operation: read, file: .env}\n")
    assert "hidden" in str(error)
    (tmp_path / ".env").unlink()
    assert hits([*said_by(error), *shown_of(error.run), *kept_in(tmp_path)]) == []


def test_a_terminal_shows_no_key(server, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("DIPEO_OPENAI_API_BASE", server.url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chat.light.yaml").write_text(diagram())
    server.quote(401, MESSAGE.format("Wrong key: {key}."))
    assert cli.main(["run", "chat.light.yaml"]) == 1
    assert cli.main(["run", "chat.light.yaml", "--json"]) == 1
    assert cli.main(["keys", "list"]) == 0
    server.scripted_models = True
    assert cli.main(["keys", "test", "openai"]) == 1

    out, err = capfd.readouterr()
    assert (out + err).count(f"Wrong key: {REMOVED}") >= 3
    assert hits([("output", out), ("errors", err)]) == []


LOUD = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
%load_ext dipeo_jupyter
"""
LAST = """
import sys, traceback
traceback.print_exception(sys.last_value)
print(repr(vars(sys.last_value)), sys.last_value.run.events)
"""


def test_a_notebook_with_every_error_is_saved_without_the_key(server, tmp_path, monkeypatch, home):
    for name, value in {
        "OPENAI_API_KEY": KEY,
        "DIPEO_OPENAI_API_BASE": server.url,
        "LITELLM_LOG": "DEBUG",
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }.items():
        monkeypatch.setenv(name, value)
    server.quote_in_stream("It is {key}.")
    notebook = nbformat.v4.new_notebook()
    cells = [LOUD, f"%%dipeo fine\n{diagram()}", "fine['chat'].output"]
    for number, fault in enumerate(ERRORS):
        patience = 1 if fault == "hang" else LONG
        cells += [f"%%dipeo run{number} --fresh\n{diagram(timeout=patience)}", LAST]
    cells += ["%dipeo list", "%dipeo keys list", "%dipeo keys test"]
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]

    execute(notebook, server, tmp_path)

    shown = nbformat.writes(notebook)
    assert REMOVED in notebook.cells[2].outputs[0]["data"]["text/plain"]
    for (_, words), cell in zip(ERRORS.values(), notebook.cells[3::2], strict=False):
        (error,) = (each for each in cell.outputs if each["output_type"] == "error")
        assert error["ename"] == "ExecutionFailedError"
        assert words in error["evalue"]
    assert "DEBUG:" in shown
    assert server.told >= len(ERRORS)
    assert hits([("notebook", shown), *kept_in(tmp_path), *kept_in(home)]) == []


def execute(notebook, server, folder):
    """Run it, with the next fault in the script before each run but the first."""
    scripts = iter(script for script, _ in ERRORS.values())

    def prepare(cell, cell_index):
        if cell.source.startswith("%%dipeo run"):
            server._script = []
            next(scripts)(server)

    client = nbclient.NotebookClient(
        notebook,
        timeout=LONG,
        allow_errors=True,
        on_cell_execute=prepare,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()


def test_the_search_would_see_a_key_in_a_journal(session, tmp_path):
    """Text that a person wrote is theirs; so this is how a key looks that gets there."""
    nodes = "nodes:\n- {label: say, type: job, code: return default}\n"
    start = "- {label: start, type: start}\nconnections: [{from: start, to: say}]\n"
    session.start(nodes + start, {"default": f"{KEY} " * 200}).wait()
    assert any(name.endswith("deflated") for name in hits(kept_in(tmp_path)))
