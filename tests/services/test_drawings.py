"""Images that are drawn: by providers on loopback, through litellm, and by the demo."""

from __future__ import annotations

import asyncio
import struct
import zlib
from base64 import b64decode
from contextlib import closing

import pytest

from dipeo_jupyter.diagram.model import Person
from dipeo_jupyter.engine.ports import DrawRequest
from dipeo_jupyter.engine.prices import billed
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.protocol.events import Usage
from dipeo_jupyter.services.drawings import Drawings
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM
from dipeo_jupyter.services.llm.failures import IMAGES_LIMIT
from tests.gemini_server import GeminiServer
from tests.openai_server import IMAGES, PICTURE, PNG
from tests.steering import REAL_MODELS

pytestmark = REAL_MODELS

KEY = "sk-canary-0123456789abcdef"
KEYS = dict.fromkeys(("OPENAI_API_KEY", "XAI_API_KEY", "GEMINI_API_KEY"), KEY)
URL = f"data:image/png;base64,{PNG}"
OPENAI, XAI = Person(model="openai/gpt-image-2"), Person(model="xai/grok-imagine-image")
GEMINI = Person(model="gemini/gemini-3.1-flash-image")
DEMO = Person(model="demo")


def asked(server, *requests, **options):
    """Have images drawn, one after the other, by providers that are all at one address."""

    async def main():
        llm = LiteLLM(Keys(KEYS), dict.fromkeys(("openai", "xai", "gemini"), server.url))
        drawings = Drawings(llm, **options)
        try:
            return [await drawings.draw(each) for each in requests]
        finally:
            await llm.aclose()

    return asyncio.run(main())


def wish(model=OPENAI, prompt="a cat", timeout=20.0, **options):
    return DrawRequest(model.model_copy(update=options), prompt, timeout)


@pytest.fixture
def scripted(openai_server):
    openai_server.scripted_images = True
    return openai_server


# What is asked, and what comes of it --------------------------------------------------------------


@pytest.mark.parametrize("model", [OPENAI, XAI], ids=["openai", "xai"])
def test_an_image_comes_as_a_url_with_all_its_data(openai_server, model):
    ((images, _),) = asked(openai_server, wish(model))

    assert images == (URL,)
    (request,) = openai_server.requests
    name = model.model.partition("/")[2]
    assert (request.path, request.key) == (IMAGES, KEY)
    assert request.body == {"model": name, "prompt": "a cat"}


def test_options_go_to_the_provider_as_they_are(openai_server):
    ((images, _),) = asked(openai_server, wish(size="1024x1024", quality="low", n=2))

    assert images == (URL, URL)
    (body,) = openai_server.drawn
    assert (body["size"], body["quality"], body["n"]) == ("1024x1024", "low", 2)


def test_what_comes_out_is_counted_as_tokens_of_images(openai_server):
    ((_, usage),) = asked(openai_server, wish())

    assert usage == Usage(input_tokens=10, output_tokens=272, image_tokens=272)


def test_of_what_comes_out_a_part_may_be_text(openai_server):
    details = {"output_tokens_details": {"image_tokens": 200, "text_tokens": 72}}
    openai_server.image_usage = openai_server.image_usage | details
    ((_, usage),) = asked(openai_server, wish())

    assert (usage.output_tokens, usage.image_tokens) == (272, 200)


def test_an_image_at_an_address_of_the_provider_is_fetched_without_the_key(scripted):
    scripted.draw_as(url=scripted.url.replace("/v1", PICTURE))
    scripted.picture()
    ((images, _),) = asked(scripted, wish(XAI))

    assert images == (URL,)
    assert [each.key for each in scripted.requests] == [KEY, ""]


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "file:///etc/passwd", "picture.png"]
)
def test_an_image_at_another_address_without_https_is_not_fetched(scripted, url):
    scripted.draw_as(url=url)

    with pytest.raises(ServiceError, match="at an address that is not asked"):
        asked(scripted, wish(XAI))


def test_what_is_no_image_is_no_answer(scripted):
    scripted.draw_as(url=scripted.url.replace("/v1", PICTURE))
    scripted.picture("<html>Sign in</html>")

    with pytest.raises(ServiceError, match="something that is no answer"):
        asked(scripted, wish(XAI))


@pytest.mark.parametrize("data", ["a", "PGh0bWw+", "é"])
def test_data_that_is_no_image_is_no_answer(scripted, data):
    scripted.draw_as(b64_json=data)

    with pytest.raises(ServiceError, match="something that is no answer"):
        asked(scripted, wish())


def test_images_that_are_too_large_are_refused(scripted):
    scripted.draw_as(b64_json="A" * (IMAGES_LIMIT + 1))

    with pytest.raises(ServiceError, match="choose a smaller size"):
        asked(scripted, wish())


def test_an_image_that_is_at_yet_another_address_is_not_followed(scripted):
    scripted.draw_as(url=scripted.url.replace("/v1", PICTURE))
    scripted.fail(302, location="http://127.0.0.1:1/")

    with pytest.raises(ServiceError, match="to another address"):
        asked(scripted, wish(XAI))


# What goes wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [OPENAI, XAI], ids=["openai", "xai"])
@pytest.mark.parametrize(("status", "again"), [(429, True), (500, True), (400, False)])
def test_a_refusal_is_told_without_the_key_and_asked_once(scripted, model, status, again):
    scripted.fail(status, echo_key=True, retry_after=7)

    with pytest.raises(ServiceError, match=f"refused .{status}.: It was scripted so") as caught:
        asked(scripted, wish(model))
    error = caught.value
    assert (error.retryable, error.retry_after, len(scripted.requests)) == (again, 7.0, 1)
    assert KEY not in str(error)


