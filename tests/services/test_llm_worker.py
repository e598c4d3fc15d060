"""The process in which litellm lives: nobody waits for it, and it outlives nobody."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from dipeo_jupyter.engine.ports import EmbedRequest
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM, frames, helper
from dipeo_jupyter.services.llm.worker import Outbox

from .test_llm import KEY, ask, llm, wish

__all__ = ["llm"]
SOON = 10.0


async def worker_of(llm):
    return await llm._aside.start(llm._helper.worker())


def gone(pid, seconds=SOON):
    """Whether a process ends in time; nobody need have asked how it has ended."""
    with suppress(psutil.NoSuchProcess):
        process, latest = psutil.Process(pid), time.monotonic() + seconds
        while process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > latest:
                return False
            time.sleep(0.01)
    return True


# It dies ----------------------------------------------------------------------------------------


def test_the_death_of_a_worker_fails_all_calls_and_the_next_call_has_a_new_one(llm, openai_server):
    async def run():
        calls = [asyncio.create_task(llm.chat(wish(), len)) for _ in range(3)]
        assert await asyncio.to_thread(openai_server.wait, lambda: len(openai_server.requests) == 3)
        os.kill((await worker_of(llm)).pid, signal.SIGKILL)
        failures = await asyncio.gather(*calls, return_exceptions=True)
        answer = await llm.chat(wish("again"), len)
        await llm.aclose()
        return failures, answer.text

    openai_server.hang(times=3)
    failures, text = asyncio.run(run())
    assert text == "again"
    said = "The helper process that speaks with models ended (signal 9)"
    assert [str(each).startswith(said) for each in failures] == [True] * 3
    assert [(each.retryable, each.kind) for each in failures] == [(True, "connection")] * 3


def test_a_worker_that_cannot_begin_says_why(llm, openai_server, monkeypatch):
    code = "raise ImportError('no litellm here')"
    monkeypatch.setattr(helper, "command", lambda: [sys.executable, "-c", code])
    with pytest.raises(ServiceError, match=r"\(exit status 1\).*no litellm here") as caught:
        ask(llm, wish())
    assert caught.value.retryable


def test_a_worker_that_cannot_be_started_says_why(llm, monkeypatch):
    monkeypatch.setattr(helper, "command", lambda: ["/nobody/has/this"])
    with pytest.raises(ServiceError, match=r"cannot be started: .*/nobody/has/this") as caught:
        ask(llm, wish())
    assert caught.value.retryable


ORPHAN = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "input()"], stdout=subprocess.DEVNULL)
sys.exit("no time")
"""


def test_what_a_worker_leaves_behind_delays_nobody(llm, monkeypatch):
    monkeypatch.setattr(helper, "_PATIENCE", 0.1)
    monkeypatch.setattr(helper, "command", lambda: [sys.executable, "-c", ORPHAN])
    with pytest.raises(ServiceError, match=r"\(exit status 1\).*no time"):
        ask(llm, wish())


def test_a_worker_that_does_not_end_is_killed(llm, monkeypatch):
    async def run():
        await llm.chat(wish(), len)
        worker = await worker_of(llm)
        os.kill(worker.pid, signal.SIGSTOP)
        await llm.aclose()
        return worker

    monkeypatch.setattr(helper, "_PATIENCE", 0.1)
    worker = asyncio.run(run())
    assert "signal 9" in worker.ended
    assert not psutil.pid_exists(worker.pid)


# Its owner ends ---------------------------------------------------------------------------------

