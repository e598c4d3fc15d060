"""`%dipeo doctor`: what it found, as a notebook shows it."""

from __future__ import annotations

import pytest

from dipeo_jupyter.notebook.commands import obey

pytestmark = pytest.mark.usefixtures("kernel")


def test_what_is_found_is_shown_as_a_table():
    found = obey("doctor", {})

    shown = found._repr_mimebundle_()
    assert "<td" in shown["text/html"]
    assert shown["text/plain"] == repr(found)
    assert "jupyter-server" in repr(found)


def test_it_says_where_diagrams_run_and_why():
    mode = {each.check: each for each in obey("doctor", {})}["mode"]

    assert mode.found == "in this process: it is no kernel"


def test_it_can_be_looked_at_as_a_frame():
    assert list(obey("doctor", {}).to_frame().columns) == ["check", "verdict", "found", "mend"]
