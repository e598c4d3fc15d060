"""JupyterLab's own areas: the list of runs, their views, diagram files, running sessions."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.lab import OPEN, lab_in, shot, until

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "labextension" / "build"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BUILT.is_dir(), reason="The JupyterLab extension is not built."),
]
TALK = """\
version: light
name: Talk
persons:
  Ann: {service: demo, system_prompt: You are Ann.}
nodes:
- {label: start, type: start, custom_data: {topic: tea}}
- {label: say, type: person_job, person: Ann, prompt: "Say something on {{topic}}."}
- {label: good, type: user_response, prompt: "Was it good?"}
- {label: end, type: endpoint}
connections:
- {from: start, to: say}
- {from: say, to: good}
- {from: good, to: end}
"""
WRONG = TALK.replace("{from: good, to: end}", "{from: good, to: edn}")
SAVED = """async name => {
  const { data } = await window.jupyterapp.serviceManager.workspaces.fetch(name);
  return Object.keys(data);
}"""
THEME = """async theme => {
  await window.jupyterapp.commands.execute("apputils:change-theme", { theme });
}"""
AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
FAULTS = """async place => {
  const { violations } = await axe.run(place);
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
}"""
numbers = count(1)
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """A JupyterLab with the extension as it was built last."""
    folder = tmp_path_factory.mktemp("panel")
    extensions = folder / "extensions"
    extensions.mkdir()
    (extensions / "dipeo-jupyter").symlink_to(BUILT)
    option = f"--LabApp.extra_labextensions_path={extensions}"
    with lab_in(folder, browser, option) as lab:
        yield lab


class Page:
    """A page of JupyterLab with the list of runs open."""

    def __init__(self, lab, **options):
        self.lab = lab
        # A workspace of its own, for Lab remembers what was open in the last one.
        self.workspace = f"panel{next(numbers)}"
        self.page = lab.page(f"lab/workspaces/{self.workspace}", **options)
        self.page.wait_for_selector(".jp-Launcher")
        self.side("Runs of diagrams")
        self.list = self.page.get_by_role("region", name="Runs of diagrams")

    def side(self, name: str):
        """Open an area at the left."""
        tab = self.page.get_by_role("tab", name=name)
        if tab.get_attribute("aria-selected") != "true":
            tab.click()

    def file(self, text: str):
        """Open a new diagram file; its document, and its name."""
        name = f"talk{next(numbers)}.light.yaml"
        (self.lab.folder / name).write_text(text)
        self.page.evaluate(OPEN, name)
        return self.document, name

    @property
    def document(self):
        return self.page.locator(".jp-Document:visible")

    @property
    def view(self):
        """The run that is shown."""
        return self.page.get_by_role("region", name=re.compile("^Run of")).locator("visible=true")

    def line(self, name: str, status: str):
        """The newest run of this name, as soon as it stands so."""
        line = self.list.get_by_role("listitem").filter(has_text=name).first
        expect(line).to_contain_text(status)
        return line

    def faults(self, place: str) -> list[str]:
        """What is serious of that which axe finds wrong with a part of the page."""
        if not AXE.is_file():
            pytest.skip("axe-core is not installed; `npm ci` in labextension does it.")
        self.page.wait_for_selector(f"{place}:visible")
        self.page.add_script_tag(path=str(AXE))
        return self.page.evaluate(FAULTS, place)

    def begin(self, how: str = "Run"):
        """Run the document in front; the view of its run."""
        self.document.get_by_role("button", name=how, exact=True).click()
        self.page.wait_for_selector(".dipeo-heading:visible")
        return self.view


@pytest.fixture
def page(lab):
    page = Page(lab)
    yield page
    page.page.context.close()


def test_a_new_diagram_runs_at_once_and_is_watched_to_its_end(page):
    page.page.locator(".jp-LauncherCard", has_text="DiPeO Diagram").click()
    expect(page.document.get_by_role("button", name=re.compile("verdict"))).to_be_visible()
    view = page.begin()

    expect(view.get_by_role("status")).to_have_text("completed")
    page.line("Debate", "completed")
    view.get_by_role("tab", name=re.compile("Conversation")).click()
    expect(view.get_by_role("tabpanel")).to_contain_text("Argue for tea.")
    shot(page.page, "panel-conversation")
    view.get_by_role("tab", name="Timeline").click()
    expect(view.get_by_role("button", name=re.compile(r"^against\[2\]"))).to_be_visible()
    shot(page.page, "panel-timeline")


def test_the_conversation_can_be_looked_at_with_the_eyes_of_one_person(page):
    page.file(TALK)
    view = page.begin()
    view.get_by_role("tab", name=re.compile("Conversation")).click()
    view.get_by_label("As seen by").select_option("Ann")

    expect(view.get_by_role("article").first).to_contain_text("Say something on tea.")


def test_opening_a_file_shows_its_picture_and_runs_nothing(page):
    before = page.list.get_by_role("listitem").count()
    document, _ = page.file(TALK)

    for label in ("start", "say", "good", "end"):
        expect(document.get_by_role("button", name=re.compile(f"^{label}, "))).to_be_visible()
    assert page.list.get_by_role("listitem").count() == before


def test_a_node_of_a_file_tells_its_settings(page):
    document, _ = page.file(TALK)
    document.get_by_role("button", name=re.compile("^say, ")).click()

    expect(document.get_by_label("Node say")).to_contain_text("Say something on {{topic}}.")


def test_what_is_wrong_with_a_file_is_told_with_its_line_and_found_there(page):
    document, _ = page.file(WRONG)
    problems = document.get_by_role("region", name="Problems")
    expect(problems).to_contain_text("edn")
    shot(page.page, "panel-problems")
    problems.get_by_role("button", name="line 13").click()

    expect(page.page.get_by_role("button", name="Ln 13, Col 1")).to_be_visible()


def test_a_file_that_is_wrong_is_not_run_and_why_is_told(page):
    document, _ = page.file(WRONG)
    document.get_by_role("button", name="Run", exact=True).click()

    expect(page.page.get_by_role("alert").first).to_contain_text("cannot be run")


def test_the_picture_follows_the_text_without_saving(page):
    document, name = page.file(TALK)
    expect(document.get_by_role("button", name=re.compile("^say, "))).to_be_visible()
    page.page.evaluate(
        """text => window.jupyterapp.shell.currentWidget.context.model.fromString(text)""",
        TALK.replace("label: say", "label: speak")
        .replace("from: say", "from: speak")
        .replace("to: say", "to: speak"),
    )

    expect(document.get_by_role("button", name=re.compile("^speak, "))).to_be_visible()
    assert "speak" not in (page.lab.folder / name).read_text()


def test_a_run_goes_step_by_step_from_its_line_to_its_question(page):
    page.file(TALK)
    view = page.begin("Step by Step")
    line = page.line("Talk", "paused")
    line.hover()
    line.get_by_role("button", name="Step").click()
    expect(view.get_by_role("button", name="start, start: completed")).to_be_visible()
    line.hover()
    line.get_by_role("button", name="Resume").click()

    page.line("Talk", "waiting: good")
    view.get_by_role("textbox").fill("very")
    view.get_by_role("button", name="Answer").click()
    expect(view.get_by_role("status")).to_have_text("completed")
    page.line("Talk", "completed")


def test_a_run_is_paused_and_cancelled_by_its_menu_after_a_question(page):
    page.file(TALK)
    view = page.begin()
    page.line("Talk", "waiting").click(button="right")
    page.page.get_by_role("menuitem", name="Pause").click()
    page.line("Talk", "paused").click(button="right")
    shot(page.page, "panel-menu")
    page.page.get_by_role("menuitem", name="Cancel Run…").click()
    page.page.get_by_role("button", name="Cancel the Run").click()

    expect(view.get_by_role("status")).to_have_text("cancelled")
    page.line("Talk", "cancelled")


def test_a_fork_is_a_run_of_its_own_that_says_where_it_comes_from(page):
    page.file(TALK)
    page.begin()
    page.line("Talk", "waiting").click(button="right")
    page.page.get_by_role("menuitem", name="Fork").click()

    expect(page.list.get_by_role("listitem").first).to_contain_text("from exec_")


def test_running_sessions_have_the_run_and_end_it_after_a_question(page):
    page.file(TALK)
    view = page.begin()
    page.line("Talk", "waiting")
    page.side("Running Terminals and Kernels")
    item = page.page.locator(".jp-RunningSessions-item", has_text="waiting").first
    shot(page.page, "panel-running")
    item.hover()
    item.get_by_title("Cancel").click()
    page.page.get_by_role("button", name="Cancel the Run").click()

    expect(view.get_by_role("status")).to_have_text("cancelled")


def test_the_list_is_filtered_by_words_and_by_status(page):
    page.file(TALK.replace("name: Talk", "name: Rare"))
    page.begin()
    page.line("Rare", "waiting")
    page.list.get_by_label("Filter runs").fill("rare wait")
    expect(page.list.get_by_role("listitem")).to_have_count(1)
    page.list.get_by_label("Status").select_option("completed")

    expect(page.list.get_by_text("No run is like that.")).to_be_visible()


def test_an_open_run_is_there_again_after_the_page_was_loaded_anew(page):
    page.file(TALK)
    page.begin()
    page.line("Talk", "waiting")
    until(lambda: "dipeo-run:exec_" in " ".join(page.page.evaluate(SAVED, page.workspace)))
    page.page.reload()

    page.page.wait_for_selector(".dipeo-heading")
    expect(page.page.locator(".dipeo-question").first).to_contain_text("Was it good?")


def test_a_run_begins_with_the_inputs_that_people_write_down(page):
    page.file(TALK.replace(", custom_data: {topic: tea}", ""))
    page.document.get_by_role("button", name="With Inputs…").click()
    page.page.get_by_role("textbox", name="Inputs, one in a line").fill("topic=cocoa")
    page.page.get_by_role("dialog").get_by_role("button", name="Run").click()
    page.page.wait_for_selector(".dipeo-heading:visible")
    page.view.get_by_role("tab", name=re.compile("Conversation")).click()

    expect(page.view.get_by_role("tabpanel")).to_contain_text("Say something on cocoa.")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_everybody_can_use_the_list_and_the_pages(page, theme):
    """Axe finds nothing serious, in light and in dark."""
    page.page.evaluate(THEME, theme)
    page.file(WRONG)
    found = page.faults(".dipeo-side") + page.faults(".dipeo-page")
    page.file(TALK)
    page.begin()
    page.line("Talk", "waiting")
    found += page.faults(".dipeo-side") + page.faults(".dipeo-page")

    assert found == []


def test_what_stands_below_a_picture_can_be_given_more_room(page):
    page.file(TALK)
    view = page.begin()
    below = view.get_by_role("tabpanel")
    before = below.bounding_box()["height"]
    divider = view.get_by_role("separator", name="Height of what stands below")
    place = divider.bounding_box()
    page.page.mouse.move(place["x"] + 200, place["y"] + 3)
    page.page.mouse.down()
    page.page.mouse.move(place["x"] + 200, place["y"] - 57)
    page.page.mouse.up()
    dragged = below.bounding_box()["height"]
    divider.press("ArrowDown")

    assert (dragged - before, below.bounding_box()["height"] - before) == (60, 36)
