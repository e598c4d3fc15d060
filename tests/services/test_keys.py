"""Keys are found by name, go to their own provider only, and are never shown."""

import base64
from urllib.parse import quote

import pytest

from dipeo_jupyter.app import build_engine
from dipeo_jupyter.diagram.model import Person
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.keys import Keys, is_lent
from dipeo_jupyter.services.providers import model_of, provider_of
from dipeo_jupyter.settings import Settings
from tests.running import run

KEY = "sk-canary/0123+4567=89"
TWO_CALLS = """
persons: {Bot: {service: openai, model: loopback}}
nodes:
- {label: one, type: person_job, person: Bot, prompt: Hello}
- {label: two, type: person_job, person: Bot, prompt: "{{one}}"}
connections: [{from: one, to: two}]
"""


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("chatgpt", "OPENAI_API_KEY"),
        ("claude", "ANTHROPIC_API_KEY"),
        ("Anthropic", "ANTHROPIC_API_KEY"),
        ("gemini", "GEMINI_API_KEY"),
        ("google", "GOOGLE_API_KEY"),
        ("grok", "XAI_API_KEY"),
        ("together_ai", "TOGETHERAI_API_KEY"),
        ("nvidia_nim", "NVIDIA_NIM_API_KEY"),
    ],
)
def test_each_provider_has_its_usual_variable(provider, variable):
    assert Keys({variable: KEY}).get(provider) == KEY


@pytest.mark.parametrize(
    "key_id", [None, "", "openai", "OpenAI", "gpt", "APIKEY_52609F", "default"]
)
def test_an_id_may_mean_the_providers_own_variable(key_id):
    assert Keys({"OPENAI_API_KEY": KEY}).get("openai", key_id) == KEY


@pytest.mark.parametrize("key_id", ["LAB_OPENAI_KEY", "lab_openai_key", "lab-openai-key"])
def test_an_id_may_name_another_variable(key_id):
    keys = Keys({"OPENAI_API_KEY": "another", "LAB_OPENAI_KEY": KEY})
    assert keys.get("openai", key_id) == KEY


@pytest.mark.parametrize(
    "key_id", ["ANTHROPIC_API_KEY", "anthropic", "JUPYTER_TOKEN", "PRINTEROPENAI"]
)
def test_a_key_goes_to_no_other_provider(key_id):
    keys = Keys({key_id.upper(): KEY, "ANTHROPIC_API_KEY": KEY})
    with pytest.raises(ServiceError, match=r"not name a key for openai.*OPENAI_API_KEY"):
        keys.get("openai", key_id)


def test_a_key_in_place_of_its_name_is_not_quoted():
    pasted = "xai-" + "aB3" * 26
    with pytest.raises(ServiceError) as caught:
        Keys({}).get("xai", pasted)
    assert "aB3aB3" not in str(caught.value)
    assert "AB3AB3" not in str(caught.value)


def test_an_exported_variable_wins_over_dotenv():
    keys = Keys({"GOOGLE_API_KEY": "exported"}, {"GEMINI_API_KEY": "from the file"})
    assert keys.get("gemini") == "exported"


def test_dotenv_is_asked_when_nothing_is_exported():
    assert Keys({"OPENAI_API_KEY": "  "}, {"OPENAI_API_KEY": f"{KEY}\n"}).get("openai") == KEY


def test_a_missing_key_names_variable_provider_and_places():
    with pytest.raises(ServiceError) as caught:
        Keys({"XAI_API_KEY": KEY}).get("gemini")
    for part in ("gemini", "GEMINI_API_KEY", "GOOGLE_API_KEY", "environment", ".env"):
        assert part in str(caught.value)
    assert KEY not in str(caught.value)
    assert not caught.value.retryable


def test_a_misspelt_provider_is_answered_with_the_nearest():
    with pytest.raises(ServiceError, match="Did you mean the service 'openai'"):
        Keys({}).get("opnai")


def test_an_exchanged_key_counts_at_once():
    environ = {"OPENAI_API_KEY": "the old one"}
    keys = Keys(environ)
    assert keys.get("openai") == "the old one"
    environ["OPENAI_API_KEY"] = "the new one"
    assert keys.get("openai") == "the new one"


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_a_key_exchanged_in_the_middle_of_a_run_counts_from_the_next_call(
    openai_server, tmp_path, where
):
    environ, file = {"OPENAI_API_KEY": "sk-the-old-one"}, tmp_path / ".env"
    if where == ".env":
        file.write_text(f"OPENAI_API_KEY={environ.pop('OPENAI_API_KEY')}\n")

    async def exchange_the_key(exchange):
        if where == ".env":
            file.write_text("OPENAI_API_KEY=sk-the-new-one\n")
        else:
            environ["OPENAI_API_KEY"] = "sk-the-new-one"
        await exchange.stream(["fine"])

    openai_server._then(exchange_the_key)
    bases = {"openai": openai_server.url}
    settings = Settings(root=tmp_path, environ=environ, api_bases=bases)
    run(TWO_CALLS, engine=lambda: build_engine(settings))
    sent = [request.key for request in openai_server.requests]
    assert sent == ["sk-the-old-one", "sk-the-new-one"]


