"""kill -9 of the server while several runs go on, are paused, or wait; then another on its port."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from contextlib import asynccontextmanager, closing

import pytest

from dipeo_jupyter.client.address import with_token
from dipeo_jupyter.client.remote import RemoteClient
from dipeo_jupyter.diagram.files import load
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.llm import helper
from tests.openai_server import OpenAIServer

from .serving import OVER, TOKEN
from .test_remote import ASKS, begin

pytestmark = pytest.mark.crash

CHAIN = load(
    """
version: light
persons: {P: {service: openai, model: m}}
nodes:
- {label: start, type: start}
- {label: a, type: person_job, person: P, prompt: "a of {{run}}"}
- {label: b, type: person_job, person: P, prompt: "b of {{run}}"}
- {label: c, type: person_job, person: P, prompt: "c of {{run}}"}
- {label: end, type: endpoint}
connections: [{from: start, to: a}, {from: a, to: b}, {from: b, to: c}, {from: c, to: end}]
"""
)


EXTENSIONS = {
    "dipeo_jupyter": True,
    **dict.fromkeys(("jupyter_lsp", "jupyterlab", "notebook", "notebook_shim"), False),
}
SERVER = """
from dipeo_jupyter.services.llm import helper
from jupyter_server.serverapp import main

helper.command = lambda: {workers!r}
main()
"""


class Fatal(OpenAIServer):
    """Ends who asks for the `nth` time, `before` the answer or right after it."""

    def __init__(self, nth, when, how=signal.SIGKILL):
        self.victim, self._nth, self._when, self.asked = None, nth, when, Counter()
        self._how = how
        super().__init__()

    def _next_step(self, request):
        step = super()._next_step(request)
        self.asked[request.body["messages"][-1]["content"]] += 1
        if self.asked.total() != self._nth:
            return step

        async def fatal(exchange):
            if self._when == "after":
                await step(exchange)
            os.kill(self.victim, self._how)
            if self._how != signal.SIGKILL and self._when == "before":
                await step(exchange)

        return fatal


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a server in a process of its own: `start(**settings)`, each time on the same port."""
    for name in ("DATA_DIR", "RUNTIME_DIR", "CONFIG_DIR", "CONFIG_PATH"):
        monkeypatch.setenv(f"JUPYTER_{name}", str(tmp_path / name))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "ServerApp.jpserver_extensions": str(EXTENSIONS),
        "ServerApp.root_dir": tmp_path,
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": TOKEN,
    }
    processes = []

    def begin(**dipeo):
        given = options | {f"DipeoApp.{name}": value for name, value in dipeo.items()}
        # Its workers begin as those of tests do, and not with seconds of imports.
        command = [sys.executable, "-c", SERVER.format(workers=helper.command())]
        command += [f"--{name}={value}" for name, value in given.items()]
        with (tmp_path / "log").open("ab") as log:
            processes.append(subprocess.Popen(command, stderr=log))
        return processes[-1]

    begin.address = f"http://127.0.0.1:{port}/?token={TOKEN}"
    yield begin
    for each in processes:
        each.kill()
        each.wait()


@asynccontextmanager
async def someone(start):
    client = RemoteClient(with_token(start.address, patience=60))
    try:
        yield client
    finally:
        await client.close()


async def follow(client, run, seen):
    """Hear of a run until nobody holds it, or it is over."""
    async for entry in client.events(run, seen[-1].seq if seen else 0):
        if not entry.event.ephemeral:
            seen.append(entry)


async def status(client, runs):
    listed = {each.execution_id: each for each in (await client.send(c.ListExecutions())).result}
    return [(listed[run].status, listed[run].live) for run in runs]


def events(entries, kind):
    return [entry.event for entry in entries if isinstance(entry.event, kind)]


@pytest.mark.parametrize(
    ("nth", "when", "auto"),
    [(1, "before", True), (2, "after", False), (3, "before", False), (5, "after", True)],
)
def test_a_server_that_is_killed_loses_and_repeats_nothing(start, monkeypatch, nth, when, auto):
    async def main():
        async with someone(start) as client:
            asks = await begin(client, ASKS)
            still = await begin(client, CHAIN, inputs={"run": "still"}, paused=True)
            works = [await begin(client, CHAIN, inputs={"run": f"{n}"}) for n in range(2)]
            runs = [asks, still, *works]
            seen = {run: [] for run in runs}
            following = [asyncio.ensure_future(follow(client, run, seen[run])) for run in runs]
            await asyncio.to_thread(first.wait)
            start(auto_resume=auto)
            found = await status(client, runs)
            for run in (works, [])[auto] + [still]:
                await client.send(c.ResumeExecution(execution_id=run))
            await client.send(c.UserResponse(execution_id=asks, node="name", value="Ann"))
            await asyncio.gather(*following)
            for run in runs:  # nobody held it for a while
                while seen[run][-1].event.type not in OVER:
                    await follow(client, run, seen[run])
            return found, seen

    with closing(Fatal(nth, when)) as model:
        monkeypatch.setenv("OPENAI_API_BASE", model.url)
        first = start()
        model.victim = first.pid
        found, seen = asyncio.run(main())

    assert found[:2] == [("waiting", auto), ("paused", False)]
    assert auto or found[2:] == [("paused", False)] * 2
    for entries in seen.values():
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert entries[-1].event.type == "execution_completed"
    done = [each for entries in seen.values() for each in events(entries, e.EffectCompleted)]
    assert not [each for each in done if each.reused]
    # Two runs were at work: so many questions may have been under way.
    assert set(model.asked.values()) <= {1, 2}
    assert model.asked.total() <= 9 + 2
    for entries in seen.values():
        assert_nothing_known_is_asked_again(entries, model.asked)


@pytest.mark.parametrize("auto", [True, False])
def test_a_server_that_is_told_to_end_lets_end_what_it_has_begun(start, monkeypatch, auto):
    async def main():
        async with someone(start) as client:
            asks = await begin(client, ASKS)
            works = [await begin(client, CHAIN, inputs={"run": f"{n}"}) for n in range(2)]
            seen = {run: [] for run in (asks, *works)}
            following = [asyncio.ensure_future(follow(client, run, seen[run])) for run in seen]
            code = await asyncio.to_thread(first.wait)
            start(auto_resume=auto)
            for run in () if auto else works:
                await client.send(c.ResumeExecution(execution_id=run))
            await client.send(c.UserResponse(execution_id=asks, node="name", value="Ann"))
            await asyncio.gather(*following)
            for run, heard in seen.items():
                while heard[-1].event.type not in OVER:
                    await follow(client, run, heard)
            return code, seen

    with closing(Fatal(3, "before", signal.SIGTERM)) as model:
        monkeypatch.setenv("OPENAI_API_BASE", model.url)
        first = start(drain_seconds=30)
        model.victim = first.pid
        code, seen = asyncio.run(main())

    assert code == 0
    for entries in seen.values():
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert entries[-1].event.type == "execution_completed"
    assert set(model.asked.values()) == {1}
    assert model.asked.total() == 6


def assert_nothing_known_is_asked_again(entries, asked):
    name = entries[0].event.inputs.get("run")
    recovered = next(x.seq for x in entries if isinstance(x.event, e.ExecutionRecovered))
    for each in events(entries[:recovered], e.EffectCompleted):
        if name is not None:
            assert asked[f"{each.node} of {name}"] == 1
