"""Imports litellm with its hands tied, and tells it what it may know by variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ..keys import owner_of


def load_litellm() -> Any:
    """The module, which takes seconds the first time."""
    # Set before the import, which reads them: without the first it downloads a list of prices,
    # without the second it loads the `.env` of the current folder into the environment, so that
    # a cloned repository could redirect requests, and their keys, by OPENAI_BASE_URL.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    # Without it, the first question to Claude that needs a beta downloads a list of them.
    os.environ.setdefault("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True")
    import litellm  # noqa: PLC0415 - takes seconds: only the worker pays

    litellm.suppress_debug_info = True
    return litellm


def variables() -> dict[str, str]:
    """The environment of this process as the worker may know it.

    litellm finds there where a provider is, and credentials that are no keys (`AWS_PROFILE`). Keys
    of providers are handed over with each call.
    """
    return {name: value for name, value in os.environ.items() if _may_be_known(name)}


def set_variables(changed: Mapping[str, str | None]) -> None:
    """Let litellm know what has changed meanwhile; what is None is gone."""
    for name, value in changed.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@lru_cache(1024)
def _may_be_known(name: str) -> bool:
    return not name.startswith("DIPEO_") and owner_of(name) is None


def log_nothing() -> None:
    """Keep litellm from logging the success of what is awaited in this context.

    Nobody listens, and the task that it starts for that would be left behind by the loop that it is
    on. What is streamed is logged otherwise.
    """
    from litellm._internal_context import is_internal_call  # noqa: PLC0415 - slow, as above

    is_internal_call.set(True)