OWNER = """
import asyncio, os, sys
from dipeo_jupyter.diagram.model import Person
from dipeo_jupyter.engine.chat import ChatMessage, ChatRequest
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM

llm = LiteLLM(Keys({"OPENAI_API_KEY": "sk-canary-0123456789abcdef"}), {"openai": sys.argv[1]})
person = Person(service="openai", model="gpt-4.1-nano")

async def main():
    answer = await llm.chat(ChatRequest(person, [ChatMessage("user", "hello")], 60), len)
    worker = await llm._aside.start(llm._helper.worker())
    print(answer.text, worker.pid, "litellm" in sys.modules, flush=True)
    if sys.argv[2] == "waits":
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def owner(openai_server):
    """A program that has asked a model, and the pid of its worker."""
    started = []

    def start(what):
        command = [sys.executable, "-W", "default", "-c", OWNER, openai_server.url, what]
        pipe = subprocess.PIPE
        program = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)
        started.append(program)
        assert program.stdout
        text, pid, has_litellm = program.stdout.readline().split()
        assert (text, has_litellm) == ("hello", "False")  # the worker alone imports it
        return program, int(pid)

    yield start
    for program in started:
        program.kill()
        program.communicate()


def test_a_worker_ends_within_a_second_when_its_owner_is_killed(owner):
    program, worker = owner("waits")
    program.kill()
    assert gone(worker, seconds=1.0)


def test_a_program_that_asks_has_no_litellm_and_ends_without_a_word(owner):
    program, worker = owner("ends")
    _, complaints = program.communicate(timeout=SOON)
    assert (program.returncode, complaints) == (0, "")
    assert gone(worker)


RUN = """
import sys
from dipeo_jupyter import cli
code = cli.main(["run", "chat.light.yaml"])
print(code, {"litellm", "openai", "aiohttp"} & {*sys.modules})
"""
DIAGRAM = """
persons: {Ada: {service: openai, model: gpt-4.1-nano}}
nodes:
- {label: chat, type: person_job, person: Ada, prompt: hello}
- {label: start, type: start}
connections: [{from: start, to: chat}]
"""


def test_a_whole_run_leaves_no_litellm_behind(openai_server, tmp_path, monkeypatch):
    (tmp_path / "chat.light.yaml").write_text(DIAGRAM)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("DIPEO_OPENAI_API_BASE", openai_server.url)
    command = [sys.executable, "-c", RUN]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert len(openai_server.requests) == 1
    assert done.stdout.splitlines()[-1] == "0 set()"


def test_who_interrupts_the_owner_does_not_interrupt_the_worker(owner):
    _, worker = owner("waits")
    os.kill(worker, signal.SIGINT)
    assert os.getpgid(worker) != os.getpgid(0)
    assert not gone(worker, seconds=0.3)


def test_letting_go_of_it_ends_its_worker(openai_server):
    llm = LiteLLM(Keys({"OPENAI_API_KEY": KEY}), {"openai": openai_server.url})
    asyncio.run(llm.chat(wish(), len))
    pid = asyncio.run(worker_of(llm)).pid
    assert psutil.pid_exists(pid)
    del llm
    gc.collect()
    assert gone(pid)


def test_closing_it_leaves_no_process(llm):
    async def run():
        await llm.chat(wish(), len)
        worker = await worker_of(llm)
        await llm.aclose()
        return worker.pid

    assert not psutil.pid_exists(asyncio.run(run()))


# What it is told, and says ----------------------------------------------------------------------


def test_keys_are_neither_in_its_command_nor_in_its_environment(llm, real_workers, monkeypatch):
    async def run():
        await llm.chat(wish(), len)
        process = psutil.Process((await worker_of(llm)).pid)
        told = process.environ(), str(process.cmdline())
        await llm.aclose()
        return told

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("DIPEO_REDIS_URL", "redis://:secret@nowhere")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    environ, command = asyncio.run(run())
    assert environ["AWS_PROFILE"] == "mine"
    assert "DIPEO_REDIS_URL" not in environ
    assert KEY not in f"{environ} {command}"


def test_a_variable_that_is_set_later_counts_from_the_next_call(openai_server, monkeypatch):
    async def run():
        with pytest.raises(ServiceError, match="broke off"):
            await llm.chat(wish(), len)
        monkeypatch.setenv("OPENAI_BASE_URL", openai_server.url)
        text = (await llm.chat(wish("now"), len)).text
        await llm.aclose()
        return text

    llm = LiteLLM(Keys({"OPENAI_API_KEY": KEY}))
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    assert asyncio.run(run()) == "now"


def test_what_litellm_prints_is_logged_without_the_key(openai_server, monkeypatch, caplog):
    code = f"import sys; print('what', file=sys.stderr); print('key={KEY}', file=sys.stderr)"
    monkeypatch.setattr(helper, "command", lambda: [sys.executable, "-c", code])
    caplog.set_level(logging.DEBUG, logger="dipeo_jupyter")
    llm = LiteLLM(Keys({"OPENAI_API_KEY": KEY}), {"openai": openai_server.url})
    with pytest.raises(ServiceError):
        ask(llm, wish())
    words = [each.getMessage().partition(": ")[2] for each in caplog.records]
    assert words == ["what", "key=[key removed]"]


def test_pieces_of_an_answer_that_takes_long_are_said_meanwhile(llm, openai_server):
    async def run():
        arrived, pieces = asyncio.Event(), []
        call = asyncio.create_task(llm.chat(wish(), lambda p: (pieces.append(p), arrived.set())))
        await arrived.wait()
        call.cancel()
        await asyncio.wait([call])
        await llm.aclose()
        return pieces

    openai_server.hang(after=2)
    assert asyncio.run(run()) == ["piece0 ", "piece1 "]


def test_pieces_of_one_moment_go_together_and_in_order():
    async def run():
        outbox.show(1, "a")
        outbox.show(2, "x")
        outbox.show(1, "b")
        outbox.say(frames.Done(1, {}))
        outbox.show(2, "y")
        outbox.say(frames.Failed(2, "no"))

    outbox, said = Outbox(sink := io.BytesIO()), []
    asyncio.run(run())
    sink.seek(0)
    while head := sink.read(frames.SIZE):
        said.append(frames.unpacked(sink.read(int.from_bytes(head))))
    assert said == [
        frames.Text(1, ["a", "b"]),
        frames.Text(2, ["x"]),
        frames.Done(1, {}),
        frames.Text(2, ["y"]),
        frames.Failed(2, "no"),
    ]


@pytest.mark.parametrize("number", [0.1, -1e-300, 123456789.123456789])
def test_vectors_arrive_to_the_last_digit(number):
    sent = frames.Embedded([[number, 1.0]], frames.Usage(input_tokens=3))
    message = frames.packed(frames.Done(1, frames.vectors_written(sent)))[frames.SIZE :]
    assert frames.vectors_read(frames.unpacked(message).answer) == sent


def test_a_model_is_not_asked_before_there_is_a_key():
    keyless = LiteLLM(Keys({}))
    with pytest.raises(ServiceError, match="OPENAI_API_KEY"):
        asyncio.run(keyless.embed(EmbedRequest(wish().person, ["a"], 1.0)))
    assert keyless._helper._worker is None
    asyncio.run(keyless.aclose())