def test_a_redirect_is_not_followed(scripted):
    scripted.fail(307, location="http://127.0.0.1:1/")

    with pytest.raises(ServiceError, match="the key would go with it"):
        asked(scripted, wish())


def test_whoever_does_not_draw_in_time_is_given_up(scripted):
    scripted.hang()

    with pytest.raises(ServiceError, match="gave no answer within") as caught:
        asked(scripted, wish(timeout=0.2))
    assert caught.value.retryable


def test_a_drawing_that_nobody_waits_for_closes_its_connection(scripted):
    scripted.hang()

    async def main():
        llm = LiteLLM(Keys(KEYS), {"openai": scripted.url})
        drawing = asyncio.ensure_future(llm.draw(wish()))
        await asyncio.to_thread(scripted.wait, lambda: scripted.requests)
        drawing.cancel()
        closed = await asyncio.to_thread(scripted.wait, lambda: not scripted.open_connections)
        await llm.aclose()
        return closed

    assert asyncio.run(main())


@pytest.mark.parametrize("kind", ["html", "json", "nothing"])
def test_what_is_no_answer_is_refused(scripted, kind):
    scripted.garbage(kind)

    with pytest.raises(ServiceError):
        asked(scripted, wish())


@pytest.mark.parametrize("name", ["api_base", "sizes", "extra_headers", "mock_response"])
def test_options_that_are_none_are_refused_before_anybody_is_asked(openai_server, name):
    with pytest.raises(ServiceError):
        asked(openai_server, wish(**{name: "x"}))
    assert not openai_server.requests


# Gemini -------------------------------------------------------------------------------------------


@pytest.fixture
def gemini():
    with closing(GeminiServer()) as server:
        yield server


def test_gemini_draws_when_it_is_spoken_to(gemini):
    counts = {"promptTokenCount": 4, "candidatesTokenCount": 1120, "totalTokenCount": 1124}
    gemini.usage(**counts, candidatesTokensDetails=[{"modality": "IMAGE", "tokenCount": 1120}])
    gemini.draw(PNG)
    ((images, usage),) = asked(gemini, wish(GEMINI, imageConfig={"aspectRatio": "16:9"}))

    assert images == (URL,)
    assert usage == Usage(input_tokens=4, output_tokens=1120, image_tokens=1120)
    (request,) = gemini.requests
    config = request.body["generationConfig"]
    assert config["responseModalities"] == ["IMAGE", "TEXT"]
    assert config["imageConfig"] == {"aspectRatio": "16:9"}


def test_gemini_may_say_why_it_draws_nothing(gemini):
    gemini.reply("I would rather not.")

    with pytest.raises(ServiceError, match=r"drew nothing\. It said: I would rather not\."):
        asked(gemini, wish(GEMINI))


# The demo, cassettes ------------------------------------------------------------------------------


def test_the_demo_draws_the_same_for_the_same_words(openai_server):
    wishes = (wish(DEMO), wish(DEMO), wish(DEMO, "a dog"))
    one, same, other = (each.images for each in asked(openai_server, *wishes))

    assert one == same != other
    assert not openai_server.requests


def test_what_the_demo_draws_is_a_png():
    ((image,), _) = asyncio.run(Drawings(None).draw(wish(DEMO)))
    data = b64decode(image.removeprefix("data:image/png;base64,"))

    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    place, kinds = 8, []
    while place < len(data):
        (size,) = struct.unpack_from(">I", data, place)
        body, (checksum,) = (
            data[place + 4 : place + 8 + size],
            struct.unpack_from(">I", data, place + 8 + size),
        )
        assert zlib.crc32(body) == checksum
        kinds.append(body[:4])
        place += 12 + size
    assert kinds == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]


def test_while_a_cassette_is_replayed_only_the_demo_draws(openai_server):
    with pytest.raises(ServiceError, match="not on a cassette"):
        asked(openai_server, wish(), replaying=True)
    assert asked(openai_server, wish(DEMO), replaying=True)[0].images
    assert not openai_server.requests


# Who it is, and what it costs ---------------------------------------------------------------------


def test_the_identity_says_which_model_with_which_options(openai_server):
    drawings = Drawings(LiteLLM(Keys(KEYS), {"openai": openai_server.url}))
    identity = drawings.identity(wish(size="1024x1024").model)

    assert (identity["provider"], identity["size"]) == ("openai", "1024x1024")
    assert KEY not in str(identity)


@pytest.mark.parametrize(
    ("model", "usage", "images", "cost"),
    [
        (OPENAI, Usage(input_tokens=10, output_tokens=272, image_tokens=272), 1, "$0.0082"),
        (GEMINI, Usage(input_tokens=10, output_tokens=1120, image_tokens=1120), 1, "$0.0672"),
        (GEMINI, Usage(input_tokens=10, output_tokens=1120), 1, "≥ $0.00"),
        (XAI, Usage(), 2, "$0.0400"),
        (Person(model="openai/gpt-4o"), Usage(output_tokens=9), 1, "≥ $0.00"),
        (Person(model="openai/gpt-image-99"), Usage(image_tokens=9), 1, "≥ $0.00"),
        (DEMO, Usage(input_tokens=2), 1, "$0.00"),
    ],
)
def test_images_cost_by_their_tokens_or_each_the_same(model, usage, images, cost):
    price = Drawings(LiteLLM(Keys({}))).price(model)

    assert billed(usage, price, images).cost == cost
