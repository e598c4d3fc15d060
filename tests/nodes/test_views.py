"""Views of the conversation: who sees what of what was said."""

from __future__ import annotations

from typing import get_args

import pytest

from dipeo_jupyter.engine.chat import ChatMessage
from dipeo_jupyter.nodes.views import View, as_chat, choose, is_view, memory_named
from dipeo_jupyter.protocol.events import Message

TALK = [
    Message(id="to me", recipient="me", content="Hello me"),
    Message(id="by me", sender="me", content="Hello all"),
    Message(id="to you", recipient="you", content="Hello you"),
    Message(id="by you", sender="you", content="Hi"),
    Message(id="you to me", sender="you", recipient="me", content="Psst"),
    Message(id="overheard", content="Ding"),
]


def ids(view="ALL_MESSAGES", **limits):
    return [message.id for message in choose(TALK, view, "me", **limits)]


@pytest.mark.parametrize(
    ("view", "seen"),
    [
        ("ALL_INVOLVED", ["to me", "by me", "you to me"]),
        ("CONVERSATION_PAIRS", ["to me", "by me", "you to me"]),
        ("ALL_MESSAGES", [message.id for message in TALK]),
        ("SENT_BY_ME", ["by me"]),
        ("SENT_TO_ME", ["to me", "you to me"]),
        ("SYSTEM_AND_ME", ["to me", "by me"]),
        ("GOLDFISH", []),
    ],
)
def test_a_view_chooses_and_keeps_the_order(view, seen):
    assert seen == ids(view)


def test_at_most_keeps_the_newest_of_the_view():
    assert ["by me", "you to me"] == ids("ALL_INVOLVED", at_most=2)
    assert ids() == ids(at_most=99)


def test_ignored_persons_are_neither_heard_nor_addressed():
    assert ["to me", "by me", "overheard"] == ids(ignored=["you"])


def test_who_is_ignored_does_not_use_up_the_limit():
    assert ["to me", "by me"] == ids("ALL_INVOLVED", at_most=2, ignored=["you"])


def test_only_my_own_messages_are_the_assistants():
    roles = [chat for message in TALK[:4] for chat in as_chat(message, "me")]
    assert ChatMessage("assistant", "Hello all") == roles[1]
    assert ["user", "assistant", "user", "user"] == [each.role for each in roles]


@pytest.mark.parametrize("view", get_args(View))
def test_every_view_is_known_in_any_spelling(view):
    assert {view} == {memory_named(each) for each in (view, view.lower(), f" {view.title()} ")}


@pytest.mark.parametrize(
    ("older", "view"),
    [
        ("FULL", "ALL_MESSAGES"),
        ("focused", "CONVERSATION_PAIRS"),
        ("Minimal", "SYSTEM_AND_ME"),
        ("only_me", "SENT_TO_ME"),
        ("only_i_sent", "SENT_BY_ME"),
        ("no_forget", "ALL_INVOLVED"),
        ("on_every_turn", "GOLDFISH"),
        ("upon_request", "SENT_TO_ME"),
    ],
)
def test_older_names_mean_one_of_the_views(older, view):
    assert view == memory_named(older)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("goldfsh", "Did you mean 'GOLDFISH'?"),
        ("facts", "The views are ALL"),
        ("", "The views are ALL"),
        ("all messages", "Did you mean 'ALL_MESSAGES'?"),
        ("Conversation pair", "Did you mean 'CONVERSATION_PAIRS'?"),
        ("sent to  me", "Did you mean 'SENT_TO_ME'?"),
    ],
)
def test_what_is_no_view_is_answered_with_those_there_are(name, hint):
    with pytest.raises(ValueError, match=f"{name!r} is no view of the conversation. {hint}"):
        memory_named(name)


@pytest.mark.parametrize(
    "words", ["the facts", "what was said about the budget", "all messages about tea", "お茶 と 水"]
)
def test_several_words_say_what_is_wanted(words):
    assert words == memory_named(f" {words} ")
    assert not is_view(memory_named(words))
