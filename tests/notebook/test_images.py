"""Images: how they come into a run, what models are shown, and how notebooks show them."""

from __future__ import annotations

import base64
import struct
import zlib
from contextlib import closing

import pytest

from dipeo_jupyter.engine.values import as_json, is_image
from dipeo_jupyter.errors import ExecutionFailedError
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.notebook.values import as_inputs
from dipeo_jupyter.settings import Settings
from tests.steering import REAL_MODELS

pytestmark = REAL_MODELS


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width=3, height=2):
    """A real picture, all black."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" * (width + 1)) * height
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


PNG = png()
DATA = base64.b64encode(PNG).decode()
URL = f"data:image/png;base64,{DATA}"


class Picture:
    """As Pillow's are, for Jupyter."""

    def _repr_png_(self):
        return PNG


class Figure:
    """As matplotlib's are."""

    def savefig(self, file, **_):
        file.write(PNG)


class Shown:
    """As `IPython.display.Image` may be: data and metadata."""

    def _repr_png_(self):
        return DATA, {"width": 3}


# Into a run ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [PNG, Picture(), Figure(), Shown()], ids=lambda x: type(x).__name__
)
def test_what_a_notebook_has_of_images_is_a_url_in_a_run(value):
    assert {"photo": URL} == as_inputs({"photo": value})
    assert {"photos": [URL, {"of": URL}]} == as_inputs({"photos": [value, {"of": value}]})


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"\xff\xd8\xff\xe0", "jpeg"), (b"GIF89a", "gif"), (b"RIFF\0\0\0\0WEBPVP8 ", "webp")],
)
def test_the_bytes_say_which_kind_of_image_they_are(data, kind):
    assert as_json(data).startswith(f"data:image/{kind};base64,")


def test_other_bytes_and_classes_are_no_images():
    assert "abc" == as_json(b"abc")
    with pytest.raises(TypeError):
        as_json(Picture)
    assert not is_image("data:text/plain,hi")


# To models ----------------------------------------------------------------------------------------


def drawn(images, more=""):
    return f"""
persons: {{A: {{service: openai, model: m}}, B: {{service: openai, model: m}}}}
nodes:
- {{label: start, type: start}}
- {{label: see, type: person_job, person: A, prompt: Look., images: {images}}}
- {{label: end, type: endpoint}}
{more}
connections: [{{from: start, to: see}}, {{from: see, to: end}}]
"""


@pytest.fixture
def session(openai_server, tmp_path):
    environ = {"OPENAI_API_KEY": "sk-canary-0123456789abcdef"}
    bases = {"openai": openai_server.url}
    settings = Settings(root=tmp_path, home=tmp_path / "home", environ=environ, api_bases=bases)
    with closing(Session(settings)) as session:
        yield session


def parts(request):
    return request.body["messages"][-1]["content"]


@pytest.mark.parametrize("images", ['["{{photo}}"]', "'{{photo}}'", "[p.png]", "['{{photos}}']"])
def test_a_prompt_shows_values_lists_and_files(session, openai_server, tmp_path, images):
    (tmp_path / "p.png").write_bytes(PNG)
    run = session.start(drawn(images), {"photo": PNG, "photos": [PNG]}).wait()
    shown = {"type": "image_url", "image_url": {"url": URL}}
    assert [{"type": "text", "text": "Look."}, shown] == parts(openai_server.requests[0])
    assert (URL,) == run["see"].seen[-1].images


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ("['{{number}}']", "is no image, but int"),
        ("[gone.png]", "cannot read the image"),
        ("[notes.txt]", "'notes.txt' is no PNG, JPEG, GIF or WebP"),
        ("[../p.png]", "cannot read the image"),
        ("['{{nobody}}']", "nobody"),
    ],
)
def test_what_is_no_image_is_told(session, openai_server, tmp_path, images, said):
    (tmp_path / "notes.txt").write_text("tea")
    with pytest.raises(ExecutionFailedError, match=said):
        session.start(drawn(images), {"number": 3}).wait()
    assert [] == openai_server.requests


def test_an_answer_with_images_is_text_and_images_and_can_be_shown_on(session, openai_server):
    openai_server.draw(DATA, text="Here:")
    openai_server.reply("I see it.")
    text = """
persons: {A: {service: openai, model: m}, B: {service: openai, model: m}}
nodes:
- {label: start, type: start}
- {label: draw, type: person_job, person: A, prompt: Draw.}
- {label: look, type: person_job, person: B, prompt: Look., images: ["{{draw}}"]}
- {label: again, type: person_job, person: A, prompt: And now?}
- {label: end, type: endpoint}
connections:
- {from: start, to: draw}
- {from: draw, to: look}
- {from: look, to: again}
- {from: draw, to: end}
"""
    run = session.start(text).wait()
    assert {"text": "Here:", "images": [URL]} == run.output
    assert URL == parts(openai_server.requests[1])[1]["image_url"]["url"]
    # A model is shown its own image by the user: no provider takes it from the assistant.
    mine = openai_server.requests[2].body["messages"]
    assert ["user", "assistant", "user", "user"] == [each["role"] for each in mine]
    assert URL == mine[2]["content"][1]["image_url"]["url"]


def test_another_image_is_another_question(session, openai_server):
    for photo in (PNG, PNG, png(4, 4)):
        session.start(drawn("['{{photo}}']"), {"photo": photo}).wait()
    assert 2 == len(openai_server.requests)


# In a notebook ------------------------------------------------------------------------------------


def test_a_run_its_nodes_and_its_conversation_show_images(session, openai_server):
    openai_server.draw(DATA, text="Here:")
    run = session.start(drawn("['{{photo}}']"), {"photo": png(4, 4)}).wait()
    tag = f'<img src="{URL}"'
    assert tag in run._repr_mimebundle_()[0]["text/html"]
    node = run["see"]._repr_mimebundle_()["text/html"]
    assert tag in node
    assert 2 == node.count("<img")
    assert 2 == run.conversation._repr_mimebundle_()["text/html"].count("<img")


def test_text_has_a_few_words_for_an_image(session, openai_server):
    openai_server.draw(DATA, text="Here:")
    run = session.start(drawn("['{{photo}}']"), {"photo": PNG}).wait()
    assert '"images": ["<image/png, 1 kB>"]' in repr(run)
    assert DATA not in repr(run)


def test_addresses_in_the_web_are_not_looked_up_by_the_notebook(session, openai_server):
    run = session.start(drawn("['https://example.org/p.png']")).wait()
    assert "https://example.org/p.png" == parts(openai_server.requests[0])[1]["image_url"]["url"]
    assert "<img" not in str(run["see"]._repr_mimebundle_())


def test_the_journal_keeps_an_image_once(session, openai_server, tmp_path):
    large = as_json(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 800)
    text = drawn("['{{photo}}', '{{photo}}', '{{photo}}']")
    session.start(text, {"photo": large}).wait()
    session.start(text, {"photo": large}, fresh=True).wait()
    size = sum(each.stat().st_size for each in (tmp_path / "home").rglob("*") if each.is_file())
    assert size < 2 * len(large)
