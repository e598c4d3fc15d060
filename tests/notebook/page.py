"""A notebook's page without a browser: it speaks to a kernel's widgets as a front end does."""

from __future__ import annotations

import time
from contextlib import contextmanager
from textwrap import dedent

import pytest
from jupyter_client.manager import start_new_kernel

from dipeo_jupyter.notebook.card.control import KIND

LONG = 60
"""Seconds until something that must come is missed."""
WIDGET = "application/vnd.jupyter.widget-view+json"
RUN = "application/vnd.dipeo.run+json"


@contextmanager
def kernel_in(folder, **environ):
    """A kernel whose runs live in this folder."""
    patch = pytest.MonkeyPatch()
    # Its jobs tell the tests how far they are, by files outside of any sandbox.
    walls = {"DIPEO_SANDBOX": "off", "DIPEO_TRUST": "all"}
    environ = {**walls, "DIPEO_ROOT": folder, "IPYTHONDIR": folder / "ipython", **environ}
    for name, value in environ.items():
        patch.setenv(name, str(value))
    manager, client = start_new_kernel(kernel_name="python3")
    patch.undo()
    try:
        yield Page(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


class Page:
    """What a kernel has said so far. Cards that are displayed are looked at, unless told not to."""

    def __init__(self, client):
        self.client = client
        self.clear()

    def clear(self):
        """A new page: it has seen nothing, and does not care about what was on the last one."""
        self.looks = True
        self.outputs = {}
        self.shown = []
        self.cards = {}
        self.models = {}
        self.closed = set()
        self.errors = []
        self.idle = set()

    def cell(self, code, *, stdin=True):
        """Send a cell to the kernel; its number."""
        return self.client.execute(dedent(code), allow_stdin=stdin)

    def run(self, code, *, stdin=True):
        """Send a cell, and wait for its end."""
        return self.end(self.cell(code, stdin=stdin))

    def end(self, cell):
        """Wait for the end of a cell, and return what it shows last."""
        self.until(lambda: cell in self.idle)
        self.client.get_shell_msg(timeout=LONG)
        return self.shown[-1]["data"] if self.shown else None

    def until(self, reached):
        """Listen until it holds; the seconds that this took."""
        began = time.monotonic()
        while not reached():
            assert time.monotonic() - began < LONG, "it does not come"
            self._hear(self.client.get_iopub_msg(timeout=LONG))
        return time.monotonic() - began

    def card(self, number=0):
        """Wait for a card, and look at it."""
        self.until(lambda: len(self.cards) > number)
        return list(self.cards.values())[number]

    def comm(self, model, data):
        """Say something to a widget of the kernel."""
        content = {"comm_id": model, "data": data}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", content))

    def control(self, kind, content):
        """Say something on the kernel's control channel."""
        self.client.control_channel.send(self.client.session.msg(kind, content))

    def update(self, model, **state):
        """Change traits of a widget as a page does."""
        self.comm(model, {"method": "update", "state": state, "buffer_paths": []})

    def asked(self):
        """What the kernel asks the cell by `input()`."""
        return self.client.get_stdin_msg(timeout=LONG)["content"]["prompt"]

    def widget(self, **traits):
        """The number of the last widget that has these traits."""
        return self._widgets(traits)[-1]

    def count(self, **traits):
        """How many widgets have these traits."""
        return len(self._widgets(traits))

    def click(self, name):
        """Press the last button of this name."""
        click = {"method": "custom", "content": {"event": "click"}}
        self.comm(self.widget(description=name), click)

    def _widgets(self, traits):
        wanted = traits.items()
        return [number for number, state in self.models.items() if wanted <= _plain(state)]

    def _hear(self, message):
        content = message["content"]
        match message["msg_type"]:
            case "status" if content["execution_state"] == "idle":
                self.idle.add(message["parent_header"]["msg_id"])
            case "error":
                self.errors.append("\n".join(content["traceback"]))
            case "execute_result":
                self.shown.append(content)
            case "display_data":
                self.shown.append(content)
                self._display(content)
            case "update_display_data":
                self.outputs.get(content["transient"]["display_id"], {}).update(content)
            case "comm_open":
                self.models[content["comm_id"]] = dict(content["data"].get("state", {}))
            case "comm_close":
                self.closed.add(content["comm_id"])
            case "comm_msg":
                self._hear_widget(content["comm_id"], content["data"])

    def _display(self, content):
        if display_id := content.get("transient", {}).get("display_id"):
            self.outputs[display_id] = content
        if WIDGET in content["data"]:
            model = content["data"][WIDGET]["model_id"]
            self.cards[model] = Card(self, model, self.models[model])
            if self.looks:
                self.update(model, _view_count=1)

    def _hear_widget(self, model, data):
        if data["method"] == "update":
            self.models.setdefault(model, {}).update(data["state"])
        elif data["method"] == "custom" and model in self.cards:
            self.cards[model].hear(data["content"])


class Card:
    """A card on a page."""

    def __init__(self, page, model, state):
        self.page, self.model, self.state = page, model, state
        self.messages = []
        self.replies = {}
        self.told = []
        self._number = 0
        self._way = self.say_just

    def hear(self, said):
        self.messages.append((time.monotonic(), said))
        if said["kind"] == "entries":
            self.told += said["entries"]
        else:
            self.replies[said.get("correlation_id")] = said

    @property
    def types(self):
        """What has happened, as far as the page knows: the types of all entries it was told."""
        kept = {entry["seq"]: entry["type"] for entry in self.told if not _passes(entry)}
        known = {entry["seq"]: entry["type"] for entry in self.state["snapshot"]}
        return list(dict(sorted({**known, **kept}.items())).values())

    def say(self, type_, **payload):
        """Say a command; the number that its reply will have."""
        self._number += 1
        number = f"{self.model}-{self._number}"
        run = self.state["execution_id"]
        frame = {"type": type_, "execution_id": run, "payload": payload, "correlation_id": number}
        self._way(frame)
        return number

    def ask_by_control(self, type_, **payload):
        """The same on the way that is open while the kernel is busy."""
        self._way = self._control
        try:
            return self.ask(type_, **payload)
        finally:
            self._way = self.say_just

    def say_just(self, said):
        """Say anything."""
        self.page.comm(self.model, {"method": "custom", "content": said})

    def _control(self, said):
        self.page.control(KIND, {"card": self.state["control"], "said": said})

    def ask(self, type_, **payload):
        """Say a command and wait for the reply to it."""
        number = self.say(type_, **payload)
        self.page.until(lambda: number in self.replies)
        return self.replies[number]

    def wait_for(self, type_):
        """Wait until an entry of this type was told."""
        return self.page.until(lambda: type_ in self.types)


def _passes(entry):
    return entry["type"] == "token_delta"


def _plain(state):
    return {(key, value) for key, value in state.items() if isinstance(value, str | bool | int)}
