"""`%dipeo connect`: the notebook's runs, in the server."""

from __future__ import annotations

import asyncio
from textwrap import dedent

import pytest

import dipeo_jupyter
from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.notebook.commands import obey

from .serving import ASK, QUICK, TOKEN
from .test_kernels import kernel_of


async def listed(served):
    async with served.client() as owner:
        found = (await owner.ask("list_executions"))["payload"]["result"]
        return [(each["execution_id"], each["live"]) for each in found]


def test_what_is_run_after_connecting_runs_in_the_server(server, monkeypatch, capsys):
    monkeypatch.setenv("JUPYTER_TOKEN", TOKEN)

    def notebook(address):
        obey(f"connect {address}", {})
        run = dipeo_jupyter.run_sync(ASK, answers={"name": "Ann"})
        again = dipeo_jupyter.get(run.id)
        obey("connect embedded", {})
        here = dipeo_jupyter.run_sync(QUICK)
        return run.id, run.outputs, again is run, here.id

    async def main(served):
        done = await asyncio.to_thread(notebook, f"http://127.0.0.1:{served.app.port}")
        user = served.users.known[0]
        return done, set(user._engine._executions)

    (run, outputs, same, here), there = server(main)
    said = capsys.readouterr().out

    assert outputs == {"end": "Ann"}
    assert same
    assert run in there
    assert here not in there
    assert "Diagrams run in the Jupyter server at ws://127.0.0.1" in said
    assert "Diagrams run in this process." in said
    assert TOKEN not in said


def test_an_address_that_does_not_let_in_changes_nothing(server, monkeypatch):
    monkeypatch.setenv("JUPYTER_TOKEN", "wrong")

    def notebook(address):
        with pytest.raises(CommandError, match="does not let you in"):
            obey(f"connect {address}", {})
        return dipeo_jupyter.run_sync(QUICK).outputs

    async def main(served):
        return await asyncio.to_thread(notebook, f"http://127.0.0.1:{served.app.port}")

    assert server(main) == {"end": {"x": 1}}


def test_outside_a_kernel_of_a_server_auto_means_here(capsys):
    obey("connect auto", {})

    assert capsys.readouterr().out == (
        "No server was found that has started this kernel. Diagrams run in this process.\n"
    )


def test_a_real_kernel_connects_to_its_server_by_itself_and_its_runs_outlive_it(server):
    code = dedent(
        f"""
        %load_ext dipeo_jupyter
        %dipeo connect auto
        import dipeo_jupyter
        run = dipeo_jupyter.start({ASK!r})
        print(dipeo_jupyter.run_sync({QUICK!r}).outputs, run.id)
        """
    )

    async def main(served):
        async with kernel_of(served) as (kernel_id, _):
            said = await execute(served.app.kernel_manager.get_kernel(kernel_id), code)
        return said, await listed(served)

    said, runs = server(main)

    assert "/dipeo/kernel/ws" in said
    assert "{'end': {'x': 1}}" in said
    waiting = said.split()[-1]
    assert (waiting, True) in runs


async def execute(kernel, code):
    """What a kernel prints."""
    client = kernel.client()
    client.start_channels()
    await client.wait_for_ready(timeout=60)
    said = []
    await client.execute_interactive(
        code,
        timeout=60,
        output_hook=lambda message: said.append(message["content"].get("text", "")),
    )
    client.stop_channels()
    return "".join(said)
