"""What only a kernel can do, it does for the runs that it has started in the server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from dipeo_jupyter.app import build_services
from dipeo_jupyter.client.discovery import servers_for
from dipeo_jupyter.client.kernel_side import KernelSide
from dipeo_jupyter.client.remote import RemoteClient
from dipeo_jupyter.diagram.files import load
from dipeo_jupyter.errors import CommandError, DiagramError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.tools import Functions
from dipeo_jupyter.settings import Settings
from tests.steering import REAL_MODELS

from .test_kernels import kernel_of

COUNT = """
version: light
nodes:
- {label: start, type: start}
- label: count
  type: job
  kernel: true
  code: |
    print("counting")
    calls.append(topic)
    seen = len(rows)
    return seen
- {label: end, type: endpoint}
connections: [{from: start, to: count}, {from: count, to: end}]
"""
WAIT = COUNT.replace("seen = len(rows)", "begin()\n    seen = wait()")
FAIL = COUNT.replace("seen = len(rows)", "seen = rows / 2")


class Notebook:
    """A kernel of the server, as far as the server can tell: it has the key of one."""

    def __init__(self, server, root, environ=None):
        self.names = {"rows": [1, 2, 3], "calls": []}
        self.functions = Functions()
        services = build_services(
            Settings(root=root, environ=environ or {}), self.functions, lambda: self.names
        )
        self.lent = {}
        side = KernelSide(services, self.functions.offered, "a.ipynb", lambda: self.lent)
        self.client = RemoteClient(server, side)

    async def start(self, diagram, **options):
        inputs = {"topic": "cats"}
        command = c.ExecuteDiagram(diagram=load(diagram), inputs=inputs, **options)
        return (await self.client.send(command)).execution_id

    async def end(self, execution_id, after=0):
        """The last event of a run, and what was told of its progress."""
        told = []
        async for entry in self.client.events(execution_id, after):
            if isinstance(entry.event, e.NodeProgress):
                told.append(entry.event.message)
        return entry.event, told

    async def run(self, diagram):
        return await self.end(await self.start(diagram))


@asynccontextmanager
async def notebook_of(served, tmp_path, **options):
    async with kernel_of(served) as (_, file):
        (server,) = servers_for(file, {})
        notebook = Notebook(server, tmp_path, **options)
        try:
            yield notebook
        finally:
            await notebook.client.close()


@pytest.fixture
def notebook(server, tmp_path):
    """Run a test's `async` part with a server and a notebook: `notebook(main, **settings)`."""

    def run(main, **options):
        async def inside(served):
            async with notebook_of(served, tmp_path) as found:
                return await main(served, found)

        return server(inside, **options)

    return run


def gate(names):
    """Names by which a job says that it has begun, and waits until it is let through."""
    begun, go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    names["begin"] = lambda: loop.call_soon_threadsafe(begun.set)
    names["wait"] = lambda: asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
    return begun, go


def test_a_job_runs_among_the_names_of_the_kernel_that_has_started_it(notebook):
    async def main(served, own):
        end, told = await own.run(COUNT)
        return end.outputs, told, own.names["seen"]

    assert notebook(main) == ({"end": 3}, ["counting"], 3)


def test_its_error_is_told_as_that_of_any_other_job(notebook):
    async def main(served, own):
        end, _ = await own.run(FAIL)
        return end.error

    error = notebook(main)

    assert "TypeError" in error.message
    assert "line 3 of the code" in error.message
    assert "seen = rows / 2" in error.details


def test_nobody_elses_kernel_is_asked(notebook, tmp_path):
    async def main(served, own):
        async with notebook_of(served, tmp_path) as other:
            await other.client.send(c.ListExecutions())
            other.names["rows"] = [1]
            end, _ = await own.run(COUNT)
            return end.outputs, own.names["calls"], other.names["calls"]

    assert notebook(main) == ({"end": 3}, ["cats"], [])


def test_without_a_kernel_it_is_refused_before_anything_runs(server):
    async def main(served):
        async with served.client() as client:
            return await client.ask("execute_diagram", diagram=COUNT)

    refused = server(main)

    assert refused["payload"]["code"] == "bad_diagram"
    assert "needs a notebook" in refused["payload"]["message"]


def test_only_a_kernel_may_say_what_kernels_say(server):
    async def main(served):
        async with served.client() as client:
            offer = await client.ask("offer_kernel", process="0" * 32, notebook=True)
            outcome = {"type": "job_done", "value": 1}
            reply = await client.ask("kernel_reply", number="1", outcome=outcome)
            return [each["payload"]["code"] for each in (offer, reply)]

    assert server(main) == ["no_kernel", "no_kernel"]


