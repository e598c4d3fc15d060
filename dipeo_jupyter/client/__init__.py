"""How to talk to an engine, wherever it runs: `send` a command, follow the `events` of a run.

`Engine` is a `Client` by its shape. Everything above (magics, terminal, tests) knows only this
pair. What all faces need to talk with people about a run is here too: its questions
(`conversation.py`), changes and places that they name (`naming.py`), lines (`words.py`) and tables
(`tables.py`).
"""

from .budgets import add_budget, budget_in, budget_of
from .checks import check, check_answers
from .conversation import Ask, Client, Conversation, nobody
from .naming import Place, breakpoints, changed, place_of, when
from .words import explain, in_words, json_or_text

__all__ = [
    "Ask",
    "Client",
    "Conversation",
    "Place",
    "add_budget",
    "breakpoints",
    "budget_in",
    "budget_of",
    "changed",
    "check",
    "check_answers",
    "explain",
    "in_words",
    "json_or_text",
    "nobody",
    "place_of",
    "when",
]
