"""The Jupyter server finds the extension, loads it, and says so."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import websockets
from jupyter_server.extension.manager import ExtensionPackage
from websockets.sync.client import connect

import dipeo_jupyter

from .network import wire_to
from .serving import OVER, QUICK, TOKEN
from .test_websocket import started

CONFIG = Path(__file__).parents[2] / "jupyter-config" / "jupyter_server_config.d"


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """A Jupyter that knows our configuration and nothing of this machine."""
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "jupyter_server_config.d").symlink_to(CONFIG)
    for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_PATH", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(folder))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")


def test_the_configuration_switches_the_extension_on():
    config = json.loads((CONFIG / "dipeo_jupyter.json").read_text())

    assert config == {"ServerApp": {"jpserver_extensions": {"dipeo_jupyter": True}}}


def test_the_package_is_a_valid_extension_package():
    package = ExtensionPackage(name="dipeo_jupyter", enabled=True)

    assert package.validate()
    assert package.version == dipeo_jupyter.__version__
    assert list(package.extension_points) == ["dipeo_jupyter"]


@pytest.mark.parametrize("freeze", [True, False])
def test_what_was_loaded_at_the_start_holds_nobody_up_later(server, freeze):
    before = gc.get_threshold()

    async def main(_):
        return gc.get_freeze_count() > 0, gc.get_threshold()[2] > before[2]

    try:
        assert server(main, freeze=freeze) == (freeze, freeze)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_what_calculates_beside_the_event_loop_lets_it_have_python_soon(server):
    before = sys.getswitchinterval()

    async def main(_):
        return sys.getswitchinterval()

    try:
        assert server(main) == before
        assert server(main, switch_interval=0.0005) == pytest.approx(0.0005)
        assert server(main, switch_interval=1) == pytest.approx(0.0005), "it is never made longer"
    finally:
        sys.setswitchinterval(before)


def test_jupyter_lists_the_extension_as_enabled_and_ok(environment):
    command = [sys.executable, "-m", "jupyter", "server", "extension", "list"]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    said = re.sub(r"\x1b\[\d*m", "", done.stdout + done.stderr)
    assert "dipeo_jupyter enabled" in said
    assert f"dipeo_jupyter {dipeo_jupyter.__version__} OK" in said


@pytest.mark.parametrize("program", ["jupyter_server", "jupyterlab", "notebook"])
def test_each_jupyter_program_serves_diagrams_once_it_is_installed(environment, tmp_path, program):
    pytest.importorskip(program)
    root = tmp_path / "root"
    root.mkdir()
    command = [sys.executable, "-m", program, "--no-browser", "--allow-root"]
    options = ["ip=127.0.0.1", "port=0", f"root_dir={root}", "base_url=/a/b/"]
    command += [f"--ServerApp.{each}" for each in options]
    command += [f"--IdentityProvider.token={TOKEN}", "--DipeoApp.runs_at_once=1"]
    said, outputs = [], []

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            for line in server.stderr:
                said.append(line)
                if found := re.search(r"runs diagrams of (\S+): http(\S+)", line):
                    assert found[1] == str(root)
                    outputs.append(run_there(f"ws{found[2]}"))
                    server.terminate()
        except BaseException:
            server.kill()
            raise

    assert outputs == [{"end": {"x": 1}}]
    assert server.returncode == 0
    assert "dipeo_jupyter | extension was successfully loaded." in "".join(said)
    assert "Traceback" not in "".join(said)


def run_there(url):
    """The outputs of a run, made over a plain WebSocket."""
    headers = {"Authorization": f"token {TOKEN}"}
    with connect(url, additional_headers=headers, proxy=None) as socket:
        socket.send(json.dumps({"type": "execute_diagram", "diagram": QUICK}))
        while (frame := json.loads(socket.recv(30)))["type"] not in (*OVER, "error"):
            pass
    return frame["payload"].get("outputs", frame)


def test_it_works_below_a_base_url_and_behind_a_proxy(server):
    async def main(served):
        async with wire_to(served.app.port) as wire:
            port = wire.port
            there = served.url.replace(str(served.app.port), str(port))
            # A page that came through the proxy.
            headers = {"Origin": f"http://127.0.0.1:{port}", "Authorization": f"token {TOKEN}"}
            async with websockets.connect(there, additional_headers=headers, proxy=None) as socket:
                return there, json.loads(await socket.recv())

    url, hello = server(main, config={"ServerApp": {"base_url": "/user/ann/"}})

    assert url.endswith("/user/ann/dipeo/ws")
    assert hello["type"] == "connected"


def test_the_settings_of_the_extension_can_be_given_on_the_command_line(server):
    async def main(served):
        return served.users.settings, served.users.limits

    settings, limits = server(main, "--DipeoApp.runs_at_once=3", "--DipeoApp.root=/tmp")

    assert (settings.root, limits.runs_at_once) == (Path("/tmp"), 3)  # noqa: S108 - nothing is written


def test_runs_are_kept_below_the_root_of_the_server(server, monkeypatch, tmp_path):
    monkeypatch.delenv("DIPEO_HOME")

    async def main(served):
        return served.users.settings.home

    assert server(main) == tmp_path / "root" / ".dipeo"


def test_a_server_that_runs_something_is_not_idle(server):
    async def main(served):
        async with served.client() as client:
            before = served.extension.current_activity()
            run = await started(client)
            return before, run, served.extension.current_activity()

    before, run, now = server(main)

    assert (before, now) == (None, [run])


def test_stopping_tells_everyone_and_leaves_runs_that_can_be_gone_on_with(server):
    async def main(served):
        async with served.client() as client:
            run = await started(client)
            await client.until("input_required")
            stopping = asyncio.ensure_future(served.app._cleanup())
            code, _ = await client.closed()
            await stopping
            return run, code

    async def again(served):
        async with served.client() as client:
            await client.ask("resume_execution", execution_id=run)
            await client.ask("user_response", execution_id=run, node="name", value="Ann")
            await client.ask("subscribe", execution_id=run)
            return await client.until(*OVER)

    run, code = server(main)

    assert code == 1012
    assert server(again)["payload"]["outputs"] == {"end": "Ann"}


def test_with_auto_resume_a_server_goes_on_where_the_last_one_stopped(server):
    async def main(served):
        async with served.client() as client:
            asked = await started(client)
            await client.until("input_required")
            paused = await started(client, paused=True)
            return asked, paused

    async def again(served):
        async with served.client() as client:
            listed = (await client.ask("list_executions"))["payload"]["result"]
            return {each["execution_id"]: (each["status"], each["live"]) for each in listed}

    asked, paused = server(main)
    found = server(again, auto_resume=True)

    assert found == {asked: ("waiting", True), paused: ("paused", False)}
