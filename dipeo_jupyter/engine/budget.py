"""Keeping a run within its budget: nobody calls a model whose answer it cannot pay for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from ..protocol.events import Budget, Usage
from .prices import Quote

NEARLY = 0.8
"""The part of a budget after which people are warned."""


class Host(Protocol):
    """What the purse needs of the run that it belongs to."""

    @property
    def budget(self) -> Budget: ...

    def out_of_budget(self, message: str) -> None:
        """Pause, for this reason."""
        ...

    def take_back(self, nodes: set[int], message: str) -> None:
        """Interrupt nodes that wait for money; when the run goes on they start again."""
        ...

    def warn_of_budget(self, used: Usage) -> None: ...


class Purse:
    """What a run has taken with all its parts, and what the calls under way will take."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.used = Usage()
        self._promised = Usage()
        self._under_way = 0
        self._waiting: dict[int, int] = {}
        """How many calls of each node of the run wait until there is money for them."""
        self._changed = asyncio.Event()
        self._warned: Budget | None = None

    def spend(self, usage: Usage) -> None:
        """A call has taken this."""
        self.used += usage
        budget = self._host.budget
        if self._warned != budget and _most_used(self.used, budget) >= NEARLY:
            self._warned = budget
            self._host.warn_of_budget(self.used)

    def look_again(self) -> None:
        """Somebody goes on with the run, perhaps with another budget."""
        self._changed.set()

    @contextmanager
    def paying(self, quote: Quote) -> Iterator[None]:
        """Hold back what a call will take at least, for as long as it is under way."""
        usage = quote.usage
        self._promised += usage
        self._under_way += 1
        try:
            yield
        finally:
            self._promised -= usage
            self._under_way -= 1
            # Not at once: what comes of the call is to be said before its node is interrupted.
            asyncio.get_running_loop().call_soon(self._let_go)

    async def room_for(self, quote: Quote, node: int) -> None:
        """Wait until a call can be paid for; meanwhile the run pauses.

        `node` is the one of the whole run for which it is made. When nothing is under way any more
        the nodes that wait are interrupted, this call with them.
        """
        while (lack := self._lack(quote.usage)) is not None:
            self._changed.clear()
            self._host.out_of_budget(lack)
            self._waiting[node] = self._waiting.get(node, 0) + 1
            self._message = lack
            try:
                asyncio.get_running_loop().call_soon(self._let_go)
                await self._changed.wait()
            finally:
                self._waiting[node] -= 1
                if not self._waiting[node]:
                    del self._waiting[node]

    def _let_go(self) -> None:
        if self._waiting and not self._under_way and not self._changed.is_set():
            self._host.take_back(set(self._waiting), self._message)

    def _lack(self, usage: Usage) -> str | None:
        """Why a call cannot be made, for people; None when it can."""
        budget, whole = self._host.budget, self.used + self._promised + usage
        if budget.calls is not None and whole.calls > budget.calls:
            return f"The run may make {_count(budget.calls, 'call')} to models, and has made them."
        if budget.tokens is not None and whole.tokens > budget.tokens:
            return (
                f"The run may take {budget.tokens:,} tokens and has taken {self.used.tokens:,}; "
                f"the next call takes about {usage.tokens:,}{self._others()}."
            )
        if budget.usd is not None and whole.nano_usd > budget.usd * 1e9:
            return (
                f"The run may cost ${budget.usd:g} and has cost {self.used.cost}; the next call "
                f"costs about {usage.cost}{self._others()}."
            )
        return None

    def _others(self) -> str:
        return ", beside those under way" if self._under_way else ""


def _most_used(used: Usage, budget: Budget) -> float:
    """The part that is used up of the limit that is nearest."""
    pairs = (
        (used.nano_usd / 1e9, budget.usd),
        (used.calls, budget.calls),
        (used.tokens, budget.tokens),
    )
    return max((taken / limit for taken, limit in pairs if limit), default=0.0)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
