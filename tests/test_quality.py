"""The house rules that tools can see."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.timeout(600)  # mypy without its cache
@pytest.mark.parametrize(
    "command",
    ["ruff check .", "ruff format --check .", "mypy"],
    ids=["lint", "format", "types"],
)
def test_the_code_keeps_the_rules_of_the_house(command):
    tool, *arguments = command.split()
    program = shutil.which(tool, path=sysconfig.get_path("scripts"))
    assert program, f"{tool} is not installed beside this Python"

    done = subprocess.run(
        [program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
