"""Kernels find the server that has started them, and get in without a token; nobody else does."""

from __future__ import annotations

import json
import os
from contextlib import asynccontextmanager
from pathlib import Path
from time import time

import pytest

from dipeo_jupyter.client.discovery import Notice, put_up, servers_for
from dipeo_jupyter.client.kernel_proof import HEADER, Examiner, prove
from dipeo_jupyter.client.remote import RemoteClient
from dipeo_jupyter.diagram.files import load
from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.protocol import commands as c

from .people import PEOPLE
from .serving import QUICK, TOKEN
from .test_access import knock

KEYS = {"k1": b"secret", "empty": b""}


@pytest.fixture
def examiner():
    return Examiner("this one", KEYS.get)


def test_a_proof_opens_once(examiner):
    proof = prove(b"secret", "k1", "this one")

    assert [examiner.kernel_of(proof) for _ in range(2)] == ["k1", None]


@pytest.mark.parametrize(
    "proof",
    [
        "",
        "k1:1:2",
        "k1:now:nonce:0",
        "k1:１:nonce:0",
        prove(b"other", "k1", "this one"),
        prove(b"secret", "k1", "another one"),
        prove(b"secret", "k2", "this one"),
        prove(b"", "empty", "this one"),
        prove(b"secret", "k1", "this one")[:-1] + "x",
        prove(b"secret", "k1", "this one").replace("k1", "k2"),
    ],
)
def test_what_proves_nothing_opens_nothing(examiner, proof):
    assert examiner.kernel_of(proof) is None


@pytest.mark.parametrize(("later", "kernel"), [(30, "k1"), (90, None), (-90, None)])
def test_a_proof_opens_for_a_minute(examiner, later, kernel):
    proof = prove(b"secret", "k1", "this one")

    assert examiner.kernel_of(proof, time() + later) == kernel


@asynccontextmanager
async def kernel_of(served, folder=""):
    """A kernel of the server, for a notebook in this folder: the connection file that it has."""
    kernels = served.app.kernel_manager
    kernel_id = await kernels.start_kernel(path=folder)
    try:
        yield kernel_id, Path(kernels.get_kernel(kernel_id).connection_file)
    finally:
        await kernels.shutdown_kernel(kernel_id, now=True)


def test_a_kernel_finds_its_server_and_runs_a_diagram_there(server):
    async def main(served):
        async with kernel_of(served) as (_, file):
            for found in servers_for(file, {"JPY_PARENT_PID": "1"}):
                client = RemoteClient(found)
                ack = await client.send(c.ExecuteDiagram(diagram=load(QUICK)))
                events = [entry.event.type async for entry in client.events(ack.execution_id)]
                listed = (await client.send(c.ListExecutions())).result
                await client.close()
        async with served.client() as owner:
            seen = await owner.ask("get_execution", execution_id=listed[0].execution_id)
            return events[-1], seen["type"]

    assert server(main) == ("execution_completed", "ack")


def test_a_kernel_that_has_ended_is_let_in_no_more(server):
    async def main(served):
        async with kernel_of(served) as (_, file):
            (found,) = servers_for(file, {})
            client = RemoteClient(found)
            await client.send(c.ListExecutions())
        with pytest.raises(CommandError) as caught:
            await client.send(c.ListExecutions())
        await client.close()
        return caught.value.code

    assert server(main) == "forbidden"


def test_neither_a_token_nor_a_page_opens_the_door_for_kernels(server):
    async def main(served):
        async with kernel_of(served) as (kernel_id, file):
            url = served.url.replace("dipeo/ws", "dipeo/kernel/ws")
            key = json.loads(file.read_text())["key"].encode()
            instance = served.extension._identity
            tries = [
                {"Authorization": f"token {TOKEN}"},
                {
                    HEADER: prove(key, kernel_id, instance),
                    "Origin": f"http://127.0.0.1:{served.app.port}",
                },
                {HEADER: prove(key, kernel_id, "another")},
                {HEADER: prove(key, kernel_id, instance)},
            ]
            return [await knock(url, **headers) for headers in tries]

    assert server(main) == [403, 403, 403, 101]


def test_where_people_are_told_apart_kernels_stay_outside(server):
    async def main(served):
        async with kernel_of(served) as (_, file):
            (found,) = servers_for(file, {})
            client = RemoteClient(found)
            with pytest.raises(CommandError) as caught:
                await client.send(c.ListExecutions())
            await client.close()
            return caught.value.code

    assert server(main, config=PEOPLE) == "forbidden"


def test_the_notice_is_private_has_no_token_and_goes_with_the_server(server):
    async def main(served):
        path = served.extension._notice
        return path, path.stat().st_mode & 0o777, path.read_text()

    path, mode, text = server(main)

    assert mode == 0o600
    assert TOKEN not in text
    assert not path.exists()


@pytest.fixture
def kernel(tmp_path):
    file = tmp_path / "kernel-abc.json"
    file.write_text('{"key": "secret"}')
    return file


def notice(pid=1, **fields):
    url = "ws://127.0.0.1:1/dipeo/kernel/ws"
    return Notice(url=url, root="/", pid=pid, instance="i", **fields)


def test_the_notice_of_the_parent_comes_first(kernel, tmp_path):

    for pid in (os.getppid(), os.getpid()):
        put_up(tmp_path, notice(pid, certificates=str(pid)))

    found = [
        each.certificates for each in servers_for(kernel, {"JPY_PARENT_PID": str(os.getppid())})
    ]

    assert found == [str(os.getppid()), str(os.getpid())]


def test_a_notice_that_others_could_have_written_is_not_read(kernel, tmp_path):
    put_up(tmp_path, notice()).chmod(0o644)

    assert list(servers_for(kernel, {})) == []


def test_a_notice_of_a_process_that_is_gone_is_not_followed(kernel, tmp_path):
    put_up(tmp_path, notice(2**22 + 1))

    assert list(servers_for(kernel, {})) == []


@pytest.mark.parametrize("text", ["", "{}", '{"key": ""}', "[]"])
def test_a_kernel_without_a_key_looks_for_nobody(kernel, tmp_path, text):
    put_up(tmp_path, notice())
    kernel.write_text(text)

    assert list(servers_for(kernel, {})) == []
