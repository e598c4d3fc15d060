"""What calls to models cost, and what they may cost at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..protocol.events import Usage

CHARACTERS_PER_TOKEN = 4
"""In English; with other languages and code, an estimate made with it is too low."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Billionths of a dollar for one token, when more than `above` tokens go in.

    Tokens read from a provider's cache and tokens written to it have prices of their own.
    """

    input: float
    output: float
    cached: float
    cache_write: float
    above: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs: the rates for short requests first. `reasoning` is for such tokens."""

    rates: Sequence[Rates]
    reasoning: float | None = None

    def nano_usd(self, usage: Usage) -> int:
        """What a call with these tokens costs, in billionths of a dollar."""
        *_, rates = [each for each in self.rates if usage.input_tokens >= each.above]
        plain = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
        thought = usage.reasoning_tokens if self.reasoning is not None else 0
        return round(
            plain * rates.input
            + usage.cached_tokens * rates.cached
            + usage.cache_write_tokens * rates.cache_write
            + (usage.output_tokens - thought) * rates.output
            + thought * (self.reasoning or 0.0)
        )


FREE = Price((Rates(0.0, 0.0, 0.0, 0.0),))


def billed(usage: Usage, price: Price | None) -> Usage:
    """The usage of one call, with what it costs."""
    if price is None:
        return usage.model_copy(update={"calls": 1, "unpriced": 1, "nano_usd": 0})
    return usage.model_copy(update={"calls": 1, "unpriced": 0, "nano_usd": price.nano_usd(usage)})


class Billed(NamedTuple):
    """What an effect gave, and what it took."""

    value: Any
    usage: Usage


@dataclass(frozen=True, slots=True)
class Quote:
    """What a call will take, as far as that shows before it is made.

    The tokens of the request are estimated from its length, those of the answer are the most that
    it may have (`most_output`), if there is a limit.
    """

    characters: int
    price: Price | None
    most_output: int | None = None

    @property
    def usage(self) -> Usage:
        """An estimate."""
        tokens = -(-self.characters // CHARACTERS_PER_TOKEN)
        return billed(Usage(input_tokens=tokens, output_tokens=self.most_output or 0), self.price)
