"""Speaks with models: through litellm with real ones, and with the demo by name.

litellm takes seconds to import and stands still for half a second at a time, so it lives in a
process of its own, the worker. Nobody else imports it.

Here: start at `service.LiteLLM.chat`. `turns` is the queue in front of a provider, `helper` the
worker as one sees it from here, `frames` what goes through its pipes; `router` knows who is asked.

There: start at `worker.main`. `asking` asks. What a provider refuses is put into words where its
answer arrives (`guard`), before litellm can wrap it, log it or try again behind our back. `answer`
puts the pieces together and counts tokens, `failures` says what can be wrong, `call` is the state
of one call and how long one waits for it. litellm is imported in `loading` alone.
"""

from .router import LLMRouter
from .service import LiteLLM

__all__ = ["LLMRouter", "LiteLLM"]
