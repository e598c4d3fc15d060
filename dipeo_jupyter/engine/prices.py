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
    """What a model costs: the rates for short requests first. `reasoning` is for such tokens.

    Images cost by the tokens that they are made of (`image_token`), or each the same (`image`).
    """

    rates: Sequence[Rates]
    reasoning: float | None = None
    image_token: float | None = None
    image: float | None = None

    def is_known(self, usage: Usage, images: int = 0) -> bool:
        """Whether it says what a call costs that made so many images."""
        if not images and not usage.image_tokens:
            return True
        counted = self.image_token is not None and usage.image_tokens > 0
        return counted or self.image is not None

    def nano_usd(self, usage: Usage, images: int = 0) -> int:
        """What a call with these tokens and images costs, in billionths of a dollar."""
        *_, rates = [each for each in self.rates if usage.input_tokens >= each.above]
        plain = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
        thought = usage.reasoning_tokens if self.reasoning is not None else 0
        drawn = usage.image_tokens if self.image_token is not None else 0
        return round(
            plain * rates.input
            + usage.cached_tokens * rates.cached
            + usage.cache_write_tokens * rates.cache_write
            + (usage.output_tokens - thought - drawn) * rates.output
            + thought * (self.reasoning or 0.0)
            + drawn * (self.image_token or 0.0)
            + images * (self.image or 0.0)
        )


FREE = Price((Rates(0.0, 0.0, 0.0, 0.0),), image=0.0)


def billed(usage: Usage, price: Price | None, images: int = 0) -> Usage:
    """The usage of one call that made so many images, with what it costs."""
    if price is None or not price.is_known(usage, images):
        return usage.model_copy(update={"calls": 1, "unpriced": 1, "nano_usd": 0})
    cost = price.nano_usd(usage, images)
    return usage.model_copy(update={"calls": 1, "unpriced": 0, "nano_usd": cost})


class Billed(NamedTuple):
    """What an effect gave, and what it took; what is `replayed` was recorded, and is free."""

    value: Any
    usage: Usage
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """What a call will take, as far as that shows before it is made.

    The tokens of the request are estimated from its length, those of the answer are the most that
    it may have (`most_output`), if there is a limit. `images` are made by it.
    """

    characters: int
    price: Price | None
    most_output: int | None = None
    images: int = 0

    @property
    def usage(self) -> Usage:
        """An estimate."""
        tokens = -(-self.characters // CHARACTERS_PER_TOKEN)
        usage = Usage(input_tokens=tokens, output_tokens=self.most_output or 0)
        return billed(usage, self.price, self.images)
