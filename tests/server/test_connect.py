"""`%dipeo connect`: the notebook's runs, in the server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from textwrap import dedent

import pytest
from jupyter_client.manager import AsyncKernelManager

import dipeo_jupyter
from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.notebook.commands import obey

from .serving import ASK, QUICK, TOKEN
from .test_kernels import kernel_of

COUNT = """
version: light
nodes:
- {label: start, type: start}
- {label: count, type: job, kernel: true, code: "seen = len(rows)\\nreturn seen"}
- {label: end, type: endpoint}
connections: [{from: start, to: count}, {from: count, to: end}]
"""


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
        return done, set(user._engine._runs.held)

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


def test_a_real_kernel_is_connected_to_its_server_when_told_so_and_its_runs_outlive_it(server):
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


def test_a_kernel_connects_to_its_server_at_its_first_run_by_itself(server):
    code = dedent(
        f"""
        %load_ext dipeo_jupyter
        from dipeo_jupyter.notebook.session import default_session
        import dipeo_jupyter
        print("nothing yet", default_session.cache_info().currsize)
        rows = [1, 2, 3]
        for each in (1, 2):
            run = dipeo_jupyter.run_sync({COUNT!r})
            print(run.outputs, seen)
        print(dipeo_jupyter.attach(run.id) is run, run.id)
        """
    )

    async def main(served):
        async with kernel_of(served) as (kernel_id, _):
            said = await execute(served.app.kernel_manager.get_kernel(kernel_id), code)
        return said.splitlines(), await listed(served)

    (first, *outputs, last), runs = server(main)

    assert first == "nothing yet 0"
    assert outputs == ["{'end': 3} 3", "{'end': 3} 3"]
    assert last.split()[0] == "True"
    assert last.split()[1] in [run for run, _ in runs]


def test_a_kernel_of_no_server_runs_diagrams_itself_and_says_nothing(server, tmp_path):
    elsewhere = f"import os\nos.environ['DIPEO_HOME'] = {str(tmp_path / 'own')!r}\n"
    code = f"{elsewhere}import dipeo_jupyter\nprint(dipeo_jupyter.run_sync({QUICK!r}).outputs)"

    async def main(served):
        manager = AsyncKernelManager(kernel_name="python3")
        await manager.start_kernel()
        try:
            return await execute(manager, code), await listed(served)
        finally:
            await manager.shutdown_kernel(now=True)

    assert server(main) == ("{'end': {'x': 1}}\n", [])


SAVE = """
version: light
nodes:
- {label: start, type: start}
- {label: end, type: endpoint, filePath: said.txt, saveToFile: true}
connections: [{from: start, to: end}]
"""


def test_runs_of_a_notebook_work_in_its_folder_and_are_gone_on_with_there(server):
    code = dedent(
        f"""
        import dipeo_jupyter, os
        run = dipeo_jupyter.start({SAVE!r}, {{"x": "hello"}}, paused=True)
        print(run.id)
        """
    )

    async def main(served):
        folder = Path(served.app.root_dir, "work", "deep")
        folder.mkdir(parents=True)  # noqa: ASYNC240 - nothing else goes on
        async with kernel_of(served, "work/deep") as (kernel_id, _):
            said = await execute(served.app.kernel_manager.get_kernel(kernel_id), code)
        async with served.client() as owner:
            await owner.ask("subscribe", execution_id=said.strip())
            await owner.ask("resume_execution", execution_id=said.strip())
            await owner.until("execution_completed")
        return folder / "said.txt"

    assert "hello" in server(main).read_text()


@pytest.mark.parametrize("hidden", [False, True])
def test_a_notebook_that_the_server_does_not_serve_runs_them_itself(server, tmp_path, hidden):
    code = dedent(
        f"""
        import os
        os.chdir({str(tmp_path)!r} if {not hidden} else os.path.join(os.getcwd(), ".hidden"))
        import dipeo_jupyter
        %load_ext dipeo_jupyter
        print(dipeo_jupyter.run_sync({SAVE!r}, {{"x": "hello"}}).status)
        %dipeo connect auto
        """
    )

    async def main(served):
        Path(served.app.root_dir, ".hidden").mkdir()  # noqa: ASYNC240 - nothing else goes on
        async with kernel_of(served) as (kernel_id, _):
            said = await execute(served.app.kernel_manager.get_kernel(kernel_id), code)
        return said, [run for user in served.users.known for run in user._engine._runs.held]

    said, held = server(main)

    assert said.splitlines()[0] == "completed"
    assert "does not serve this folder" in said
    assert held == []


@pytest.mark.parametrize(
    "folder", ["..", "../x", "/etc", ".ssh", "a/.b", "a/../..", "link", "a\0b", "~root/../.."]
)
def test_a_run_works_nowhere_but_below_the_root(server, folder):
    async def main(served):
        Path(served.app.root_dir, "link").symlink_to("/etc")  # noqa: ASYNC240 - as above
        async with served.client() as owner:
            options = {"diagram": SAVE, "folder": folder}
            asked = ["execute_diagram", "check_diagram", "plan_execution"]
            said = [(await owner.ask(each, **options))["payload"] for each in asked]
        return {each.get("code") for each in said}, await listed(served)

    assert server(main) == ({"bad_folder"}, [])


async def execute(kernel, code):
    """What a kernel prints."""
    client = kernel.client()
    client.start_channels()
    await client.wait_for_ready(timeout=60)
    said = []
    await client.execute_interactive(
        code,
        timeout=60,
        output_hook=lambda message: said.append(_words(message["content"])),
    )
    client.stop_channels()
    return "".join(said)


def _words(content):
    return content.get("text", "") or "".join(content.get("traceback", ()))
