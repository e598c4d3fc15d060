"""Cassettes in a notebook: recorded with a real provider on loopback, replayed without it."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

import dipeo_jupyter as dipeo
from dipeo_jupyter.errors import CommandError, ExecutionFailedError
from dipeo_jupyter.notebook.commands import obey
from dipeo_jupyter.notebook.line_completion import complete_cell_line, complete_command
from dipeo_jupyter.notebook.session import default_session

from ..shells import new_shell
from ..steering import REAL_MODELS
from .test_magics import Cells

pytestmark = REAL_MODELS

PERSON = "persons: {Ada: {service: openai, model: gpt-4.1-nano}}\n"
ASK = f"""
{PERSON}nodes:
- {{label: ask, type: person_job, person: Ada, prompt: Tea or coffee?}}
- {{label: end, type: endpoint}}
connections: [{{from: ask, to: end}}]
"""
SAMPLE = f"""
{PERSON}nodes:
- {{label: one, type: person_job, person: Ada, memory: GOLDFISH, prompt: A number?}}
- {{label: two, type: person_job, person: Ada, memory: GOLDFISH, prompt: A number?}}
- {{label: end, type: endpoint}}
connections: [{{from: one, to: two}}, {{from: two, to: end}}]
"""
CROWD = f"\n{PERSON}nodes:\n" + "".join(
    f"- {{label: n{number}, type: person_job, person: Ada, prompt: Number {number}}}\n"
    for number in range(20)
)


@pytest.fixture
def provider(openai_server, monkeypatch):
    monkeypatch.setenv("DIPEO_OPENAI_API_BASE", openai_server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdef")
    return openai_server


@pytest.fixture
def cells(provider, kernel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with new_shell(tmp_path) as shell:
        yield Cells(shell)


@pytest.fixture
def say(cells, capsys):
    """Give a command of `%dipeo`; what it prints."""

    def say(line):
        capsys.readouterr()  # what cells have shown
        obey(line, {})
        return capsys.readouterr().out.strip()

    return say


def offline(provider, monkeypatch):
    """From now on there is no key, and whatever is asked is an error."""
    monkeypatch.delenv("OPENAI_API_KEY")
    provider.fail(500, times=None)
    return len(provider.requests)


def test_a_cell_is_recorded_and_replayed_the_same(cells, provider, monkeypatch):
    provider.usage(prompt_tokens=4, completion_tokens=3, total_tokens=7)
    provider.reply("", pieces=["Tea", ", of", " course."])
    recorded = cells.dipeo("first --cassette tea.yaml", ASK)
    asked = offline(provider, monkeypatch)

    replayed = cells.dipeo("again --cassette tea.yaml --cassette-mode replay", ASK)

    assert replayed.output == recorded.output == "Tea, of course."
    assert replayed["ask"].seen == recorded["ask"].seen
    assert len(provider.requests) == asked


def test_what_earlier_runs_know_is_recorded_all_the_same(cells, provider):
    cells.dipeo("", ASK)
    cells.dipeo("--cassette tea.yaml", ASK)

    assert len(provider.requests) == 2
    assert cells.dipeo("--cassette tea.yaml --cassette-mode replay", ASK).status == "completed"


def test_a_cassette_in_use_is_for_all_runs_until_it_is_off(cells, say, provider):
    assert say("cassette") == "no cassette is in use"
    assert say("cassette use tea.yaml") == "tea.yaml (auto): 0 answers"
    cells.dipeo("", ASK)
    assert say("cassette") == "tea.yaml (auto): 1 answer"
    assert say("cassette use tea.yaml --mode replay") == "tea.yaml (replay): 1 answer"
    assert dipeo.run_sync(ASK).output == "Tea or coffee?"
    assert len(provider.requests) == 1

    assert say("cassette off") == "no cassette is in use"
    cells.dipeo("--fresh", ASK)
    assert len(provider.requests) == 2


def test_a_cell_may_do_without_the_cassette_in_use(cells, say, provider, tmp_path):
    say("cassette use tea.yaml")
    cells.dipeo("--cassette-mode off", ASK)

    assert say("cassette") == "tea.yaml (auto): 0 answers"
    assert not (tmp_path / "tea.yaml").exists()


def test_a_miss_fails_the_node_at_once_and_says_what_differs(cells, provider):
    cells.dipeo("--cassette tea.yaml", ASK)
    error = cells.dipeo("--cassette tea.yaml --cassette-mode replay", ASK.replace("coffee", "milk"))

    assert isinstance(error, ExecutionFailedError)
    assert "-  - user: Tea or coffee?\n+  - user: Tea or milk?" in str(error)
    assert len(provider.requests) == 1


def test_every_run_gets_the_answers_to_a_request_in_turn(cells, say, provider):
    provider.reply("seven")
    provider.reply("eight")
    cells.dipeo("--cassette tea.yaml", SAMPLE)
    say("cassette use tea.yaml --mode replay")

    runs = [dipeo.start(SAMPLE) for _ in range(3)]

    for run in runs:
        assert (run.wait()["one"].output, run["two"].output) == ("seven", "eight")


def test_a_run_keeps_its_cassette_wherever_it_goes_on(cells, say, provider):
    provider.reply("seven")
    provider.reply("eight")
    cells.dipeo("--cassette tea.yaml", SAMPLE)
    run = cells.dipeo("stopped --break two --cassette tea.yaml --cassette-mode replay", SAMPLE)
    say("cassette off")

    run.resume()
    assert run.wait().output == "eight"
    assert len(provider.requests) == 2


def test_twenty_branches_at_once_are_recorded_and_lose_nothing(cells, say, provider):
    cells.dipeo("first --cassette tea.yaml", CROWD)
    assert say("cassette use tea.yaml --mode replay") == "tea.yaml (replay): 20 answers"

    assert cells.dipeo("", CROWD).outputs == cells["first"].outputs
    assert len(provider.requests) == 20


def test_whoever_replays_needs_no_key(cells, say, provider, monkeypatch):
    cells.dipeo("--cassette tea.yaml", ASK)
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "missing_key" in [each.code for each in dipeo.check(ASK)]

    say("cassette use tea.yaml --mode replay")
    assert "missing_key" not in [each.code for each in dipeo.check(ASK)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cassette use none.yaml --mode replay", "nothing to replay in 'none.yaml'"),
        ("cassette use broken.yaml", "line 1: This is version 7"),
    ],
)
def test_a_cassette_of_no_use_is_refused_at_once(say, tmp_path, line, said):
    (tmp_path / "broken.yaml").write_text("version: 7\nrecordings: []\n")

    with pytest.raises(CommandError, match=said):
        say(line)
    assert say("cassette") == "no cassette is in use"


def test_a_mode_without_a_cassette_is_refused(cells):
    error = cells.dipeo("--cassette-mode replay", ASK)

    assert isinstance(error, CommandError)
    assert "Which cassette" in str(error)


def test_a_mode_that_does_not_exist_is_wrong_use(say):
    with pytest.raises(UsageError, match="relay"):
        say("cassette use tea.yaml --mode relay")


def test_the_variables_name_a_cassette_for_the_kernel(cells, provider, monkeypatch):
    cells.dipeo("--cassette tea.yaml", ASK)
    monkeypatch.setenv("DIPEO_CASSETTE", "tea.yaml")
    monkeypatch.setenv("DIPEO_CASSETTE_MODE", "replay")
    default_session().close()
    default_session.cache_clear()

    assert dipeo.run_sync(ASK).output == "Tea or coffee?"
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("cassette ", {"use", "off", "--help"}),
        ("cassette use t", {"tea.yaml"}),
        ("cassette use tea.yaml --mode re", {"record", "replay"}),
    ],
)
def test_the_commands_are_completed(tmp_path, monkeypatch, typed, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tea.yaml").touch()

    assert {each.text for each in complete_command(typed, {}).items} == expected
    (offered,) = complete_cell_line("--cassette t", "", {}).items
    assert offered.text == "tea.yaml"
