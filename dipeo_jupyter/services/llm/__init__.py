"""Speaks with models: through litellm with real ones, and with the demo by name.

Start at `service.LiteLLM.chat`. What a provider refuses is put into words where its answer arrives
(`guard`), before litellm can wrap it, log it or try again behind our back. `answer` puts the pieces
together and counts tokens, `failures` says what can be wrong, `turns` is the queue in front of a
provider, `call` the state of one call and how long one waits for it, `aside` the thread all of it
lives on; `router` knows who is asked. litellm is imported in `loading` alone, at the first call.
"""

from .router import LLMRouter
from .service import LiteLLM

__all__ = ["LLMRouter", "LiteLLM"]
