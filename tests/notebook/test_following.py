"""Who waits for a run hears of it when nothing more can be heard of the run."""

from __future__ import annotations

import threading

import pytest

from dipeo_jupyter.errors import CommandError

GATED = """
nodes:
- {{label: start, type: start}}
- {{label: wait, type: job, code: {code!r}}}
connections: [{{from: start, to: wait}}]
"""


@pytest.mark.parametrize("where", ["server"], indirect=True)
def test_who_waits_for_a_run_is_told_that_the_connection_is_closed(session, gate):
    run = session.start(GATED.format(code=gate.code))
    gate.reached()
    told = []

    def wait():
        try:
            run.wait(20)
        except (CommandError, TimeoutError) as error:
            told.append(str(error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    session.loop.run(session.server.close())
    waiting.join()

    assert told == ["The connection to the server was closed."]