def test_a_job_goes_on_while_its_connection_is_lost_and_is_done_once(notebook):
    async def main(served, own):
        begun, go = gate(own.names)
        run = await own.start(WAIT)
        await begun.wait()
        for _ in range(5):
            own.client._link._socket.close()
            await asyncio.sleep(0)
            await own.client.send(c.GetExecution(execution_id=run))
        go.set()
        end, _ = await own.end(run)
        return end.outputs, own.names["calls"]

    assert notebook(main) == ({"end": True}, ["cats"])


def test_cancelling_the_run_stops_the_job_in_the_kernel(notebook):
    code = "try:\n        begin()\n        while True: pass\n    finally:\n        stop()"
    endless = COUNT.replace("seen = len(rows)", code)

    async def main(served, own):
        begun, _ = gate(own.names)
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        own.names["stop"] = lambda: loop.call_soon_threadsafe(stopped.set)
        run = await own.start(endless)
        await begun.wait()
        await own.client.send(c.CancelExecution(execution_id=run))
        await asyncio.wait_for(stopped.wait(), 10)
        return (await own.client.send(c.GetExecution(execution_id=run))).result.status

    assert notebook(main) == "cancelled"


def test_a_kernel_that_is_gone_fails_the_node_and_another_goes_on(server, tmp_path):
    async def main(served):
        async with notebook_of(served, tmp_path) as first:
            begun, go = gate(first.names)
            run = await first.start(WAIT)
            await begun.wait()
            await first.client.close()
            go.set()
        async with notebook_of(served, tmp_path) as second:
            gate(second.names)[1].set()
            failed, _ = await second.end(run)
            await second.client.send(c.ResumeExecution(execution_id=run))
            end, _ = await second.end(run)
            return failed.error.message, end.outputs, second.names["calls"]

    message, outputs, calls = server(main, kernel_patience=0.1)

    assert "needs the kernel of a.ipynb" in message
    assert "dipeo.resume(id)" in message
    assert (outputs, calls) == ({"end": True}, ["cats"])


def test_a_kernel_that_is_restarted_is_another_one_at_once(server, tmp_path):
    async def main(served):
        async with kernel_of(served) as (_, file):
            (address,) = servers_for(file, {})
            first, second = (Notebook(address, tmp_path) for _ in range(2))
            begun, go = gate(first.names)
            run = await first.start(WAIT)
            await begun.wait()
            await second.client.send(c.ListExecutions())
            failed, _ = await second.end(run)
            go.set()
            for each in (first, second):
                await each.client.close()
            return failed.error.message, second.names["calls"]

    message, calls = server(main)

    assert "needs the kernel of a.ipynb, which has started the run and was restarted" in message
    assert calls == []


def test_many_calls_at_once_are_no_flood(notebook):
    nodes = "".join(
        f"- {{label: n{n}, type: job, kernel: true, code: calls.append({n})}}\n" for n in range(300)
    )
    edges = "".join(f"- {{from: start, to: n{n}}}\n" for n in range(300))
    wide = f"version: light\nnodes:\n- {{label: start, type: start}}\n{nodes}connections:\n{edges}"

    async def main(served, own):
        end, _ = await own.run(wide)
        return end.type, sorted(own.names["calls"])

    assert notebook(main) == ("execution_completed", list(range(300)))


def test_an_attached_kernel_is_asked_from_then_on(notebook, tmp_path):
    async def main(served, own):
        run = await own.start(COUNT, paused=True)
        async with notebook_of(served, tmp_path) as other, served.client() as owner:
            await other.client.attach(run)
            await owner.ask("resume_execution", execution_id=run)
            await other.end(run)
            return own.names["calls"], other.names["calls"]

    assert notebook(main) == ([], ["cats"])


ASK = """
version: light
persons: {Ann: {service: openai, model: gpt-4.1-nano}}
nodes:
- {label: start, type: start}
- {label: ask, type: person_job, person: Ann, prompt: How much?, tools: [price]}
- {label: end, type: endpoint}
connections: [{from: start, to: ask}, {from: ask, to: end}]
"""


