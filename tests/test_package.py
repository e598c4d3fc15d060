"""The package as a whole: what importing it costs, what it exports, who may import whom."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import dipeo_jupyter

ROOT = Path(__file__).parent.parent
HEAVY = ["litellm", "tornado", "ipywidgets", "pydantic", "asyncio", "httpx", "notion_client"]
"""What nobody should pay for who has not run a diagram yet."""


def fresh(code):
    """Run code in a fresh Python; the JSON that it prints last."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    return json.loads(done.stdout.splitlines()[-1])


IMPORT = """
import json, sys
bare, sockets = set(sys.modules), []
sys.addaudithook(lambda event, _: sockets.append(event) if event.startswith("socket.") else None)
import dipeo_jupyter
assert dipeo_jupyter.__version__
print(json.dumps([sorted(set(sys.modules) - bare), sockets]))
"""
# Every kernel and every terminal has a loop, and so asyncio.
EXTENSION = """
import asyncio, json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
bare, sockets = set(sys.modules), []
sys.addaudithook(lambda event, _: sockets.append(event) if event.startswith("socket.") else None)
shell.run_line_magic("load_ext", "dipeo_jupyter")
print(json.dumps([sorted(set(sys.modules) - bare), sockets]))
"""


@pytest.fixture(scope="module")
def imported():
    return fresh(IMPORT)


@pytest.fixture(scope="module")
def extended():
    return fresh(EXTENSION)


@pytest.mark.parametrize("module", HEAVY)
def test_importing_the_package_loads_nothing_heavy(imported, module):
    assert module not in imported[0]


@pytest.mark.parametrize("module", ["litellm", "tornado", "ipywidgets", "pydantic", "httpx"])
def test_loading_the_extension_loads_nothing_heavy(extended, module):
    assert module not in extended[0]


def test_neither_opens_a_socket(imported, extended):
    assert (imported[1], extended[1]) == ([], [])


def test_both_load_few_modules_over_what_is_there(imported, extended):
    assert len(imported[0]) <= 15, imported[0]
    assert len(extended[0]) <= 15, extended[0]


def test_every_public_name_can_be_had():
    for name in dipeo_jupyter.__all__:
        thing = getattr(dipeo_jupyter, name)
        assert thing.__module__.startswith("dipeo_jupyter.")
        assert thing.__doc__


def test_the_public_names_are_sorted_and_listed():
    names = dipeo_jupyter.__all__

    assert names == sorted(names)
    assert set(names) == set(dipeo_jupyter._HOMES)
    assert set(names) <= set(dir(dipeo_jupyter))


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'dipeo_jupyter' has no attribute 'rnu'"):
        dipeo_jupyter.rnu  # noqa: B018


def test_imports_go_downwards_only():
    # In a process of its own: it silences all loggers there are.
    lint = (
        "from importlinter.cli import lint_imports as lint; raise SystemExit(lint(no_cache=True))"
    )
    command = [sys.executable, "-c", lint]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_part_of_the_package_has_a_layer():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = {name for line in contract["contracts"][0]["layers"] for name in line.split(" | ")}
    parts = [path for path in (ROOT / "dipeo_jupyter").iterdir() if path.name[0] not in "._"]
    made = {"static"}  # by the front end's build
    names = {path.stem for path in parts if path.is_dir() or path.suffix == ".py"} - made

    assert layers == {f"dipeo_jupyter.{name}" for name in names - {"__init__"}}


def test_only_the_settings_read_the_environment():
    source = ROOT / "dipeo_jupyter"
    readers = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if "os.environ" in path.read_text(encoding="utf-8")
    }

    # litellm is told by variables; and a job has those that it is given.
    exempt = {"services/llm/loading.py", "services/sandbox/python_driver.py"}
    assert readers <= {"settings.py", *exempt}
