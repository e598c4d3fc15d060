"""Whom a person asks and with what: the provider, its model, and what may be set for it.

A key goes only to the provider it belongs to; so a person cannot say where requests go.
"""

from __future__ import annotations

import re
from typing import Any

from ..diagram.model import Person
from ..diagram.suggest import did_you_mean
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

KEYLESS = frozenset(
    {DEMO, "ollama", "vllm", "hosted_vllm", "lm_studio", "llamafile"}  # run at home
    | {"bedrock", "sagemaker", "vertex_ai"}  # have credentials of their own kind
)
"""Providers that need no key from here."""

PARAMETERS = frozenset(
    "temperature top_p top_k min_p max_tokens seed stop "  # noqa: SIM905 - shorter than a list
    "max_completion_tokens presence_penalty frequency_penalty repetition_penalty logit_bias "
    "response_format reasoning_effort thinking verbosity service_tier store user safety_identifier "
    "prompt_cache_key safety_settings num_ctx keep_alive web_search_options".split()
)
"""What a person may set. litellm takes hundreds of arguments more, and some of them say where the
request and its key go; so what is not on this list is refused."""

DRAWING = {
    "gemini": frozenset({"imageConfig", "safety_settings", "seed", "temperature"}),
    "openrouter": frozenset({"image_config", "seed", "temperature"}),
    "": frozenset(
        "size quality style background moderation output_format output_compression n seed user "  # noqa: SIM905 - as above
        "aspect_ratio resolution negative_prompt".split()
    ),
}
"""What may be set for images, by provider; of most it is the same."""


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


def drawing_options_of(model: Person) -> dict[str, Any]:
    """What is set for images; raises `ServiceError` for what nobody may set."""
    provider, _ = model_of(model)
    known = DRAWING.get(provider, DRAWING[""])
    for name in sorted(model.parameters.keys() - known):
        if name in ("api_base", "base_url", "api_key"):
            raise ServiceError(_not_a_parameter(name))
        hint = did_you_mean(name, known) or f"It has {', '.join(sorted(known))}."
        raise ServiceError(f"Images of {provider} have no option {name!r}. {hint}")
    return {name: value for name, value in model.parameters.items() if value is not None}


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
