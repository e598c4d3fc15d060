"""The demo answers without network, and depends on nothing but the request."""

import asyncio

import pytest

from dipeo_jupyter.diagram.model import Person
from dipeo_jupyter.engine.chat import ChatMessage, ChatRequest
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.demo import DemoLLM


def ask(*messages, on_text=len, **person):
    chat = [ChatMessage(role, content) for role, content in messages]
    request = ChatRequest(Person(service="demo", **person), chat, timeout=1)
    return asyncio.run(DemoLLM().chat(request, on_text))


def test_says_it_is_a_demo_and_who_it_is():
    answer = ask(("system", "You are the Optimist. Be kind."), ("user", "Is it late?"))
    assert answer.text == "[demo] As the Optimist, I heard “Is it late?”"


def test_counts_the_messages_before_the_last():
    answer = ask(("user", "One"), ("assistant", "Two"), ("user", "Three"))
    assert answer.text == "[demo] I heard “Three” (2 earlier messages)"


def test_one_earlier_message_is_not_called_messages():
    assert ask(("user", "One"), ("user", "Two")).text == "[demo] I heard “Two” (1 earlier message)"


def test_quotes_another_kind_of_system_prompt():
    answer = ask(("system", "Answer in French!\nAlways."), ("user", "Hello"))
    assert answer.text == "[demo] Told to “Answer in French”, I heard “Hello”"


def test_shortens_what_it_quotes_to_eighty_letters():
    answer = ask(("user", "ä" * 40 + "\n\n" + "b" * 400))
    assert answer.text == f"[demo] I heard “{'ä' * 40} {'b' * 38}…”"


def test_answers_even_when_there_is_nothing_to_answer():
    assert ask().text == "[demo] I heard nothing yet"


def test_gives_the_same_answer_to_the_same_request():
    messages = ("system", "You are kind."), ("user", "Hello")
    assert ask(*messages) == ask(*messages)


@pytest.mark.parametrize(("turns", "expected"), [(0, "first"), (1, "second"), (2, "first")])
def test_scripted_answers_follow_the_persons_own_turns(turns, expected):
    before = [("user", "?"), ("assistant", "!")] * turns
    assert ask(*before, ("user", "?"), answers=["first", "second"]).text == expected


def test_a_person_that_forgets_repeats_the_first_answer():
    assert ask(("user", "third question"), answers=["first", "second"]).text == "first"


@pytest.mark.parametrize("answers", ["no list", [1, 2], [""], [], {"a": "b"}])
def test_answers_that_are_no_texts_are_refused(answers):
    with pytest.raises(ServiceError, match="`answers` of a demo person"):
        ask(("user", "?"), answers=answers)


@pytest.mark.parametrize(
    "text", ["one two  three", " spaces around ", "lines\nand\ttabs\n", "x", " "]
)
def test_pieces_together_are_the_text(text):
    pieces = []
    assert ask(answers=[text], on_text=pieces.append).text == "".join(pieces) == text


def test_others_run_between_the_pieces():
    heard = []

    async def listen():
        while True:
            heard.append("other")
            await asyncio.sleep(0)

    async def run():
        listener = asyncio.create_task(listen())
        person = Person(service="demo", answers=["a b c"])
        await DemoLLM().chat(ChatRequest(person, [], timeout=1), heard.append)
        listener.cancel()

    asyncio.run(run())
    assert heard == ["a", "other", " b", "other", " c", "other"]


def test_usage_is_the_number_of_words():
    usage = ask(("system", "Be brief."), ("user", "How are you?"), answers=["very well"]).usage
    assert (usage.input_tokens, usage.output_tokens) == (5, 2)


def said(person, *chat):
    return asyncio.run(DemoLLM().chat(ChatRequest(person, chat, timeout=1), len))


def test_an_answer_may_be_the_use_of_a_tool():
    person = Person(
        service="demo", answers=[{"use": "rate", "with": {"of": "tea"}}, "It is 3.", {"use": "x"}]
    )
    first = said(person, ChatMessage("user", "How much?"))
    (call,) = first.calls
    assert ("", "rate", '{"of": "tea"}') == (first.text, call.name, call.arguments)
    asked = ChatMessage("assistant", "", calls=first.calls)
    second = said(person, asked, ChatMessage("tool", "3", answers=first.calls[0].id))
    assert ("It is 3.", ()) == (second.text, second.calls)


@pytest.mark.parametrize("answer", [{"use": 3}, {"with": {}}, {"use": "x", "more": 1}, 3, ""])
def test_what_is_no_answer_is_refused(answer):
    with pytest.raises(ServiceError, match="list of texts, each in quotes, or of tools"):
        said(Person(service="demo", answers=[answer]), ChatMessage("user", "hi"))
