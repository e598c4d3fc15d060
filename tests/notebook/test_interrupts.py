"""The stop button at any moment: no run goes on that nobody waits for and nobody can name."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from itertools import count

import pytest

import dipeo_jupyter as dipeo
from dipeo_jupyter.notebook.interrupts import Interrupted, Stopped, held
from tests.shells import new_shell

BOTH_MODES = True

ENDLESS = """
nodes:
- {label: wait, type: job, code: "import time; time.sleep(3600)"}
"""
OURS = "dipeo_jupyter/notebook/"


class Button:
    """Pressed once, at the n-th call of our code on this thread from a run's beginning on.

    What counts as its beginning is the first call of the function `since`.

    Not as something is handed to the loop of the runs: Python would warn of what never began there.
    When the cell waits for its run before, it is pressed then: that is the `last` moment.
    """

    def __init__(self, at, since="_send"):
        self.at = at
        self.since = since
        self.calls = None
        self.pressed = self.last = False

    def __call__(self, frame, event, called):
        code = frame.f_code
        if self.pressed:
            return
        if event == "call" and OURS in code.co_filename and code.co_name != "submit":
            if self.calls is None and code.co_name == self.since:
                self.calls = 0
            if self.calls is not None:
                self.calls += 1
            if self.calls == self.at:
                self.press()
        elif event == "c_call" and called.__name__ == "acquire" and self.waits_in(frame):
            self.last = True
            self.press()

    def waits_in(self, frame):
        while frame is not None:
            if OURS in frame.f_code.co_filename:
                return frame.f_code.co_name == "wait"
            frame = frame.f_back
        return False

    def press(self):
        self.pressed = True
        signal.raise_signal(signal.SIGINT)


def at_every_moment():
    """Buttons that are pressed later and later, up to the last moment."""
    for at in count(1):
        button = Button(at)
        yield button
        assert button.pressed
        if button.last:
            return


@contextmanager
def watching(button):
    sys.setprofile(button)
    try:
        yield
    finally:
        sys.setprofile(None)


@pytest.fixture
def shell(kernel, tmp_path):
    with new_shell(tmp_path) as shell:
        shell.run_cell("%load_ext dipeo_jupyter")
        yield shell


def test_a_cell_that_is_stopped_at_any_moment_leaves_its_run_paused_and_named(shell, capsys):
    for button in at_every_moment():
        with watching(button):
            result = shell.run_cell(f"%%dipeo slow{ENDLESS}")

        assert isinstance(result.error_in_exec, Interrupted), button.calls
        assert shell.user_ns.pop("slow").status == "paused", button.calls
        assert "`slow.resume()` goes on with it" in capsys.readouterr().out
    assert button.calls > 10


def test_a_call_that_is_stopped_at_any_moment_leaves_its_run_paused_and_tells_which(kernel):
    for button in at_every_moment():
        with pytest.raises(Interrupted) as stopped, watching(button):
            dipeo.run_sync(ENDLESS)

        run = stopped.value.run
        assert str(stopped.value) == (
            f"the run is paused. `dipeo.resume({run.id!r})` goes on with it."
        )
        assert dipeo.get(run.id) is run


def test_a_call_that_is_stopped_before_anything_has_begun_says_so(kernel):
    for at in range(1, 9):
        button = Button(at, since="_read")
        with pytest.raises(Stopped) as stopped, watching(button):
            dipeo.run_sync(ENDLESS)

        assert button.pressed, at
        assert str(stopped.value) == "nothing was begun.", at
    assert not dipeo.runs()


def test_a_cell_that_is_stopped_before_anything_has_begun_says_so(shell, capsys):
    for since in ("_start", "_read"):
        with watching(Button(1, since=since)):
            shell.run_cell(f"%%dipeo slow{ENDLESS}")

        assert capsys.readouterr().out.strip() == "KeyboardInterrupt: nothing was begun."
        assert "slow" not in shell.user_ns


def test_the_button_works_at_once_when_it_is_pressed_twice():
    def hang():
        with held():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            pytest.fail("the second one was not heard")

    with pytest.raises(KeyboardInterrupt):
        hang()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_thread_that_is_never_interrupted_holds_nothing_back():
    def hold():
        with held():
            handlers.append(signal.getsignal(signal.SIGINT))

    handlers = []
    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]
