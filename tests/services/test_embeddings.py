"""Texts to vectors: through litellm at a provider on loopback, and without one by the demo."""

from __future__ import annotations

import asyncio

import pytest

from dipeo_jupyter.diagram.model import Person
from dipeo_jupyter.engine.ports import EmbedRequest
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.nodes.recall import likeness
from dipeo_jupyter.services.embeddings import BATCH, Embeddings
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM
from tests.steering import REAL_MODELS

pytestmark = REAL_MODELS

KEY = "sk-canary-0123456789abcdef"
SMALL, DEMO = Person(model="openai/text-embedding-3-small"), Person(model="demo")


@pytest.fixture
def at(openai_server):
    """Ask for the vectors of texts, one request after the other, of one service."""

    def ask(*requests, model=SMALL, timeout=20.0):
        async def main():
            llm = LiteLLM(Keys({"OPENAI_API_KEY": KEY}), {"openai": openai_server.url})
            embedder = Embeddings(llm)
            try:
                return [
                    await embedder.embed(EmbedRequest(model, texts, timeout)) for texts in requests
                ]
            finally:
                await llm.aclose()

        return asyncio.run(main())

    return ask


def test_vectors_come_in_the_order_of_the_texts(at, openai_server):
    ((vectors, usage),) = at(["aab", "b"])

    assert [list(each[:3]) for each in vectors] == [[2.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
    assert (usage.input_tokens, usage.output_tokens) == (2, 0)
    (request,) = openai_server.requests
    assert (request.body["model"], request.key) == ("text-embedding-3-small", KEY)
    assert request.body["encoding_format"] == "float"


def test_a_text_is_sent_once_however_often_it_is_asked_for(at, openai_server):
    first, second, third = at(["a", "b", "a"], ["b", "c"], ["c"])

    assert openai_server.embedded == [["a", "b"], ["c"]]
    assert len(first.vectors) == 3
    assert (second.usage.input_tokens, third.usage.input_tokens) == (1, 0)
    assert list(second.vectors[0]) == list(first.vectors[1])


def test_many_texts_go_in_batches(at, openai_server):
    ((vectors, usage),) = at([f"text {number}" for number in range(2 * BATCH + 1)])

    assert [len(each) for each in openai_server.embedded] == [BATCH, BATCH, 1]
    assert (len(vectors), usage.input_tokens) == (2 * BATCH + 1, 2 * BATCH + 1)


@pytest.mark.parametrize(("status", "again"), [(429, True), (500, True), (401, False)])
def test_a_refusal_is_told_without_the_key_and_asked_once(at, openai_server, status, again):
    openai_server.scripted_embeddings = True
    openai_server.fail(status, echo_key=True)

    with pytest.raises(ServiceError, match=f"refused .{status}.") as caught:
        at(["a"])
    assert (caught.value.retryable, len(openai_server.requests)) == (again, 1)
    assert KEY not in str(caught.value)


def test_whoever_does_not_answer_in_time_is_given_up(at, openai_server):
    openai_server.scripted_embeddings = True
    openai_server.hang()

    with pytest.raises(ServiceError, match="gave no answer within") as caught:
        at(["a"], timeout=0.2)
    assert caught.value.retryable


@pytest.mark.parametrize("kind", ["html", "json", "nothing"])
def test_what_is_no_answer_is_refused(at, openai_server, kind):
    openai_server.scripted_embeddings = True
    openai_server.garbage(kind)

    with pytest.raises(ServiceError):
        at(["a"])


def test_the_demo_finds_texts_alike_that_share_words(at, openai_server):
    ((vectors, _),) = at(["tea with milk", "Milk, and tea!", "the weather"], model=DEMO)

    assert likeness(vectors[0], vectors[1]) > likeness(vectors[0], vectors[2])
    assert not openai_server.requests


def test_without_a_real_model_only_the_demo_answers():
    embedder = Embeddings(None)

    with pytest.raises(ServiceError, match="memory_selector: lexical"):
        asyncio.run(embedder.embed(EmbedRequest(SMALL, ["a"], 1.0)))
    assert asyncio.run(embedder.embed(EmbedRequest(DEMO, ["a"], 1.0))).vectors


def test_the_identity_says_which_model_and_where(openai_server):
    llm = LiteLLM(Keys({"OPENAI_API_KEY": KEY}), {"openai": openai_server.url})
    identity = Embeddings(llm).identity(SMALL)

    assert identity["model"] == "text-embedding-3-small"
    assert KEY not in str(identity)
    with pytest.raises(ServiceError, match="does not say whose it is"):
        Embeddings(llm).identity(Person(model="text-embedding-3-small"))
