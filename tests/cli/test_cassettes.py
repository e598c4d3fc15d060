"""`dipeo run --cassette`: recorded with a real provider on loopback, replayed without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ..steering import REAL_MODELS

pytestmark = REAL_MODELS

ASK = """
persons: {Ada: {service: openai, model: gpt-4.1-nano}}
nodes:
- {label: ask, type: person_job, person: Ada, prompt: Tea or coffee?}
- {label: again, type: person_job, person: Ada, prompt: "Sure? {{ask}}"}
- {label: end, type: endpoint}
connections: [{from: ask, to: again}, {from: again, to: end}]
"""


@pytest.fixture
def provider(openai_server, folder, monkeypatch):
    (folder / "tea.light.yaml").write_text(ASK)
    monkeypatch.setenv("DIPEO_OPENAI_API_BASE", openai_server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdef")
    openai_server.reply("", pieces=["Tea", ", of", " course."])
    openai_server.reply("", pieces=["Quite ", "sure."])
    return openai_server


def said(called):
    """What was streamed, and what came out: of all events what a replay must repeat."""
    events = [json.loads(line) for line in called.out.splitlines()]
    kept = ("token_delta", "execution_completed")
    payloads = [each["payload"] for each in events if each["type"] in kept]
    return [each.get("text") or each["outputs"] for each in payloads]


def test_a_run_is_replayed_with_the_same_pieces_and_the_same_end(dipeo, provider, monkeypatch):
    recorded = dipeo("run tea.light.yaml --json --cassette c/tea.yaml")
    monkeypatch.delenv("OPENAI_API_KEY")
    provider.fail(500, times=None)

    replayed = dipeo("run tea.light.yaml --json --cassette c/tea.yaml --cassette-mode replay")

    pieces = ["Tea", ", of", " course.", "Quite ", "sure."]
    assert said(replayed) == said(recorded) == [*pieces, {"end": "Quite sure."}]
    assert (recorded.code, replayed.code) == (0, 0)
    assert len(provider.requests) == 2


def test_the_variables_name_a_cassette_too(dipeo, provider, monkeypatch):
    dipeo("run tea.light.yaml --cassette tea.yaml")
    monkeypatch.setenv("DIPEO_CASSETTE", "tea.yaml")
    monkeypatch.setenv("DIPEO_CASSETTE_MODE", "replay")

    assert dipeo("run tea.light.yaml").out == "Quite sure.\n"
    assert len(provider.requests) == 2


def test_a_miss_fails_the_run_and_shows_what_differs(dipeo, provider, folder):
    dipeo("run tea.light.yaml --cassette tea.yaml")
    (folder / "tea.light.yaml").write_text(ASK.replace("coffee", "milk"))

    called = dipeo("run tea.light.yaml --cassette tea.yaml --cassette-mode replay")

    assert called.code == 1
    assert "-  - user: Tea or coffee?\n+  - user: Tea or milk?" in called.err
    assert "trying again" not in called.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--cassette none.yaml --cassette-mode replay", "nothing to replay in 'none.yaml'"),
        ("--cassette broken.yaml", "'broken.yaml' cannot be read: line 2: A message"),
        ("--cassette-mode record", "Which cassette"),
    ],
)
def test_a_cassette_of_no_use_is_wrong_use(dipeo, provider, folder, options, said):
    text = "recordings: [{request: {person: {}, messages: [7]}, answers: [a]}]"
    (folder / "broken.yaml").write_text(f"version: 1\n{text}\n")
    called = dipeo(f"run tea.light.yaml {options}")

    assert (called.code, called.out) == (2, "")
    assert said in called.err
    assert provider.requests == []


ALONE = """
import sys

def no_network(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
        sys.exit(f"{event} {args}")

sys.addaudithook(no_network)
from dipeo_jupyter.cli import main
code = main(sys.argv[1:])
print(code, sorted({"litellm", "openai", "aiohttp"} & set(sys.modules)))
"""


def test_a_replay_needs_neither_network_nor_key_nor_litellm(dipeo, provider):
    dipeo("run tea.light.yaml --cassette tea.yaml")
    environ = {name: os.environ[name] for name in os.environ if not name.endswith("_KEY")}
    options = ["--cassette", "tea.yaml", "--cassette-mode", "replay"]

    done = subprocess.run(
        [sys.executable, "-c", ALONE, "run", "tea.light.yaml", *options],
        capture_output=True,
        text=True,
        env=environ,
        check=False,
    )

    assert (done.stdout, done.returncode) == ("Quite sure.\n0 []\n", 0), done.stderr
