"""Imports litellm, late and with its hands tied."""

from __future__ import annotations

import os
from typing import Any


def load_litellm() -> Any:
    """The module, which takes seconds the first time."""
    # Set before the import, which reads them: without the first it downloads a list of prices,
    # without the second it loads the `.env` of the current folder into the environment, so that
    # a cloned repository could redirect requests, and their keys, by OPENAI_BASE_URL.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    # Without it, the first question to Claude that needs a beta downloads a list of them.
    os.environ.setdefault("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True")
    import litellm  # noqa: PLC0415 - takes seconds: only who speaks to a model pays

    litellm.suppress_debug_info = True
    return litellm


def log_nothing() -> None:
    """Keep litellm from logging the success of what is awaited in this context.

    Nobody listens, and the task that it starts for that would be left behind by the loop that it is
    on. What is streamed is logged otherwise.
    """
    from litellm._internal_context import is_internal_call  # noqa: PLC0415 - slow, as above

    is_internal_call.set(True)
