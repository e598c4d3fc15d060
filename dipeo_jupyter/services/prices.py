"""What models cost, from the price list that comes with litellm; litellm itself is not imported."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

_LIST = "model_prices_and_context_window_backup.json"
_PROVIDERS = "provider_endpoints_support_backup.json"


def is_priced(provider: str, model: str) -> bool | None:
    """Whether the price of a model is known; None when there is no list."""
    entries = _read(_LIST)
    if not entries:
        return None
    return f"{provider}/{model}" in entries or _provider_in(entries, model) == provider


def priced_models(provider: str) -> Collection[str]:
    """The models of a provider whose prices are known, without the provider's name."""
    entries = _read(_LIST)
    own = (name for name in entries if _provider_in(entries, name) == provider)
    return dict.fromkeys(name.removeprefix(f"{provider}/") for name in own)


def providers() -> Collection[str]:
    """The providers that litellm knows; empty when there is no list."""
    listed = _read(_PROVIDERS).get("providers", {})
    entries = _read(_LIST)
    return {*listed, *(provider for name in entries if (provider := _provider_in(entries, name)))}


def _provider_in(entries: Mapping[str, Any], model: str) -> str | None:
    entry = entries.get(model)
    if not isinstance(entry, dict):
        return None
    return str(entry.get("litellm_provider", "")).partition("-")[0]


@cache
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
            return MappingProxyType(data)
    return MappingProxyType({})
