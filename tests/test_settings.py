"""What can be set from outside, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from dipeo_jupyter.settings import Settings


def test_without_variables_there_are_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    settings = Settings.from_environment({})

    assert settings.root == Path.cwd()
    assert (settings.max_concurrency, settings.max_rounds) == (20, 100)
    assert settings.api_bases == {}


def test_variables_go_before_defaults_and_empty_ones_do_not():
    environ = {"DIPEO_ROOT": "/data", "DIPEO_MAX_CONCURRENCY": "3", "DIPEO_MAX_ROUNDS": ""}

    settings = Settings.from_environment(environ)

    assert settings.root == Path("/data")
    assert (settings.max_concurrency, settings.max_rounds) == (3, 100)


def test_each_provider_may_be_reached_elsewhere():
    settings = Settings.from_environment({"DIPEO_OPENAI_API_BASE": "http://here/v1"})

    assert settings.api_bases == {"openai": "http://here/v1"}


def test_each_provider_has_limits_of_its_own():
    environ = {"DIPEO_OPENAI_RPM": "60", "DIPEO_CLAUDE_MAX_CONCURRENCY": "4", "DIPEO_GROK_RPM": ""}

    models = Settings.from_environment(environ | {"DIPEO_IDLE_TIMEOUT": "30"}).models

    assert (models.at_once, models.per_minute, models.silence) == (
        {"claude": 4},
        {"openai": 60},
        30,
    )


def test_the_limit_of_all_nodes_is_that_of_no_provider():
    assert Settings.from_environment({"DIPEO_MAX_CONCURRENCY": "3"}).models.at_once == {}


@pytest.mark.parametrize(
    "name",
    [
        "DIPEO_MAX_CONCURRENCY",
        "DIPEO_MAX_ROUNDS",
        "DIPEO_IDLE_TIMEOUT",
        "DIPEO_OPENAI_RPM",
        "DIPEO_X_AI_MAX_CONCURRENCY",
    ],
)
@pytest.mark.parametrize("value", ["0", "-1", "2.5", "many"])
def test_a_count_that_is_none_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"{name} is '{value}'.*1 or more"):
        Settings.from_environment({name: value})


def test_keys_are_never_shown():
    settings = Settings.from_environment({"OPENAI_API_KEY": "sk-secret"})

    assert "sk-secret" not in repr(settings)
    assert settings.environ["OPENAI_API_KEY"] == "sk-secret"


def test_a_key_that_is_exported_later_takes_effect(monkeypatch):
    settings = Settings.from_environment()

    monkeypatch.setenv("OPENAI_API_KEY", "sk-new")

    assert settings.environ["OPENAI_API_KEY"] == "sk-new"


def test_a_cassette_is_named_with_its_mode():
    settings = Settings.from_environment({"DIPEO_CASSETTE": "tea.yaml"})
    replaying = Settings.from_environment(
        {"DIPEO_CASSETTE": "tea.yaml", "DIPEO_CASSETTE_MODE": "replay"}
    )
    neither = Settings.from_environment({"DIPEO_CASSETTE": "", "DIPEO_CASSETTE_MODE": ""})

    assert (settings.cassette, settings.cassette_mode) == (Path("tea.yaml"), "auto")
    assert (replaying.cassette_mode, replaying.taped) == ("replay", True)
    assert not neither.taped
    with pytest.raises(ValueError, match=r"DIPEO_CASSETTE_MODE is 'relay'.*auto, record, replay"):
        Settings.from_environment({"DIPEO_CASSETTE_MODE": "relay"})


def test_databases_have_names_and_are_never_shown():
    environ = {
        "DIPEO_DATABASE_URL": "sqlite:////a.db",
        "DIPEO_SALES_DATABASE_URL": "pg://:secret@x",
    }
    settings = Settings.from_environment(environ)

    assert settings.databases == {"": "sqlite:////a.db", "sales": "pg://:secret@x"}
    assert "secret" not in repr(settings)
