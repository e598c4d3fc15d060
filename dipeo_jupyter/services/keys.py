"""Whom a person asks and with what, and the API key for it: read when needed, never shown.

A key goes only to the provider it belongs to; so a person cannot say where requests go. Values
come from the environment and a `.env` file, both handed to the constructor, and are looked up anew
for every call: a key that is exchanged during a run counts from the next call on.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ..diagram.model import Person
from ..diagram.older import ANCESTORS_KEY_ID
from ..diagram.suggest import did_you_mean, nearest
from ..errors import ServiceError

DEMO = "demo"
"""The provider that needs no network: see `demo`."""

ALIASES = {
    "chatgpt": "openai",
    "gpt": "openai",
    "gpt-3.5": "openai",
    "gpt-4": "openai",
    "claude": "anthropic",
    "google": "gemini",
    "grok": "xai",
    "vertex": "vertex_ai",
}
"""Other names of providers, from the ancestor's files and from habit."""

VARIABLES = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "xai": ("XAI_API_KEY",),
    "azure": ("AZURE_API_KEY", "AZURE_OPENAI_API_KEY"),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "fireworks_ai": ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "huggingface": ("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    "mistral": ("MISTRAL_API_KEY",),
    "notion": ("NOTION_TOKEN", "NOTION_API_KEY"),
    "openrouter": ("OPENROUTER_API_KEY", "OR_API_KEY"),
    "perplexity": ("PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"),
    "replicate": ("REPLICATE_API_KEY", "REPLICATE_API_TOKEN"),
    "together_ai": ("TOGETHER_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY"),
}
"""Where the key of a provider is found; of any other it is `<PROVIDER>_API_KEY`."""

KEYLESS = frozenset(
    {DEMO, "ollama", "vllm", "hosted_vllm", "lm_studio", "llamafile"}  # run at home
    | {"bedrock", "sagemaker", "vertex_ai"}  # have credentials of their own kind
)
"""Providers that need no key from here."""

PARAMETERS = frozenset(
    "temperature top_p top_k min_p max_tokens seed stop "  # noqa: SIM905 - shorter than a list
    "max_completion_tokens presence_penalty frequency_penalty repetition_penalty logit_bias "
    "response_format reasoning_effort thinking verbosity service_tier store user safety_identifier "
    "prompt_cache_key safety_settings num_ctx keep_alive".split()
)
"""What a person may set. litellm takes hundreds of arguments more, and some of them say where the
request and its key go; so what is not on this list is refused."""

SHORTEST = 8
"""Shorter values are no keys: removing them would tear holes into every text."""

LONGEST_NAME = 60
"""Longer ones are keys that were put in the place of their names."""

