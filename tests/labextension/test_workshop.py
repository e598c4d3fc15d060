"""The card in a browser, without Jupyter: a journal is replayed into it (`labextension/dev`)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

FRONT_END = Path(__file__).parents[2] / "labextension"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NODE = shutil.which("node")
READY = CHROMIUM and NODE and (FRONT_END / "node_modules").is_dir()

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not READY,
        reason=f"THE CARD IS NOT TESTED: that takes Chromium, Node, `npm ci` in {FRONT_END}",
    ),
]
playwright = pytest.importorskip(
    "playwright.sync_api", reason="THE CARD IS NOT TESTED: no playwright"
)

ALL, ASKING = 1000, 143
"""So many entries have happened: the whole run, and all until people are asked."""
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def workshop():
    command = [NODE, "scripts/dev.js", "0"]
    with subprocess.Popen(command, cwd=FRONT_END, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture(scope="module")
def browser():
    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def card(workshop, browser):
    """Open the card: `card("from=10&theme=dark", width=600)`. The page may not complain."""
    complaints: list[str] = []
    pages = []

    def open_card(query: str, width: int = 900):
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        page.goto(f"{workshop}?{query}")
        page.wait_for_selector(".dipeo-node")
        pages.append(page)
        return page

    yield open_card
    for page in pages:
        page.close()
    assert complaints == []


def node(page, label):
    return page.locator(f'[data-label="{label}"]')


def await_buttons(page, *names):
    """Wait until these controls can be pressed, and no others."""
    for name in ("Pause", "Resume", "Step", "Stop"):
        button = page.get_by_role("button", name=name, exact=True)
        playwright.expect(button).to_be_enabled(enabled=name in names)


def assert_nothing_to_steer(page):
    playwright.expect(page.get_by_role("toolbar", name="Run")).to_have_count(0)


def test_a_finished_run_shows_what_became_of_every_node(card):
    page = card(f"still&from={ALL}")

    assert (
        node(page, "draft").get_attribute("aria-label") == "draft, person job: completed, 2 visits"
    )
    assert node(page, "archived").get_attribute("aria-label") == "archived, endpoint: skipped"
    assert page.get_by_role("status").inner_text() == "completed"
    assert_nothing_to_steer(page)


def test_pause_resume_and_stop_are_open_when_they_mean_something(card):
    page = card("still&from=8")
    await_buttons(page, "Pause", "Stop")
    page.get_by_role("button", name="Pause", exact=True).click()
    await_buttons(page, "Resume", "Step", "Stop")
    page.get_by_role("button", name="Stop", exact=True).click()
    assert_nothing_to_steer(page)


def test_a_breakpoint_is_set_and_taken_away_at_the_edge_of_a_node(card):
    page = card("still&from=8")
    dot = page.get_by_label("Breakpoint before critique")
    dot.click()
    playwright.expect(dot).to_have_attribute("aria-pressed", "true")
    dot.click()
    playwright.expect(dot).to_have_attribute("aria-pressed", "false")


def test_a_node_that_waits_for_people_counts_how_long(card):
    page = card(f"still&from={ASKING}")

    told = page.locator(".is-waiting .dipeo-stats")
    first = told.inner_text()

    assert first.startswith("waiting")
    playwright.expect(told).not_to_have_text(first)


def test_a_paused_run_says_who_is_still_at_work(card):
    page = card("still&from=60")
    page.get_by_role("button", name="Pause", exact=True).click()

    playwright.expect(page.get_by_role("status")).to_have_text("paused · critique still at work")


def test_a_long_message_is_opened_by_a_click(card):
    page = card(f"still&from={ALL}")
    page.get_by_role("tab", name="Conversation").click()
    page.get_by_role("button", name="Show all of it").first.click()

    playwright.expect(page.get_by_role("button", name="Show less")).to_have_count(1)


def test_an_answer_that_is_wrong_says_so_at_its_field_and_a_right_one_goes_on(card):
    page = card(f"speed=50&from={ASKING - 10}")
    answer = page.get_by_role("button", name="Answer")
    page.get_by_label("Readers (thousands)").fill("1.5")
    answer.click()
    wrong = page.locator(".dipeo-wrong").all_inner_texts()
    page.get_by_label("both").check()
    page.get_by_label("Readers (thousands)").fill("120")
    answer.click()
    page.wait_for_selector(".dipeo-question", state="detached")

    assert wrong == ["This is needed.", "This is not a whole number."]
    page.wait_for_selector("[role=status]:has-text('completed')")


def test_a_node_tells_what_came_in_what_was_seen_and_what_came_out(card):
    page = card(f"still&from={ALL}")
    node(page, "draft").click()
    told = {}
    for tab in ("Output", "Inputs", "Seen", "History", "Settings"):
        page.get_by_role("tab", name=tab).click()
        told[tab] = page.get_by_role("tabpanel").inner_text()

    assert "for data scientists" in told["Output"]
    assert "Live card" in told["Inputs"]
    assert "→ Writer" in told["Seen"]
    assert "draft[1]" in told["History"]
    assert "Write a launch note" in told["Settings"]


def test_the_keyboard_goes_from_node_to_node_and_opens_them(card):
    page = card(f"still&from={ALL}")
    node(page, "draft").focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)

    assert page.get_by_role("region", name="Node enough").is_visible()
    held = "document.activeElement.hasAttribute('data-lm-suppress-shortcuts')"
    assert page.evaluate(held), "JupyterLab would take keys for its own"
    page.keyboard.press("Escape")
    playwright.expect(page.get_by_role("region", name="Node enough")).to_have_count(0)
    playwright.expect(node(page, "enough")).to_be_focused()


def test_a_diagram_seen_from_afar_is_steered_as_from_near(card):
    page = card("still&nodes=1000")
    page.get_by_role("button", name="Show all", exact=True).click()
    node(page, "node 500").click()
    page.wait_for_selector(".dipeo-speck[data-label='node 500'][aria-pressed=true]")
    node(page, "node 500").focus()
    page.keyboard.press("ArrowRight")

    playwright.expect(node(page, "node 510")).to_be_focused()


def test_a_click_leaves_the_focus_to_the_notebook(card):
    page = card(f"still&from={ALL}")
    node(page, "draft").click()

    assert page.get_by_role("region", name="Node draft").is_visible()
    assert page.evaluate("document.activeElement === document.body")


def test_nothing_jumps_while_answers_stream_in(card):
    page = card("speed=6&from=8")
    heights = page.evaluate(
        """async () => {
            const found = new Set();
            const card = document.querySelector('.dipeo-run');
            while (!document.querySelector('[role=status]').textContent.startsWith('paused')
                   && !document.querySelector('.dipeo-question')) {
                found.add(card.getBoundingClientRect().height);
                await new Promise(requestAnimationFrame);
            }
            return [...found];
        }"""
    )

    assert len(heights) == 1


def test_two_hundred_events_a_second_arrive_and_leave_the_page_alive(card):
    page = card("still&nodes=100")
    longest, settled = page.evaluate(
        """async () => {
            const stop = firingsOf(model, 100, 200);
            const lengths = await frames(2000, () => {});
            stop();
            await frames(500, () => {});
            return [Math.max(...lengths), document.querySelectorAll('.is-completed').length];
        }"""
    )

    assert settled >= 50
    assert longest < 2000  # on a busy machine; `npm run bench` measures


@pytest.mark.parametrize(
    ("happened", "width", "theme"),
    [
        (8, 900, "light"),
        (8, 420, "dark"),
        (ASKING, 900, "dark"),
        (ASKING, 420, "light"),
        (ALL, 900, "dark"),
        (ALL, 420, "light"),
    ],
    ids=lambda value: {8: "running", ASKING: "asking", ALL: "over"}.get(value, value),
)
def test_it_is_accessible(card, theme, width, happened):
    page = card(f"still&from={happened}&theme={theme}", width)
    if happened == ALL:
        node(page, "draft").click()
        page.get_by_role("tab", name="Seen").click()
    page.emulate_media(reduced_motion="reduce")
    page.add_script_tag(path=FRONT_END / "node_modules" / "axe-core" / "axe.min.js")
    result = page.evaluate("axe.run('#cell', { resultTypes: ['violations'] })")
    found = [
        (each["id"], [(where["target"], where["failureSummary"]) for where in each["nodes"][:3]])
        for each in result["violations"]
        if each["impact"] in SERIOUS
    ]

    assert found == [], json.dumps(found, indent=1)
