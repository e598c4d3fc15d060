"""What people see of keys, whether they work, and where a new one goes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import closing

import keyring
import keyring.backends.fail
import pytest

from dipeo_jupyter.app import build_key_desk
from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.services.key_trial import _ENDPOINTS, try_key
from dipeo_jupyter.services.keys import VARIABLES, Keys, owner_of
from dipeo_jupyter.services.providers import KEYLESS
from dipeo_jupyter.settings import Settings
from tests.keyring_backend import MemoryKeyring
from tests.openai_server import OpenAIServer

KEY = "sk-canary-0123456789abcdef"


@pytest.fixture(autouse=True)
def backend():
    before, backend = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def environ():
    return {}


@pytest.fixture
def desk(tmp_path, environ, openai_server):
    bases = dict.fromkeys(("openai", "groq", "some_new_one"), openai_server.url)
    return build_key_desk(Settings(root=tmp_path, environ=environ, api_bases=bases))


def shown(desk):
    return [tuple(row.values()) for row in desk.rows()]


def tried(desk, *words):
    (trial,) = asyncio.run(desk.test(*words))
    return trial


# -- which there are ------------------------------------------------------------------------------


def test_keys_are_listed_by_provider_name_and_place(desk, environ, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environ |= {"OPENAI_API_KEY": KEY, "HOME": "/home/me", "JUPYTER_TOKEN": KEY, "PATH": "/bin"}
    desk.put("GROQ_API_KEY", f"{KEY}2", in_file=True)
    desk.put("LAB_OPENAI_KEY", f"{KEY}3", in_file=False)
    assert shown(desk) == [
        ("groq", "GROQ_API_KEY", ".env", ""),
        ("openai", "LAB_OPENAI_KEY", "keyring", ""),
        ("openai", "OPENAI_API_KEY", "environment", ""),
    ]


def test_a_key_that_is_found_twice_is_used_from_the_first_place(desk, environ):
    desk.put("OPENAI_API_KEY", KEY, in_file=False)
    environ["OPENAI_API_KEY"] = f"{KEY}2"
    notes = {place: note for _, _, place, note in shown(desk)}
    assert notes == {"environment": "", "keyring": "not used: the one above comes first"}


def test_a_list_of_keys_shows_not_a_character_of_them(desk, environ):
    environ["OPENAI_API_KEY"] = "§¶µßø"
    desk.put("GROQ_API_KEY", "^~`|}{<>", in_file=True)
    text = repr(desk.rows()) + repr(desk.keys.found())
    assert not set("§¶µßø^~`|<>") & set(text)


def test_what_is_too_short_for_a_key_is_said_to_be_so(desk, environ):
    environ["OPENAI_API_KEY"] = "xxx"
    assert shown(desk)[0][3] == "too short for a key"


def test_a_file_that_others_can_read_is_said_to_be_so(desk, tmp_path):
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={KEY}\n")
    (tmp_path / ".env").chmod(0o644)
    assert shown(desk)[0][3] == "others can read this file"


def test_stores_that_do_not_answer_are_told(desk, backend, tmp_path):
    assert desk.troubles() == []
    (tmp_path / ".env").mkdir()
    backend.locked = True
    file, ring = desk.troubles()
    assert "no file of text" in file
    assert "KeyringLocked" in ring


@pytest.mark.parametrize(
    ("variable", "provider"),
    [
        ("OPENAI_API_KEY", "openai"),
        ("AZURE_OPENAI_API_KEY", "azure"),
        ("LAB_CLAUDE_KEY", "anthropic"),
        ("GOOGLE_API_KEY", "gemini"),
        ("NOTION_TOKEN", "notion"),
        ("NVIDIA_NIM_API_KEY", "nvidia_nim"),
        ("JUPYTER_TOKEN", None),
        ("DB_PASSWORD", None),
        ("OLLAMA_API_KEY", None),
        ("OPENAI_API_BASE", None),
        ("openai_api_key", None),
    ],
)
def test_a_variable_belongs_to_whom_it_names(variable, provider):
    assert owner_of(variable) == provider


# -- whether they work ----------------------------------------------------------------------------


def test_a_key_that_is_taken_works(desk, environ, openai_server):
    environ["OPENAI_API_KEY"] = KEY
    assert tried(desk, "openai").verdict == "works"
    (request,) = openai_server.requests
    assert (request.path, request.body) == ("/v1/models", None)
    assert request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_key_that_is_refused_is_told_as_the_provider_tells_it(
    desk, environ, openai_server, status
):
    environ["OPENAI_API_KEY"] = KEY
    openai_server.scripted_models = True
    openai_server.fail(status, echo_key=True)
    trial = tried(desk, "openai")
    assert trial.verdict == "refused"
    assert f"127.0.0.1 refused ({status}): It was scripted so. [key removed]" in trial.said


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda server: server.fail(500, echo_key=True), "refused (500): It was scripted so. [key"),
        (lambda server: server.fail(429), "Too many requests"),
        (lambda server: server.fail(307, location="/v1/other"), "another address"),
        (lambda server: server.garbage("html"), "is there a login page?"),
        (lambda server: server.hang(), "No answer came within 0.2 s."),
    ],
)
def test_what_tells_nothing_of_the_key_is_unclear(openai_server, fault, said):
    openai_server.scripted_models = True
    fault(openai_server)
    keys = Keys({"OPENAI_API_KEY": KEY})
    trial = asyncio.run(try_key("openai", None, keys, {"openai": openai_server.url}, 0.2))
    assert trial.verdict == "unclear"
    assert said in trial.said
    assert KEY not in trial.said
    assert len(openai_server.requests) == 1


def test_a_provider_that_is_not_reached_leaves_it_unclear():
    with closing(OpenAIServer()) as gone:
        bases = {"openai": gone.url}
    trial = asyncio.run(try_key("openai", None, Keys({"OPENAI_API_KEY": KEY}), bases))
    assert trial.verdict == "unclear"
    assert trial.said.startswith("The provider was not reached: ")


@pytest.mark.parametrize("key", ["sk-with-a\nnewline", "sk-with-ünicode-€"])
def test_a_key_that_fits_in_no_header_is_told_without_it(openai_server, key):
    keys = Keys({"OPENAI_API_KEY": key})
    trial = asyncio.run(try_key("openai", None, keys, {"openai": openai_server.url}))
    assert key not in trial.said


def test_a_key_is_tried_by_its_name(desk, environ, openai_server):
    environ |= {"OPENAI_API_KEY": "sk-another", "LAB_OPENAI_KEY": KEY}
    assert tried(desk, "lab_openai_key").name == "LAB_OPENAI_KEY"
    assert openai_server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_all_keys_are_tried_when_none_is_named(desk, environ, openai_server):
    environ |= {"OPENAI_API_KEY": KEY, "GROQ_API_KEY": KEY, "JUPYTER_TOKEN": KEY}
    trials = asyncio.run(desk.test())
    assert [(each.name, each.verdict) for each in trials] == [
        ("GROQ_API_KEY", "works"),
        ("OPENAI_API_KEY", "works"),
    ]


def test_a_provider_that_speaks_as_openai_does_can_be_tried(desk, environ):
    environ["SOME_NEW_ONE_API_KEY"] = KEY
    assert tried(desk, "some_new_one").verdict == "works"


def test_a_key_that_is_not_there_is_missing_and_nobody_is_asked(desk, openai_server):
    trial = tried(desk, "openai")
    assert trial.verdict == "missing"
    assert "dipeo keys set OPENAI_API_KEY" in trial.said
    assert openai_server.requests == []


def test_where_nothing_is_free_it_is_said_that_no_trial_is_possible(desk, environ):
    environ["PERPLEXITY_API_KEY"] = KEY
    trial = tried(desk, "perplexity")
    assert (trial.verdict, "run a diagram" in trial.said) == ("unclear", True)


def test_every_trial_goes_to_a_provider_that_has_keys():
    assert _ENDPOINTS.keys() <= VARIABLES.keys()
    for base, path, headers in _ENDPOINTS.values():
        assert base == "" or base.startswith("https://")
        assert "{" not in path
        assert sum("{}" in value for value in headers.values()) == 1


def test_a_trial_needs_no_litellm(openai_server):
    code = (
        "import asyncio, sys\nfrom dipeo_jupyter.services.key_trial import try_key\n"
        "from dipeo_jupyter.services.keys import Keys\n"
        f"keys, bases = Keys({{'OPENAI_API_KEY': {KEY!r}}}), {{'openai': {openai_server.url!r}}}\n"
        "print(asyncio.run(try_key('openai', None, keys, bases)).verdict, 'litellm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "works False\n"


# -- a new one ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("Claude", "ANTHROPIC_API_KEY"),
        ("notion", "NOTION_TOKEN"),
        ("OPENAI_API_KEY_2_KEY", "OPENAI_API_KEY_2_KEY"),
        ("lab-openai-key", "LAB_OPENAI_KEY"),
    ],
)
def test_a_key_is_kept_under_the_name_of_its_variable(desk, word, name):
    assert desk.name_for(word) == name


@pytest.mark.parametrize("word", [KEY, "xai-" + "aB3" * 30, "nobody", "", "sk-openai"])
def test_what_names_no_provider_is_refused_and_not_quoted(desk, word):
    with pytest.raises(CommandError, match="No provider is named by this") as caught:
        desk.name_for(word)
    assert word == "" or word not in str(caught.value)


def test_a_misspelt_provider_gets_a_hint(desk):
    with pytest.raises(CommandError, match="Did you mean 'openai'"):
        desk.name_for("opnai")


@pytest.mark.parametrize("provider", sorted(KEYLESS))
def test_who_needs_no_key_gets_none(desk, provider):
    with pytest.raises(CommandError, match="needs no key from here"):
        desk.name_for(provider)


@pytest.mark.parametrize("in_file", [True, False])
def test_a_key_that_was_put_is_there_at_once(desk, in_file):
    said = desk.put("OPENAI_API_KEY", f"  {KEY}\n", in_file=in_file)
    assert desk.keys.get("openai") == KEY
    assert said.startswith("OPENAI_API_KEY is kept: ")
    assert KEY not in said


def test_a_key_that_does_not_count_is_said_not_to(desk, environ):
    environ["OPENAI_API_KEY"] = "sk-an-older-one"
    said = desk.put("OPENAI_API_KEY", KEY, in_file=False)
    assert said.endswith("But environment has one of this name, too, which comes first.")


@pytest.mark.parametrize("value", ["", "short", "two words of it", "sk-ünicode-€", "sk-a\nsk-b-sk"])
def test_what_is_no_key_is_not_kept(desk, backend, value):
    with pytest.raises(CommandError, match="That is no key") as caught:
        desk.put("OPENAI_API_KEY", value, in_file=False)
    assert value == "" or value not in str(caught.value)
    assert backend.kept == {}


def test_without_a_keyring_the_file_is_offered(desk):
    keyring.set_keyring(keyring.backends.fail.Keyring())
    with pytest.raises(CommandError, match=r"none here.*--dotenv"):
        desk.put("OPENAI_API_KEY", KEY, in_file=False)
