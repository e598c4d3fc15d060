"""MCP servers: which there are, what they are given, what they say, and how they end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.tools.mcp import McpServers
from tests import mcp_server
from tests.mcp_server import PNG, HttpServer

SCRIPT = str(Path(mcp_server.__file__))
HERE = {"command": sys.executable, "args": [SCRIPT]}
KEY = "sk-canary-0123456789abcdef"

# Speaks no newer protocol, hangs up on who begins with anything else, and prints what is no JSON.
OLDER = """
import json, sys
print("hello there", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    match asked["method"]:
        case "initialize":
            result = {"protocolVersion": "2024-11-05", "capabilities": {"tools": {}},
                      "serverInfo": {"name": "older", "version": "0.1"}}
        case "tools/list":
            result = {"tools": [{"name": "t", "inputSchema": {"type": "object"}}]}
        case "notifications/initialized":
            continue
        case _:
            sys.exit("I do not know " + asked["method"])
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"""
WITHOUT_SDK = """
import asyncio, sys
from pathlib import Path
sys.modules["mcp"] = None
from dipeo_jupyter.services.tools.mcp import McpServers
asyncio.run(McpServers(Path(sys.argv[1]), {}, str).tools("here"))
"""
ENDS_WITHOUT_CLOSING = """
import asyncio, sys
from pathlib import Path
from dipeo_jupyter.services.tools.mcp import McpServers
servers = McpServers(Path(sys.argv[1]), {}, str)
async def main():
    (place,) = (each for each in await servers.tools("here") if each.name == "place")
    print((await servers.use(place, {})).text.split()[0])
asyncio.run(main())
"""


@pytest.fixture
def write(tmp_path):
    def to_file(**servers):
        (tmp_path / ".mcp.json").write_text(json.dumps({"mcpServers": servers}))
        return tmp_path

    return to_file


@pytest.fixture
def here(write):
    """A folder whose file names the server `here`."""
    return write(here=HERE)


@asynccontextmanager
async def opened(root, environ=None):
    environ = environ or {}
    servers = McpServers(root, environ, Keys(environ).redact)
    try:
        yield servers
    finally:
        await servers.aclose()


async def tools_of(servers, name="here"):
    return {each.name: each for each in await servers.tools(name)}


def used(root, *uses, environ=None, server="here"):
    """What comes of some uses, one after the other: names and arguments."""

    async def main():
        async with opened(root, environ) as servers:
            tools = await tools_of(servers, server)
            return [await servers.use(tools[name], arguments) for name, arguments in uses]

    return asyncio.run(main())


def refused(root, *, environ=None, server="here"):
    """Why a server cannot be used."""

    async def main():
        async with opened(root, environ) as servers:
            with pytest.raises(ServiceError) as caught:
                await servers.tools(server)
            return caught.value

    return asyncio.run(main())


async def until_gone(pid):
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0)


# What there is ------------------------------------------------------------------------------------


def test_tools_have_their_descriptions_and_what_may_be_done_twice(here):
    async def main():
        async with opened(here) as servers:
            return await tools_of(servers)

    tools = asyncio.run(main())
    add = tools["add"]
    assert ("add", "Adds two numbers.") == (add.tool.name, add.tool.description)
    assert ["a", "b"] == add.tool.parameters["required"]
    assert "mcp:here tests 1.2" == add.home
    assert (True, True, False) == tuple(tools[name].repeatable for name in ("add", "put", "note"))


def test_a_name_that_providers_refuse_is_made_one_that_they_take(here):
    async def main():
        async with opened(here) as servers:
            (odd,) = (
                each for each in await servers.tools("here") if each.tool.name == "files_read"
            )
            return await servers.use(odd, {})

    assert "odd" == asyncio.run(main()).text


def test_texts_images_resources_and_structures_become_results(here):
    uses = [("picture", {}), ("mixed", {}), ("structure", {})]
    picture, mixed, structure = used(here, *uses)
    assert "a dot" == picture.text
    assert (f"data:image/png;base64,{mcp_server.base64.b64encode(PNG).decode()}",) == picture.images
    pdf = "[application/pdf, which cannot be shown]"
    assert f"first\nmore: file:///more.txt\ninside\n{pdf}" == mixed.text
    assert '{"n": 1}' == structure.text
    assert not any(each.failed for each in (picture, mixed, structure))


def test_what_goes_wrong_in_a_tool_is_told(here):
    fail, add = used(here, ("fail", {}), ("add", {"a": "x"}))
    assert (True, True) == (fail.failed, add.failed)
    assert "fail" in fail.text
    assert "valid integer" in add.text


def test_several_uses_at_once_meet_in_one_server(here):
    async def main():
        async with opened(here) as servers:
            meet = (await tools_of(servers))["meet"]
            return await asyncio.gather(servers.use(meet, {}), servers.use(meet, {}))

    assert ["met", "met"] == [each.text for each in asyncio.run(main())]


# What a server is given ---------------------------------------------------------------------------


def test_a_server_runs_in_the_root_and_has_its_own_environment_without_our_keys(write, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    root = write(here={**HERE, "env": {"COLOUR": "${COLOUR}", "SIZE": "${SIZE:-large}"}})
    names = ("COLOUR", "SIZE", "OPENAI_API_KEY", "PATH")
    place, *values = used(
        root,
        ("place", {}),
        *(("environment", {"name": name}) for name in names),
        environ={"COLOUR": "red", "OPENAI_API_KEY": KEY},
    )
    assert str(root) == place.text.split()[1]
    assert ["red", "large", "not there", os.environ["PATH"]] == [each.text for each in values]


def test_a_key_that_a_server_was_given_is_told_by_it_to_nobody(write):
    root = write(here={**HERE, "env": {"API_TOKEN": "${MY_PAT}"}})
    (result,) = used(root, ("environment", {"name": "API_TOKEN"}), environ={"MY_PAT": KEY})
    assert "[key removed]" == result.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "There is no .mcp.json in "),
        ('{\n"mcpServers": {,}}', ".mcp.json, line 2, is no JSON"),
        ("[]", "no object `mcpServers`"),
        ('{"mcpServers": {"her": {}}}', "no MCP server 'here' in .mcp.json. Did you mean 'her'?"),
        ('{"mcpServers": {"here": {}}}', "the server 'here' needs `command`"),
        ('{"mcpServers": {"here": {"type": "http"}}}', "needs `url`"),
        ('{"mcpServers": {"here": {"type": "sse", "url": "x"}}}', "has the type 'sse'"),
        ('{"mcpServers": {"here": {"url": "ftp://x"}}}', "`url` begins with http"),
        ('{"mcpServers": {"here": {"command": "x", "args": "y"}}}', "`args`: "),
        ('{"mcpServers": {"here": {"command": "x", "timeout": 0}}}', "`timeout`: "),
        ('{"mcpServers": {"here": {"command": "${X}"}}}', "needs the variable X"),
        ('{"mcpServers": {"here": {"command": "/no/such"}}}', "cannot be started: "),
    ],
)
def test_what_is_wrong_with_the_file_is_said(tmp_path, text, said):
    if text is not None:
        (tmp_path / ".mcp.json").write_text(text)
    assert said in str(refused(tmp_path))


def test_without_the_package_it_is_said_what_to_install(here):
    command = [sys.executable, "-c", WITHOUT_SDK, str(here)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert 'pip install "dipeo_jupyter[mcp]"' in done.stderr.splitlines()[-1]


# How they begin and end ---------------------------------------------------------------------------


def test_a_server_that_dies_fails_the_use_under_way_and_is_started_at_the_next(here):
    async def main():
        async with opened(here, {"OPENAI_API_KEY": KEY}) as servers:
            tools = await tools_of(servers)
            before = (await servers.use(tools["place"], {})).text
            with pytest.raises(ServiceError) as caught:
                await servers.use(tools["die"], {"word": f"aargh {KEY}"})
            return before, str(caught.value), (await servers.use(tools["place"], {})).text

    before, said, after = asyncio.run(main())
    assert "'here' has gone before it answered. Whether it was done is not known." in said
    assert said.endswith("aargh [key removed]")
    assert before != after


def test_a_server_that_died_meanwhile_is_started_again(here):
    async def main():
        async with opened(here) as servers:
            place = (await tools_of(servers))["place"]
            pid = int((await servers.use(place, {})).text.split()[0])
            connection = servers._open._connections["here"]
            os.kill(pid, signal.SIGKILL)
            while connection.alive:  # noqa: ASYNC110 - it lives on another loop
                await asyncio.sleep(0)
            return pid, int((await servers.use(place, {})).text.split()[0])

    before, after = asyncio.run(main())
    assert before != after


def test_one_process_serves_until_the_end_whatever_the_loop_and_none_is_left(here):
    servers = McpServers(here, {}, str)

    async def pid():
        place = (await tools_of(servers))["place"]
        return int((await servers.use(place, {})).text.split()[0])

    first = asyncio.run(pid())
    assert first == asyncio.run(pid())
    asyncio.run(servers.aclose())
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    asyncio.run(servers.aclose())


def test_a_closed_one_is_opened_again(here):
    servers = McpServers(here, {}, str)

    async def add():
        return await servers.use((await tools_of(servers))["add"], {"a": 1, "b": 2})

    for _ in range(2):
        assert "3" == asyncio.run(add()).text
        asyncio.run(servers.aclose())


def test_the_end_of_python_ends_the_servers(here):
    command = [sys.executable, "-W", "error", "-c", ENDS_WITHOUT_CLOSING, str(here)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "" == done.stderr
    asyncio.run(asyncio.wait_for(until_gone(int(done.stdout)), 20))


def test_a_change_of_the_file_counts_from_the_next_use_on(write):
    async def main():
        root = write(here={**HERE, "env": {"COLOUR": "red"}})
        async with opened(root) as servers:
            environment = (await tools_of(servers))["environment"]
            before = await servers.use(environment, {"name": "COLOUR"})
            write(here={**HERE, "env": {"COLOUR": "blue"}})
            return before.text, (await servers.use(environment, {"name": "COLOUR"})).text

    assert ("red", "blue") == asyncio.run(main())


def test_a_cancelled_use_is_cancelled_in_the_server(here):
    fifo = here / "fifo"
    os.mkfifo(fifo)

    async def main():
        async with opened(here) as servers:
            wait = (await tools_of(servers))["wait"]
            use = asyncio.create_task(servers.use(wait, {"fifo": str(fifo)}))
            heard = await asyncio.to_thread(fifo.open)
            assert "waits\n" == await asyncio.to_thread(heard.readline)
            use.cancel()
            with closing(heard):
                assert "cancelled\n" == await asyncio.to_thread(heard.readline)
            add = (await tools_of(servers))["add"]
            return (await servers.use(add, {"a": 1, "b": 1})).text

    assert "2" == asyncio.run(main())


def test_a_use_that_takes_too_long_is_cancelled_and_told(write):
    root = write(here=HERE)
    fifo = root / "fifo"
    os.mkfifo(fifo)

    async def main():
        async with opened(root) as servers:
            wait = (await tools_of(servers))["wait"]
            connection = servers._open._connections["here"]
            write(here={**HERE, "timeout": 100})
            hasty = servers._config.server("here")
            connection.server = hasty  # the start was not hasty
            use = asyncio.create_task(servers.use(wait, {"fifo": str(fifo)}))
            heard = await asyncio.to_thread(fifo.open)
            with closing(heard):
                assert "waits\ncancelled\n" == await asyncio.to_thread(heard.read)
            return await use

    result = asyncio.run(main())
    assert result.failed
    assert "No answer within 0.1 s (`timeout` of 'here' in .mcp.json)" in result.text


def test_a_server_that_does_not_get_ready_is_given_up(write):
    quiet = {"command": sys.executable, "args": ["-c", "open(0).read()"], "timeout": 200}
    assert "is not ready after 0.2 s. `timeout` in .mcp.json" in str(refused(write(here=quiet)))


def test_a_server_that_ends_at_once_is_quoted(write):
    failing = {"command": sys.executable, "args": ["-c", "raise SystemExit('no ${WORD}')"]}
    error = refused(write(here=failing), environ={"WORD": "luck"})
    assert str(error).endswith("ended as soon as it was started. It said last:\nno luck")


def test_older_servers_are_understood_and_their_noise_is_not_logged(write, caplog):
    async def main(root):
        async with opened(root) as servers:
            return await servers.tools("here")

    root = write(here={"command": sys.executable, "args": ["-c", OLDER]})
    (tool,) = asyncio.run(main(root))
    assert ("t", "mcp:here older 0.1") == (tool.name, tool.home)
    assert "" == caplog.text


# Over HTTP ----------------------------------------------------------------------------------------


@pytest.fixture
def web(write):
    """A server on loopback, and the folder whose file names it `here`; the key is a variable."""

    def start(**options):
        server = HttpServer(**options)
        headers = {"Authorization": "Bearer ${WEB_PAT}", "X-Who": "${WHO:-us}"}
        return server, write(
            here={"type": "http", "url": server.url, "headers": headers, "timeout": 5000}
        )

    return start


PAT = {"WEB_PAT": HttpServer.key}
PAT_HEADER = {"Authorization": f"Bearer {HttpServer.key}"}


@pytest.mark.parametrize("older", [False, True])
def test_servers_are_spoken_with_over_http_with_their_headers(web, older):
    server, root = web(older=older)
    with closing(server):
        add, picture = used(root, ("add", {"a": 1, "b": 2}), ("picture", {}), environ=PAT)
    assert ("3", 1) == (add.text, len(picture.images))
    assert {"us"} == {each["x-who"] for each in server.requests}


def test_a_key_that_is_not_let_in_is_said_and_not_shown(web):
    server, root = web()
    with closing(server):
        error = refused(root, environ={"WEB_PAT": KEY})
    assert "does not let us in (status 401). Look at `headers` in .mcp.json." in str(error)
    assert KEY not in str(error)


def test_nobody_at_an_address_is_said_and_may_be_tried_again(write):
    error = refused(write(here={"url": "http://user:word@127.0.0.1:1/mcp?key=abc"}))
    assert "cannot be reached at http://127.0.0.1:1/mcp. Is it running?" in str(error)
    assert (True, "connection") == (error.retryable, error.kind)


@pytest.mark.parametrize("older", [False, True])
def test_a_server_that_was_started_anew_is_used_again(web, older):
    server, root = web(older=older)

    async def main():
        async with opened(root, PAT) as servers:
            add = (await tools_of(servers))["add"]
            await asyncio.to_thread(server.close)
            with closing(HttpServer(server.port, older=older)):
                return await servers.use(add, {"a": 1, "b": 2})

    assert "3" == asyncio.run(main()).text


def test_a_web_server_that_dies_fails_the_use_under_way(write, tmp_path):
    command = [sys.executable, "-m", "tests.mcp_server", "web"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{int(server.stdout.readline())}/mcp"
    root = write(here={"url": url, "headers": PAT_HEADER})
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    async def main():
        async with opened(root) as servers:
            wait = (await tools_of(servers))["wait"]
            use = asyncio.create_task(servers.use(wait, {"fifo": str(fifo)}))
            heard = await asyncio.to_thread(fifo.open)
            with closing(heard):
                assert "waits\n" == await asyncio.to_thread(heard.readline)
                server.kill()
            await use

    with server, pytest.raises(ServiceError, match="has gone before it answered"):
        asyncio.run(main())
