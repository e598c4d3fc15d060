"""The Jupyter server finds the extension, loads it, and says so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_server.extension.manager import ExtensionPackage

import dipeo_jupyter

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


def test_jupyter_lists_the_extension_as_enabled_and_ok(environment):
    command = [sys.executable, "-m", "jupyter", "server", "extension", "list"]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    said = re.sub(r"\x1b\[\d*m", "", done.stdout + done.stderr)
    assert "dipeo_jupyter enabled" in said
    assert f"dipeo_jupyter {dipeo_jupyter.__version__} OK" in said


def test_a_server_loads_the_extension_and_says_so(environment, tmp_path):
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root"]
    options = ["--ServerApp.port=0", f"--ServerApp.root_dir={tmp_path}"]
    said = []

    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as server:
        for line in server.stderr:
            said.append(line)
            if "is running at" in line:
                server.terminate()

    assert "dipeo_jupyter | extension was successfully loaded." in "".join(said)
    assert "dipeo_jupyter is loaded; diagrams run in the kernel" in "".join(said)
