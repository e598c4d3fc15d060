"""The README has every command, and every setting of the extension."""

from __future__ import annotations

from pathlib import Path

import pytest

from dipeo_jupyter.protocol.requests import KNOWN, OLDER_WORDS
from dipeo_jupyter.server.extension import DipeoApp

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", sorted({*KNOWN, *OLDER_WORDS} - {"relay_event"}))
def test_every_command_is_in_the_readme(word):
    assert f"`{word}`" in README


@pytest.mark.parametrize("name", sorted(DipeoApp.class_own_traits(config=True)))
def test_every_setting_of_the_extension_is_in_the_readme_and_has_a_help(name):
    assert f"`--DipeoApp.{name}`" in README
    assert DipeoApp.class_own_traits()[name].help
