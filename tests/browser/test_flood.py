"""A run that tells hundreds of things a second floods neither the kernel nor the page."""

from __future__ import annotations

import pytest

from dipeo_jupyter.built import SCRIPT
from dipeo_jupyter.notebook.card.feed import INTERVAL

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not SCRIPT.is_file(), reason="The JavaScript of the card is not built."),
]
ASK = """%%dipeo ask --no-wait
nodes:
- {label: name, type: user_response, prompt: "Who are you?"}
- {label: end, type: endpoint}
edges: [name -> end]
"""
FLOOD = """
import asyncio
from time import monotonic
from dipeo_jupyter.protocol.commands import BroadcastEvent

began, told = monotonic(), 0
while told < {count}:
    while told < min({count}, (monotonic() - began) * {rate}):
        tick = BroadcastEvent(execution_id=ask.id, name="tick", data=told)
        ask.watched.loop.submit(ask.watched.obey(tick))
        told += 1
    await asyncio.sleep(0.005)
"""
COUNT_FRAMES = """() => {
  const seen = { count: 0, longest: 0, began: performance.now(), last: performance.now() };
  const tick = (now) => {
    seen.count += 1;
    seen.longest = Math.max(seen.longest, now - seen.last);
    seen.last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  window.painted = seen;
}"""
PAINTED = """() => {
  const { count, longest, began, last } = window.painted;
  return { seconds: (last - began) / 1000, longest, rate: (1000 * count) / (last - began) };
}"""
LEAST_FRAMES = 2
"""A second, on however busy a machine: a page that is frozen has none."""


class Wire:
    """Counts what the kernel tells a page of widgets."""

    def __init__(self, page) -> None:
        self.count = 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._take))

    def _take(self, frame) -> None:
        text = frame if isinstance(frame, bytes) else frame.encode()
        self.count += b'"comm_msg"' in text


@pytest.mark.parametrize("rate", [200, 2000])
def test_many_events_are_few_messages_and_the_page_obeys_meanwhile(lab, tmp_path, rate):
    count = 3 * rate
    setup = "%env DIPEO_CONNECT=embedded\n%load_ext dipeo_jupyter"
    notebook = lab.notebook(setup, ASK, FLOOD.format(count=count, rate=rate), name=tmp_path.name)
    page = notebook.page
    wire = Wire(page)
    page.reload()  # so that its sockets are opened, and counted, anew
    notebook.ready()
    notebook.run(0)
    notebook.wait_done(0)
    notebook.run(1)
    card = notebook.cell(1)
    card.get_by_role("status").get_by_text("waiting").wait_for()
    before = wire.count

    page.evaluate(COUNT_FRAMES)
    notebook.run(2)
    notebook.wait_busy(2)
    card.get_by_role("button", name="Pause", exact=True).click()
    card.get_by_role("status").get_by_text("paused").wait_for()
    notebook.wait_done(2)
    card.get_by_role("button", name="Resume", exact=True).click()
    card.locator("form :is(input, textarea)").fill("Ada")
    card.get_by_role("button", name="Answer", exact=True).click()
    card.get_by_role("status").get_by_text("completed").wait_for()  # nothing before it is missing
    painted = page.evaluate(PAINTED)
    messages = wire.count - before
    notebook.shot(f"flood-{rate}")
    page.context.close()

    print(
        f"{count} events at {rate}/s: {messages} messages in {painted['seconds']:.1f} s, "
        f"{painted['rate']:.0f} frames/s, the longest took {painted['longest']:.0f} ms"
    )
    assert 0 < messages <= painted["seconds"] / INTERVAL + 20  # replies and traits are told, too
    assert messages < count / 5
    assert painted["rate"] > LEAST_FRAMES
