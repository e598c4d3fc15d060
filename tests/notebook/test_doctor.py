"""`%dipeo doctor`: what it found, as a notebook shows it."""

from __future__ import annotations

import pytest

from dipeo_jupyter.client.address import Server
from dipeo_jupyter.notebook import doctor_command, session
from dipeo_jupyter.notebook.commands import obey


def mode():
    return {each.check: each for each in obey("doctor", {})}["mode"].found


pytestmark = pytest.mark.usefixtures("kernel")


def test_what_is_found_is_shown_as_a_table():
    found = obey("doctor", {})

    shown = found._repr_mimebundle_()
    assert "<td" in shown["text/html"]
    assert shown["text/plain"] == repr(found)
    assert "jupyter-server" in repr(found)


def test_it_says_where_diagrams_run_and_why():
    assert mode() == "in this process: no Jupyter server was found that has started it"


@pytest.mark.parametrize(
    ("wanted", "root", "said"),
    [
        ("embedded", ".", "`%dipeo connect auto`"),
        ("auto", ".", "in the Jupyter server that has started this kernel"),
        ("auto", "elsewhere", "in this kernel: its server does not serve this folder"),
    ],
)
def test_a_server_that_is_near_is_told_of(monkeypatch, tmp_path, wanted, root, said):
    near = Server("ws://127.0.0.1:1/dipeo/kernel/ws", root=str(tmp_path / root))
    monkeypatch.setattr(doctor_command, "servers_of_this_kernel", lambda _: iter([near]))
    monkeypatch.setenv("DIPEO_CONNECT", wanted)
    session.default_session.cache_clear()

    assert said in mode()


def test_an_address_with_a_token_is_not_repeated(monkeypatch):
    monkeypatch.setenv("DIPEO_CONNECT", "http://127.0.0.1:1/?token=secret")

    assert "token" not in mode()
    assert session.default_session().server is None


def test_it_can_be_looked_at_as_a_frame():
    assert list(obey("doctor", {}).to_frame().columns) == ["check", "verdict", "found", "mend"]