def test_notion_has_its_token_under_two_names():
    assert Keys({"NOTION_TOKEN": KEY}).get("notion") == KEY
    assert Keys({"NOTION_API_KEY": KEY}).get("notion") == KEY


def test_the_repr_names_variables_and_no_value():
    assert repr(Keys({"OPENAI_API_KEY": KEY, "HOME": "/home/me"})) == "Keys(OPENAI_API_KEY)"


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "DB_PASSWORD", "JUPYTER_TOKEN", "AWS_SECRET_ACCESS_KEY"]
)
def test_redact_removes_the_value_of_every_secret(name):
    assert Keys({}, {name: KEY}).redact(f"Wrong: {KEY}!") == "Wrong: [key removed]!"


@pytest.mark.parametrize(
    "form",
    [
        quote(KEY, safe=""),
        KEY.encode().hex(),
        base64.b64encode(f"user:{KEY}".encode()).decode(),
        base64.b64encode(f"a user:{KEY}:x".encode()).decode(),
        base64.b64encode(f"an user:{KEY}".encode()).decode(),
    ],
)
def test_redact_finds_keys_in_other_forms(form):
    redacted = Keys({"OPENAI_API_KEY": KEY}).redact(form)
    assert "[key removed]" in redacted
    assert len(redacted) < len("[key removed]") + 18


def test_redact_remembers_keys_that_were_exchanged():
    environ = {"OPENAI_API_KEY": KEY}
    keys = Keys(environ)
    keys.get("openai")
    environ["OPENAI_API_KEY"] = "something quite different"
    assert KEY not in keys.redact(f"Wrong key: {KEY}")


def test_redact_removes_a_long_key_before_its_beginning():
    keys = Keys({"A_TOKEN": "12345678", "B_TOKEN": "1234567890"})
    assert keys.redact("1234567890") == "[key removed]"


def test_redact_leaves_short_values_and_other_variables():
    text = "a short one in /home/me"
    assert Keys({"X_TOKEN": "short", "HOME": "/home/me", "Y_KEY": ""}).redact(text) == text


@pytest.mark.parametrize(
    ("service", "model", "expected"),
    [
        ("openai", "gpt-4.1-nano", ("openai", "gpt-4.1-nano")),
        ("chatgpt", "openai/gpt-4.1-nano", ("openai", "gpt-4.1-nano")),
        (None, "openai/gpt-4.1-nano", ("openai", "gpt-4.1-nano")),
        (None, "openai:gpt-4.1-nano", ("openai", "gpt-4.1-nano")),
        (None, "claude/claude-haiku-4-5", ("anthropic", "claude-haiku-4-5")),
        ("openai", "ft:gpt-4.1-nano:lab", ("openai", "ft:gpt-4.1-nano:lab")),
        ("openrouter", "openai/gpt-4.1", ("openrouter", "openai/gpt-4.1")),
        ("ollama", "llama3:8b", ("ollama", "llama3:8b")),
        ("demo", None, ("demo", "")),
        (None, "demo", ("demo", "demo")),
    ],
)
def test_service_and_model_say_who_is_asked(service, model, expected):
    assert model_of(Person(service=service, model=model)) == expected


@pytest.mark.parametrize(
    ("service", "model", "advice"),
    [
        (None, None, "service: demo"),
        (None, "gpt-4.1-nano", "model: openai/gpt-4.1-nano"),
        ("openai", None, "add `model:`"),
        ("huggingface", "https://evil.example/v1", "not an address"),
    ],
)
def test_whoever_cannot_be_asked_is_told_why(service, model, advice):
    with pytest.raises(ServiceError, match=advice):
        model_of(Person(service=service, model=model))


def test_a_providers_name_is_taken_in_any_case():
    assert provider_of(" Claude ") == "anthropic"


def test_where_a_key_goes_is_no_secret_and_is_lent_with_it():
    environ = {"LAB_API_KEY": "key-canary-4711", "DIPEO_LAB_API_KEY_HOSTS": "api.example.org"}
    keys = Keys(environ)

    assert keys.redact("key-canary-4711 at api.example.org") == "[key removed] at api.example.org"
    assert [each.name for each in keys.found()] == ["LAB_API_KEY"]
    assert all(map(is_lent, environ))
