"""What models cost, and what they can, from the list in litellm, which itself is not imported."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..engine.prices import Price, Rates

NANO = 1e9
_STEP = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")
_LIST = "model_prices_and_context_window_backup.json"
_PROVIDERS = "provider_endpoints_support_backup.json"

_ALL_TAKE_SCHEMAS = frozenset({"databricks", "fireworks_ai", "lm_studio", "nebius", "predibase"})
"""Providers of which litellm says so in its code, whatever the model."""


def is_priced(provider: str, model: str) -> bool | None:
    """Whether the price of a model is known; None when there is no list."""
    return _listed(provider, model) is not None if _provider_by_model() else None


@cache
def price_of(provider: str, model: str) -> Price | None:
    """What a model costs by tokens; None when that is not known.

    Some cost more when more than so many tokens go in; what is not listed then costs as before.
    """
    listed = _listed(provider, model)
    if listed is None:
        return None
    entry = _read(_LIST)[listed]
    if not {"input_cost_per_token", "output_cost_per_token"} <= entry.keys():
        return None
    steps = {int(found[1]) * 1000 for name in entry if (found := _STEP.fullmatch(name))}
    reasoning = entry.get("output_cost_per_reasoning_token")
    return Price(
        tuple(_rates(entry, above) for above in (0, *sorted(steps))),
        None if reasoning is None else reasoning * NANO,
    )


def _rates(entry: Mapping[str, Any], above: int) -> Rates:
    def rate(*names: str) -> float:
        listed = [f"{name}_above_{above // 1000}k_tokens" for name in names] if above else []
        costs = (entry.get(name) for name in (*listed, *names))
        return float(next(cost for cost in costs if cost is not None)) * NANO

    plain = "input_cost_per_token"
    return Rates(
        input=rate(plain),
        output=rate("output_cost_per_token"),
        cached=rate("cache_read_input_token_cost", "input_cost_per_token_cache_hit", plain),
        cache_write=rate("cache_creation_input_token_cost", plain),
        above=above + 1 if above else 0,
    )


def takes_schema(provider: str, model: str) -> bool:
    """Whether litellm says that a model fulfils a JSON Schema that it is given."""
    return provider in _ALL_TAKE_SCHEMAS or _listed(provider, model) in _take_schemas()


@cache
def _take_schemas() -> frozenset[str | None]:
    entries = _read(_LIST).items()
    return frozenset(
        name
        for name, entry in entries
        if isinstance(entry, dict) and entry.get("supports_response_schema") is True
    )


def priced_models(provider: str) -> Collection[str]:
    """The models of a provider whose prices are known, without the provider's name."""
    own = (name for name, whose in _provider_by_model().items() if whose == provider)
    return dict.fromkeys(name.removeprefix(f"{provider}/") for name in own)


@cache
def providers() -> frozenset[str]:
    """The providers that litellm knows; empty when there is no list."""
    listed = _read(_PROVIDERS).get("providers", {})
    return frozenset(filter(None, [*listed, *_provider_by_model().values()]))


def _listed(provider: str, model: str) -> str | None:
    """What a model is called in the list, if it is there."""
    models = _provider_by_model()
    if (full := f"{provider}/{model}") in models:
        return full
    return model if models.get(model) == provider else None


@cache
def _provider_by_model() -> Mapping[str, str]:
    """All that is kept of a list of some megabytes."""
    entries = _read(_LIST).items()
    found = {
        name: str(entry.get("litellm_provider", "")).partition("-")[0]
        for name, entry in entries
        if isinstance(entry, dict)
    }
    return MappingProxyType(found)


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