_SECRET_NAME = re.compile(r"API_?KEY|(^|_)(KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)


def provider_of(service: str) -> str:
    """The one name of a provider that goes by several: `claude` is `anthropic`."""
    name = service.strip().lower()
    return ALIASES.get(name, name)


def model_of(person: Person) -> tuple[str, str]:
    """The provider and its name for the model; raises `ServiceError` when either is not said."""
    service, model = person.service, person.model or ""
    named = re.fullmatch(r"([\w.-]+)[/:](.+)", model)
    if service:
        provider = provider_of(service)
        if named and provider_of(named[1]) == provider:
            model = named[2]
    elif named:
        provider, model = provider_of(named[1]), named[2]
    elif model == DEMO:
        provider = DEMO
    else:
        raise ServiceError(_whose(model))
    if provider != DEMO and not model:
        raise ServiceError(f"The service {service!r} has many models: add `model:`.")
    if "://" in model:
        raise ServiceError(f"A model is a name, not an address like {model!r}.")
    return provider, model


def _whose(model: str) -> str:
    if model:
        return (
            f"The model {model!r} does not say whose it is. Add for instance `service: openai`, or "
            f"write `model: openai/{model}`."
        )
    return (
        "The person has no model. Write `service: demo` to try without one, or for instance "
        "`service: openai` and `model: gpt-4.1-nano`."
    )


def parameters_of(person: Person) -> dict[str, Any]:
    """What the person sets for its model; raises `ServiceError` for what nobody may set."""
    given = {name: value for name, value in person.parameters.items() if value is not None}
    given.pop("answers", None)  # the demo's: so a person can be switched over and back
    for name in sorted(given.keys() - PARAMETERS):
        raise ServiceError(_not_a_parameter(name))
    return given


def _not_a_parameter(name: str) -> str:
    if name in ("api_base", "base_url"):
        return (
            f"A person cannot have `{name}`: whoever writes a diagram could have your key sent to "
            "any address. Set the variable DIPEO_<PROVIDER>_API_BASE instead."
        )
    if name == "api_key":
        return (
            "A person cannot have `api_key`: diagrams are shared. Put the key into a variable of "
            "the environment, and name it in `api_key_id`."
        )
    hint = did_you_mean(name, PARAMETERS) or "Remove it from the person."
    return f"A person has no parameter {name!r}. {hint}"


class Keys:
    """The keys of this installation.

    A diagram names a key by `api_key_id` and gets it only for the provider it belongs to: the
    variable must bear the provider's name. Otherwise a diagram from a stranger could have any
    secret of the environment sent anywhere.
    """

    def __init__(self, environ: Mapping[str, str], dotenv: Mapping[str, str] = {}) -> None:
        self._sources = (environ, dotenv)
        self._given: set[str] = set()

    def get(self, provider: str, api_key_id: str | None = None) -> str:
        """Read the key of a provider, or the one that `api_key_id` names.

        Raises `ServiceError` when there is none, or when it belongs to another provider.
        """
        provider = provider_of(provider)
        names = variables_of(provider, api_key_id)
        for source in self._sources:
            for name in names:
                if value := source.get(name, "").strip():
                    self._given.add(value)
                    return value
        raise ServiceError(_not_found(provider, names))

    def redact(self, text: str) -> str:
        """The text without any key, be it plain or encoded as hex, base64, JSON or part of a URL.

        Keys that were handed out before they were exchanged are removed too.
        """
        for value in sorted(self._secrets(), key=len, reverse=True):
            for form in _forms(value):
                text = text.replace(form, "[key removed]")
        return text

    def _secrets(self) -> set[str]:
        named = {
            value.strip()
            for source in self._sources
            for name, value in source.items()
            if _SECRET_NAME.search(name)
        }
        return {value for value in named | self._given if len(value) >= SHORTEST}

    def __repr__(self) -> str:
        names = {name for source in self._sources for name in source if _SECRET_NAME.search(name)}
        return f"Keys({', '.join(sorted(names))})"


def variables_of(provider: str, api_key_id: str | None = None) -> tuple[str, ...]:
    """The names of the variables that may hold the key, the likeliest first."""
    own = VARIABLES.get(provider, (f"{_variable_name(provider)}_API_KEY",))
    if not api_key_id or ANCESTORS_KEY_ID.fullmatch(api_key_id):
        return own
    if provider_of(api_key_id) == provider:
        return own
    name = _variable_name(api_key_id)
    if len(name) > LONGEST_NAME or not _belongs(name, provider):
        # It is not quoted: somebody may have put the key itself there.
        raise ServiceError(
            f"`api_key_id` does not name a key for {provider}: a key goes only to the provider "
            f"whose name its variable bears. Call it {own[0]}, or {own[0]}_2, and name that."
        )
    return (name,)


def _belongs(variable: str, provider: str) -> bool:
    """Whether a variable bears the provider's name, as in `LAB_OPENAI_KEY`."""
    owners = {name: owner for owner, names in VARIABLES.items() for name in names}
    if variable in owners:
        return owners[variable] == provider
    names = {provider, *(alias for alias, name in ALIASES.items() if name == provider)}
    return any(f"_{_variable_name(name)}_" in f"_{variable}_" for name in names)


def _variable_name(text: str) -> str:
    return re.sub(r"\W", "_", text.upper())


def _not_found(provider: str, names: tuple[str, ...]) -> str:
    known = {*VARIABLES, *ALIASES, *KEYLESS}
    closest = None if provider in known else nearest(provider, known)
    hint = f" Did you mean the service {closest!r}?" if closest else ""
    return (
        f"No key for {provider}: looked for {' and '.join(names)} in the environment and in .env. "
        f"Set {names[0]} in one of them.{hint}"
    )


def _forms(value: str) -> Iterator[str]:
    """The ways in which a key may be written in a text."""
    yield value
    yield quote(value, safe="")
    yield json.dumps(value)[1:-1]
    yield value.encode().hex()
    for shift in range(3):  # base64 looks different, depending on what stands before
        encoded = base64.b64encode(b"\0" * shift + value.encode()).decode()
        bits = 8 * (shift + len(value.encode()))
        yield encoded[-(-8 * shift // 6) : bits // 6]
