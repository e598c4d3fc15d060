"""The doctor: what it finds in an installation, and what it says to do."""

from __future__ import annotations

import json
import socket
import sys
from importlib.metadata import requires

import pytest

from dipeo_jupyter import doctor
from dipeo_jupyter.doctor import Examination, Finding, examine

KEY = "sk-canary-0123456789abcdef"


@pytest.fixture
def environ(tmp_path):
    return {"DIPEO_ROOT": str(tmp_path), "DIPEO_HOME": str(tmp_path / "home"), "PATH": "/nowhere"}


def look(environ):
    return {each.check: each for each in examine("here", environ)}


def test_a_whole_installation_has_nothing_broken(environ):
    found = examine("here", environ)

    assert not found.broken, found
    assert {"python", "ipykernel", "jupyter-server", "mode", "runs"} <= {x.check for x in found}


def test_nothing_is_made_and_nobody_is_asked(environ, tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("somebody was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    examine("here", {**environ, "DIPEO_RESPONSE_CACHE": "on", "DIPEO_REDIS_URL": "redis://x"})

    assert list(tmp_path.iterdir()) == []


def test_what_is_too_old_or_missing_says_how_to_get_it():
    found = {
        each.check: each
        for each in doctor._versions(["ipykernel>=999", "no-such-package>=1", "ipython>=1"])
    }

    assert found["ipykernel"].verdict == "broken"
    assert found["ipykernel"].mend == "pip install --upgrade 'ipykernel>=999'"
    assert found["no-such-package"].mend == "pip install 'no-such-package>=1'"
    assert found["ipython"].verdict == "ok"


def test_an_old_python_is_broken(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))

    (found,) = [each for each in doctor._versions([]) if each.check == "python"]
    assert (found.verdict, found.found) == ("broken", "3.10.1")


def test_extras_that_are_not_there_are_only_noted():
    required = [
        "ipython>=1; extra == 'one'",
        "no-such-package; extra == 'two'",
        "x; extra == 'dev'",
    ]
    one, two = doctor._extras(required)

    assert (one.check, one.verdict) == ("extra one", "ok")
    assert (two.verdict, two.found) == ("note", "without no-such-package")
    assert "pip install 'dipeo_jupyter[two]'" in two.mend


def test_the_installed_package_says_what_it_needs():
    assert any(each.startswith("ipykernel") for each in requires("dipeo_jupyter"))


@pytest.mark.parametrize("enabled", [True, False])
def test_the_extension_is_enabled_where_jupyter_says_so(environ, tmp_path, monkeypatch, enabled):
    folder = tmp_path / "etc" / "jupyter_server_config.d"
    folder.mkdir(parents=True)
    config = {"ServerApp": {"jpserver_extensions": {"dipeo_jupyter": enabled}}}
    (folder / "dipeo_jupyter.json").write_text(json.dumps(config))
    monkeypatch.setattr("jupyter_core.paths.jupyter_config_path", lambda: [str(tmp_path / "etc")])

    found = look(environ)["server extension"]
    assert found.found == ("enabled" if enabled else "not enabled")
    assert ("jupyter server extension enable dipeo_jupyter" in found.mend) is not enabled


def test_a_folder_that_cannot_be_written_is_broken(environ, tmp_path):
    (tmp_path / "file").write_text("")
    found = look({**environ, "DIPEO_HOME": str(tmp_path / "file" / "home")})["runs"]

    assert found.verdict == "broken"
    assert "DIPEO_HOME" in found.mend


def test_a_folder_far_away_is_noted(environ, tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(doctor, "_MOUNTS", mounts)

    found = look(environ)["runs"]
    assert found.verdict == "note"
    assert "nfs4" in found.found


def test_keys_are_told_by_name_alone(environ):
    found = examine("here", {**environ, "OPENAI_API_KEY": KEY})

    (keys,) = [each for each in found if each.check == "keys"]
    assert (keys.verdict, keys.found) == ("ok", "OPENAI_API_KEY")
    assert KEY not in repr(found) + json.dumps(found.to_records())


def test_without_keys_the_way_to_one_is_said(environ):
    assert "dipeo keys set openai" in look(environ)["keys"].mend


def test_languages_that_are_not_there_are_noted(environ, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    found = look(environ)["sandbox"]
    assert found.verdict == "note"
    assert "Install Node.js" in found.mend


def test_a_cassette_without_answers_cannot_be_replayed(environ, tmp_path):
    settings = {"DIPEO_CASSETTE": str(tmp_path / "no.yaml"), "DIPEO_CASSETTE_MODE": "replay"}
    found = look({**environ, **settings})["cassette"]

    assert found.verdict == "broken"
    assert "DIPEO_CASSETTE_MODE=auto" in found.mend


def test_what_is_asked_for_and_not_installed_is_broken(environ, monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None if "exporter" in name else "9999")
    found = look({**environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})["traces"]

    assert found.verdict == "broken"
    assert found.mend == "pip install 'dipeo_jupyter[otel]'"


def test_settings_that_cannot_be_are_broken(environ):
    found = look({**environ, "DIPEO_KEEP_LAST": "many"})

    assert found["settings"].verdict == "broken"
    assert "DIPEO_KEEP_LAST" in found["settings"].found


def test_advice_begins_with_what_is_broken():
    found = Examination(
        [
            Finding("a", "note", "x", "do a"),
            Finding("b", "broken", "y", "do b"),
            Finding("c", "ok", "z"),
        ]
    )

    assert found.broken
    assert found.advice() == ["b: do b", "a: do a"]


def test_databases_are_told_by_name_alone(environ):
    url = "postgresql://me:pg-canary@db.example.org/sales"
    found = examine("here", {**environ, "DIPEO_SALES_DATABASE_URL": url})

    assert "in a file of each root, and in 'sales'" in repr(found)
    assert "pg-canary" not in repr(found)
    assert "example.org" not in repr(found)


def test_a_database_without_its_library_is_broken(environ, monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "sqlalchemy" else "9999")
    found = look({**environ, "DIPEO_DATABASE_URL": "sqlite:////tmp/x.db"})["databases"]

    assert (found.verdict, found.mend) == ("broken", "pip install 'dipeo_jupyter[sql]'")
