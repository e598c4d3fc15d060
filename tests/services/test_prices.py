"""What tokens cost: our sums against litellm's own, and against a list of prices by others."""

from __future__ import annotations

import genai_prices as prices
import pytest

from dipeo_jupyter.engine.prices import FREE, Price, Quote, Rates, billed
from dipeo_jupyter.protocol.events import Usage
from dipeo_jupyter.services.llm.loading import load_litellm
from dipeo_jupyter.services.prices import price_of, takes_schema

PAYLOADS = {
    "plain": Usage(input_tokens=1_000, output_tokens=500),
    "read from the cache": Usage(input_tokens=10_000, output_tokens=50, cached_tokens=8_000),
    "written to the cache": Usage(input_tokens=9_000, output_tokens=1, cache_write_tokens=8_192),
    "both": Usage(
        input_tokens=9_000, output_tokens=7, cached_tokens=2_000, cache_write_tokens=4_000
    ),
    "thought about": Usage(input_tokens=10, output_tokens=900, reasoning_tokens=850),
    "long": Usage(input_tokens=250_000, output_tokens=1_000, cached_tokens=100_000),
    "drawn": Usage(input_tokens=20, output_tokens=1_300, image_tokens=1_120),
    "nothing": Usage(),
}
MODELS = [
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-4o"),
    ("openai", "gpt-4.1"),
    ("openai", "gpt-5"),
    ("openai", "o3"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("gemini", "gemini-2.5-pro"),
    ("gemini", "gemini-2.5-flash"),
    ("gemini", "gemini-2.5-flash-image"),
    ("gemini", "gemini-3.1-flash-image"),
    ("deepseek", "deepseek-chat"),
]


@pytest.mark.parametrize("usage", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize(("provider", "model"), MODELS, ids=[model for _, model in MODELS])
def test_the_sum_is_that_of_litellm(provider, model, usage):
    litellm = load_litellm()
    kinds = litellm.types.utils
    counted = litellm.Usage(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.tokens,
        prompt_tokens_details=kinds.PromptTokensDetailsWrapper(
            cached_tokens=usage.cached_tokens, cache_creation_tokens=usage.cache_write_tokens
        ),
        completion_tokens_details=kinds.CompletionTokensDetailsWrapper(
            reasoning_tokens=usage.reasoning_tokens, image_tokens=usage.image_tokens
        ),
        cache_creation_input_tokens=usage.cache_write_tokens,
        cache_read_input_tokens=usage.cached_tokens,
    )
    parts = litellm.cost_calculator.cost_per_token(
        model=model, custom_llm_provider=provider, usage_object=counted
    )
    price = price_of(provider, model)
    assert price is not None
    assert price.nano_usd(usage) == pytest.approx(sum(parts) * 1e9, abs=1)


def test_most_sums_are_those_of_another_list():
    """Not all: prices change, and neither list is always the newer one."""
    same = 0
    for provider, model in MODELS:
        usage, price = PAYLOADS["read from the cache"], price_of(provider, model)
        theirs = prices.calc_price(
            prices.Usage(
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cache_read_tokens=usage.cached_tokens,
            ),
            model_ref=model,
            provider_id="google" if provider == "gemini" else provider,
        )
        same += (
            price is not None
            and abs(price.nano_usd(usage) - round(theirs.total_price * 10**9)) <= 1
        )
    assert same >= len(MODELS) * 0.7


def test_a_model_that_nobody_knows_has_no_price():
    assert price_of("openai", "gpt-99-nano") is None
    usage = billed(Usage(input_tokens=3), None)
    assert (usage.calls, usage.unpriced, usage.nano_usd, usage.cost) == (1, 1, 0, "≥ $0.00")


@pytest.mark.parametrize(
    ("nano", "shown"),
    [
        (0, "$0.00"),
        (1, "$0.000000001"),
        (99_999, "$0.000099999"),
        (450_000, "$0.0004"),
        (12_345_678, "$0.0123"),
        (1_500_000_000, "$1.50"),
        (1_234_567_890_000, "$1234.57"),
    ],
)
def test_dollars_are_shown_as_people_read_them(nano, shown):
    assert Usage(nano_usd=nano).cost == shown


def test_what_goes_in_beyond_a_step_costs_more_from_the_first_token():
    step = Price((Rates(1, 2, 1, 1), Rates(10, 20, 10, 10, above=101)))
    assert step.nano_usd(Usage(input_tokens=100, output_tokens=1)) == 102
    assert step.nano_usd(Usage(input_tokens=101, output_tokens=1)) == 1030


def test_an_estimate_takes_four_characters_for_a_token_and_the_longest_answer():
    assert Quote(10, FREE, 7).usage == Usage(input_tokens=3, output_tokens=7, calls=1)
    assert Quote(0, None).usage == Usage(calls=1, unpriced=1)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        *MODELS,
        ("openai", "gpt-3.5-turbo"),
        ("openai", "nobody-knows"),
        ("mistral", "mistral-small-latest"),
        ("fireworks_ai", "accounts/fireworks/models/nobody-knows"),
        ("lm_studio", "m"),
        ("nobody", "gpt-4o"),
    ],
)
def test_who_takes_schemas_is_what_litellm_says(provider, model):
    said = load_litellm().supports_response_schema(model=model, custom_llm_provider=provider)
    assert said == takes_schema(provider, model)
