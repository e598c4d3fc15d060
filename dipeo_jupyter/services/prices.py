"""What models cost, and what they can, from the list in litellm, which itself is not imported."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..engine.prices import FREE, Price, Rates

NANO = 1e9
_OUTPUT = ("output_cost_per_token", "output_cost_per_image_token")
_STEP = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")
_PROVIDER = "litellm_provider"
_SCHEMAS = "supports_response_schema"
_WANTED = (
    *("input_cost_per_token", "output_cost_per_token", "output_cost_per_reasoning_token"),
    *("cache_read_input_token_cost", "cache_creation_input_token_cost", _SCHEMAS),
    *("input_cost_per_image", "output_cost_per_image", "mode"),
)
"""How the names begin of what is kept of each model."""
_LIST = "model_prices_and_context_window_backup.json"
_PROVIDERS = "provider_endpoints_support_backup.json"

_ALL_TAKE_SCHEMAS = frozenset({"databricks", "fireworks_ai", "lm_studio", "nebius", "predibase"})
"""Providers of which litellm says so in its code, whatever the model."""


def is_priced(provider: str, model: str) -> bool | None:
    """Whether a model is in the list of prices; None when there is no list."""
    return _entry(provider, model) is not None if _models() else None


@cache
def price_of(provider: str, model: str) -> Price | None:
    """What a model costs by tokens, or by images; None when that is not known.

    Some cost more when more than so many tokens go in; what is not listed then costs as before. Of
    models that draw, some have a price for an image and none for tokens, others none for text.
    """
    entry = _entry(provider, model)
    if entry is None:
        return None
    if "input_cost_per_token" not in entry or not {*_OUTPUT} & entry.keys():
        return _by_image(entry)
    steps = {int(found[1]) * 1000 for name in entry if (found := _STEP.fullmatch(name))}
    reasoning, drawn = entry.get("output_cost_per_reasoning_token"), entry.get(_OUTPUT[1])
    return Price(
        tuple(_rates(entry, above) for above in (0, *sorted(steps))),
        None if reasoning is None else reasoning * NANO,
        None if drawn is None else drawn * NANO,
    )


def _by_image(entry: Mapping[str, Any]) -> Price | None:
    listed = (entry.get(name) for name in ("output_cost_per_image", "input_cost_per_image"))
    image = next((cost for cost in listed if cost is not None), None)
    if image is None or entry.get("mode") != "image_generation":
        return None
    return replace(FREE, image=image * NANO)


def _rates(entry: Mapping[str, Any], above: int) -> Rates:
    def rate(*names: str) -> float:
        listed = [f"{name}_above_{above // 1000}k_tokens" for name in names] if above else []
        costs = (entry.get(name) for name in (*listed, *names))
        return float(next(cost for cost in costs if cost is not None)) * NANO

    plain = "input_cost_per_token"
    return Rates(
        input=rate(plain),
        output=rate(*_OUTPUT),
        cached=rate("cache_read_input_token_cost", "input_cost_per_token_cache_hit", plain),
        cache_write=rate("cache_creation_input_token_cost", plain),
        above=above + 1 if above else 0,
    )


def takes_schema(provider: str, model: str) -> bool:
    """Whether litellm says that a model fulfils a JSON Schema that it is given."""
    entry = _entry(provider, model) or {}
    return provider in _ALL_TAKE_SCHEMAS or entry.get(_SCHEMAS) is True


def priced_models(provider: str) -> Collection[str]:
    """The models of a provider whose prices are known, without the provider's name."""
    own = (name for name, entry in _models().items() if entry[_PROVIDER] == provider)
    return dict.fromkeys(name.removeprefix(f"{provider}/") for name in own)


@cache
def providers() -> frozenset[str]:
    """The providers that litellm knows; empty when there is no list."""
    listed = _read(_PROVIDERS).get("providers", {})
    return frozenset(filter(None, [*listed, *(each[_PROVIDER] for each in _models().values())]))


def _entry(provider: str, model: str) -> Mapping[str, Any] | None:
    """What the list says of a model, if it is there."""
    models = _models()
    if (found := models.get(f"{provider}/{model}")) is not None:
        return found
    found = models.get(model)
    return found if found is not None and found[_PROVIDER] == provider else None


@cache
def _models() -> Mapping[str, Mapping[str, Any]]:
    """All that is kept of a list of some megabytes, which takes too long to be read twice."""
    return MappingProxyType(
        {
            name: {
                _PROVIDER: str(entry.get(_PROVIDER, "")).partition("-")[0],
                **{key: value for key, value in entry.items() if key.startswith(_WANTED)},
            }
            for name, entry in _read(_LIST).items()
            if isinstance(entry, dict)
        }
    )


def _read(name: str) -> Mapping[str, Any]:
    """A file of litellm's folder; empty when it is not there or not as it was."""
    found = find_spec("litellm")
    folders = (found.submodule_search_locations if found else None) or ()
    for folder in folders:
        try:
            data = json.loads((Path(folder) / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(data, dict):
            return data
    return {}
