"""Known secrets leave no text that goes through here, be it whole, in pieces, or a log."""

from __future__ import annotations

import gc
import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.redaction import (
    REMOVED,
    Stream,
    _CleanRecords,
    forms_of,
    keep_out_of_logs,
    without,
)

KEY = "sk-canary/0123+4567=89"
OTHER = "sk-proj-9876543210zyxw"


@pytest.fixture
def keys():
    keys = Keys({"OPENAI_API_KEY": KEY, "HOME": "/home/me"})
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    keep_out_of_logs(keys)
    yield keys
    logging.setLogRecordFactory(factory)


@pytest.fixture
def log():
    """What a handler writes that knows nothing of keys."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    logging.getLogger().addHandler(handler)
    yield text
    logging.getLogger().removeHandler(handler)


def pieces_of(text, *secrets):
    shown = []
    stream = Stream([forms_of(each) for each in secrets], shown.append)
    for piece in text:
        stream.feed(piece)
    stream.end()
    return shown


@pytest.mark.parametrize("size", [1, 2, 3, 7, 21, 22, 23, 100])
def test_a_key_in_pieces_is_removed_from_a_stream(size):
    text = f"Is it {KEY}, or {KEY}{KEY}? No, it is sk-canary."
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert "".join(pieces_of(pieces, KEY)) == text.replace(KEY, REMOVED)


@given(
    st.lists(st.sampled_from(["s", "sk", "sk-", "k-canary/0123+4567=89", KEY, "x", OTHER[:9]])),
)
def test_a_stream_says_what_the_whole_text_says(pieces):
    secrets = [forms_of(KEY), forms_of(OTHER)]
    assert "".join(pieces_of(pieces, KEY, OTHER)) == without("".join(pieces), secrets)


def test_pieces_without_keys_come_as_they_are():
    pieces = ["This ", "is", " as", " it", " was", "s", "s"]
    assert pieces_of(pieces, KEY) == pieces


def test_a_piece_waits_no_longer_than_it_must():
    shown = []
    stream = Stream([forms_of(KEY)], shown.append)
    for piece in ("It is", "s", "s", " so"):
        stream.feed(piece)
    assert shown == ["It is", "s", "s", " so"]
    stream.feed("sk-can")
    assert shown[-1] == " so"


@pytest.mark.parametrize(
    "quoted", ["sk-can***=89", "sk-canary/0123+4567*********=89", "sk-ca...7=89", "****7=89"]
)
def test_what_providers_quote_of_a_key_is_removed(quoted):
    plain = KEY.replace("/", "-").replace("+", "-").replace("=", "-")
    quoted = quoted.replace("/", "-").replace("+", "-").replace("=", "-")
    assert Keys({"OPENAI_API_KEY": plain}).redact(f"No: {quoted}.") == f"No: {REMOVED}."


@pytest.mark.parametrize("text", ["Keys are like sk-...", "*** and s...9", "sk-other***x89", "…"])
def test_dots_and_stars_of_other_texts_stay(text):
    assert Keys({"OPENAI_API_KEY": KEY}).redact(text) == text


@pytest.mark.parametrize(
    "name", ["dipeo_jupyter", "dipeo_jupyter.services.journal", "LiteLLM", "openai._base_client"]
)
def test_a_key_is_in_no_log_of_whoever_gets_it(keys, log, name):
    logging.getLogger(name).error("wrong: %s %r", KEY, {"headers": f"Bearer {KEY}"})
    assert KEY not in log.getvalue()
    assert log.getvalue().count(REMOVED) == 2


def refused():
    raise RuntimeError(f"wrong {KEY}") from ValueError(KEY)


def test_a_key_in_an_exception_is_not_in_the_log(keys, log):
    try:
        refused()
    except RuntimeError:
        logging.getLogger("dipeo_jupyter.x").exception("it failed", stack_info=True)
    assert KEY not in log.getvalue()
    assert f"RuntimeError: wrong {REMOVED}" in log.getvalue()


def test_wrong_arguments_of_a_log_show_no_key(keys, log, capsys):
    logging.getLogger("dipeo_jupyter.x").error("%d is wrong", KEY)
    assert KEY not in log.getvalue() + capsys.readouterr().err
    assert "is wrong" in log.getvalue()


def test_logs_without_keys_are_untouched(keys, caplog):
    error = OSError("full")
    logging.getLogger("dipeo_jupyter.x").error("%s: %d%%", "disk", 100, exc_info=error)
    (record,) = caplog.records
    assert (record.msg, record.args) == ("%s: %d%%", ("disk", 100))
    assert record.exc_info[1] is error


def test_logs_of_others_are_their_own_affair(keys, log):
    logging.getLogger("somebody.else").error(KEY)
    assert KEY in log.getvalue()


def test_many_keys_need_one_factory_and_vanish_with_it(keys):
    factory = logging.getLogRecordFactory()
    for _ in range(5):
        keep_out_of_logs(Keys({}))
    gc.collect()
    keep_out_of_logs(last := Keys({}))
    assert logging.getLogRecordFactory() is factory
    assert isinstance(factory, _CleanRecords)
    assert [each() for each in factory._keys] == [keys, last]


def test_an_exchanged_key_stays_out_of_logs(log):
    environ = {"OPENAI_API_KEY": KEY}
    keys = Keys(environ)
    keep_out_of_logs(keys)
    keys.get("openai")
    environ["OPENAI_API_KEY"] = OTHER
    logging.getLogger("LiteLLM").error("%s %s", KEY, OTHER)
    assert log.getvalue() == f"{REMOVED} {REMOVED}\n"
