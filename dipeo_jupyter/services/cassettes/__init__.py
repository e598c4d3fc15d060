"""Cassettes: files of what models answered, recorded once and replayed ever after.

Start at `player.CassetteLLM`, which stands before another `LLM`. `tape` is the file, as several
threads and processes record on it; `text` is how it is written, for people to read; `misses` says
why a request has no answer there.
"""

from .player import CassetteLLM, taking
from .tape import Cassette, Take

__all__ = ["Cassette", "CassetteLLM", "Take", "taking"]
