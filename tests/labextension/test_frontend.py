"""The front end: its own tests, and what of it is made from Python."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dipeo_jupyter.client.trust_words import words
from dipeo_jupyter.diagram.drawing.for_browsers import signs

FRONT_END = Path(__file__).parents[2] / "labextension"


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_the_front_end_passes_its_own_tests():
    npm = shutil.which("npm")
    if npm is None or not (FRONT_END / "node_modules").is_dir():
        pytest.skip(
            f"NO TEST OF THE FRONT END WAS RUN: that takes Node, and `npm ci` in {FRONT_END}"
        )

    done = subprocess.run([npm, "test"], cwd=FRONT_END, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_signs_are_the_same_on_live_and_on_static_pictures():
    made = FRONT_END / "src" / "diagram" / "signs.json"

    assert made.read_text(encoding="utf-8") == signs() + "\n", (
        "python -m dipeo_jupyter.diagram.drawing.for_browsers labextension/src/diagram/signs.json"
    )


def test_people_are_asked_for_trust_in_the_same_words_everywhere():
    made = FRONT_END / "src" / "views" / "trust.json"

    assert made.read_text(encoding="utf-8") == words() + "\n", (
        "python -m dipeo_jupyter.client.trust_words labextension/src/views/trust.json"
    )