def test_a_function_that_is_missing_is_known_before_anything_was_paid_for(notebook):
    async def main(served, own):
        with pytest.raises(DiagramError) as missing:
            await own.start(ASK)
        own.functions.add(lambda: 3, "price")
        checked = await own.client.send(c.CheckDiagram(diagram=load(ASK)))
        return str(missing.value), [each.code for each in checked.result]

    missing, codes = notebook(main)

    assert "There is no function 'price' among the tools of the kernel of a.ipynb" in missing
    assert "missing_tool" not in codes


@REAL_MODELS
def test_a_model_uses_a_function_of_the_kernel_through_the_server(
    notebook, openai_server, tmp_path
):
    openai_server.call(("price", {"of": "tea"}))
    openai_server.reply("Three.")

    def price(of: str) -> int:
        """What something costs."""
        return {"tea": 3}[of]

    async def main(served, own):
        own.functions.add(price)
        return (await own.run(ASK))[0].outputs

    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("DIPEO_OPENAI_API_BASE", openai_server.url)
        environ.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdef")
        outputs = notebook(main)
    asked = openai_server.requests

    assert outputs == {"end": "Three."}
    assert asked[0].body["tools"][0]["function"]["description"] == "What something costs."
    assert asked[1].body["messages"][-1]["content"] == "3"


ANN = ASK.replace(", tools: [price]", "")
KEY = "sk-canary-0123456789abcdef"


@REAL_MODELS
def test_runs_use_the_keys_of_their_notebook_as_they_are_when_it_goes_on(
    notebook, openai_server, caplog
):
    caplog.set_level("DEBUG")

    async def main(served, own):
        own.lent = {"DIPEO_OPENAI_API_BASE": openai_server.url, "OPENAI_API_KEY": KEY}
        await own.run(ANN)
        run = await own.start(ANN.replace("much", "many"), paused=True)
        own.lent = {**own.lent, "OPENAI_API_KEY": f"{KEY}2"}
        await own.client.send(c.ResumeExecution(execution_id=run))
        await own.end(run)
        async with served.client() as owner:  # it has none of its own
            told = await owner.ask("execute_diagram", diagram=ANN, folder="")
            failed = await owner.until("execution_failed")
            listed = await owner.ask("list_executions")
        journal = (served.users.settings.home / "journal.db").read_bytes()
        return f"{told} {failed} {listed}", journal

    said, journal = notebook(main)

    assert [each.key for each in openai_server.requests] == [KEY, f"{KEY}2"]
    assert "No key for openai" in said
    assert KEY not in said + caplog.text
    assert KEY.encode() not in journal


def test_nothing_but_keys_and_addresses_is_lent(notebook):
    async def main(served, own):
        own.lent = {"PATH": "/bin", "DIPEO_ROOT": "/", "DIPEO_REDIS_URL": "x", "XAI_API_KEY": "k"}
        await own.run(COUNT)
        desk = next(iter(served.users.known[0]._desks.values()))
        return dict(desk.environ)

    assert notebook(main) == {"XAI_API_KEY": "k"}


@REAL_MODELS
def test_people_are_asked_whether_a_call_is_repeated_whose_kernel_is_gone(
    server, openai_server, tmp_path, monkeypatch
):
    openai_server.call(("price", {}))
    openai_server.reply("Three.")
    monkeypatch.setenv("DIPEO_OPENAI_API_BASE", openai_server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdef")

    async def main(served):
        begun, calls = asyncio.Event(), []

        async def price() -> int:
            calls.append(1)
            begun.set()
            return await asyncio.get_running_loop().create_future()

        async with notebook_of(served, tmp_path) as first:
            first.functions.add(price)
            run = await first.start(ASK)
            await begun.wait()
            await first.client.close()
        async with notebook_of(served, tmp_path) as second:
            second.functions.add(lambda: 3, "price")
            failed, _ = await second.end(run)
            await second.client.send(c.ResumeExecution(execution_id=run))
            async for entry in second.client.events(run):
                if isinstance(entry.event, e.InputRequired):
                    answer = c.UserResponse(execution_id=run, node="ask", value="repeat")
                    await second.client.send(answer)
                    question = entry.event.question.prompt
            return failed.error.message, question, entry.event.outputs, calls

    message, question, outputs, calls = server(main, kernel_patience=0.1)

    assert "needs the kernel of a.ipynb" in message
    assert "The tool 'price' was under way" in question
    assert (outputs, calls) == ({"end": "Three."}, [1])


def test_to_attach_takes_a_run_that_is_there(notebook):
    async def main(served, own):
        with pytest.raises(CommandError) as caught:
            await own.client.attach("exec_NONE")
        return caught.value.code

    assert notebook(main) == "unknown_execution"
