"""What diagrams have been used for against other tools: expressions, paths, addresses and files."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from contextlib import contextmanager

import pytest
from pydantic import ValidationError

from dipeo_jupyter.diagram import light
from dipeo_jupyter.diagram.expression import evaluate
from dipeo_jupyter.diagram.template import render
from dipeo_jupyter.engine.node import Inputs
from dipeo_jupyter.errors import DipeoError
from dipeo_jupyter.nodes.api_job import ApiJob
from dipeo_jupyter.services.files import LocalFiles
from dipeo_jupyter.services.web import WebService
from tests.nodes.context import FakeContext, services

SECONDS, GROWTH = 2.0, 256 * 1024**2
BUSY = 10
"""How many times as long it may take on a machine that has other things to do."""
NAMES = {"user": {"name": "Ada"}, "items": [1, 2, 3], "text": "tea", "n": 7}


@contextmanager
def soon_and_small():
    """No attack takes long, or much."""
    began, worked = time.monotonic(), time.process_time()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.process_time() - worked < SECONDS
    assert time.monotonic() - began < SECONDS * BUSY
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < GROWTH


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id')",
        "().__class__.__base__.__subclasses__()",
        "user.__class__",
        "text.__class__.__mro__[1]",
        "text.format(1)",
        "text.upper.__self__",
        "getattr(text, 'upper')",
        "open('/etc/passwd').read()",
        "eval('1')",
        "exec('x=1')",
        "globals()",
        "vars()",
        "(lambda: 1)()",
        "[x for x in items]",
        "{x: x for x in items}",
        "(y := 5)",
        "f'{n}'",
        "items.append(4)",
        "user.update({'name': 'Eve'})",
        "9 ** 9 ** 9",
        "1 << 99999999",
        "'a' * 999999999",
        "'%0999999999d' % 1",
        "items * 99999999",
        "(" * 3000 + "1" + ")" * 3000,
        "-" * 100_000 + "1",
        "1" * 100_000,
        " and ".join(["n"] * 50_000),
        "n.real.__class__",
        "process.env",
        "constructor.constructor('return 1')()",
        "yield 1",
        "await n",
        "print(1, file=text)",
    ],
    ids=lambda text: text[:40],
)
def test_an_expression_reaches_nothing_of_python(text):
    with soon_and_small(), pytest.raises(DipeoError):
        evaluate(text, NAMES)
    assert NAMES["items"] == [1, 2, 3]


@pytest.mark.parametrize(
    "template",
    [
        "{{user.__class__}}",
        "{{text.__init__.__globals__}}",
        "{{user['__class__']}}",
        "{{config}}",
        "{{self}}",
        "{{''.__class__.__mro__}}",
        "{{7*7}}",
        "{{text.upper()}}",
        "{{lipsum.__globals__}}",
        "{{text | attr('__class__')}}",
        "{{env.OPENAI_API_KEY}}",
        "{{secrets.key}}",
        "{{#each items}}" * 3000,
        "{{text | " + "upper | " * 50_000 + "upper}}",
        "{{" + "a." * 50_000 + "b}}",
        "{{constructor}}",
        "{{#each items}}" * 12 + "x" * 10_000 + "{{/each}}" * 12,
    ],
    ids=lambda text: text[:40],
)
def test_a_template_reaches_nothing_of_python(template):
    with soon_and_small(), pytest.raises(DipeoError):
        render(template, NAMES)


@pytest.mark.parametrize(
    "text", ["{% import os %}", "${7*7}", "#{7*7}", "<%= 7 %>", "{0.__class__}"]
)
def test_languages_of_other_templates_are_text(text):
    assert render(text, NAMES) == text


@pytest.mark.parametrize(
    "path",
    [
        "../outside.txt",
        "a/../../outside.txt",
        "/etc/passwd",
        "../root-of-another/file",
        "link/outside.txt",
        "link.txt",
        "loop/loop/loop",
        "a\0b",
        "/proc/self/environ",
        "/dev/zero",
        "pipe",
        ".env",
        ".git/config",
        ".ipynb_checkpoints/x",
        "sub/.hidden",
        "~/.ssh/id_rsa",
        "x" * 300,
        "a/" * 3000 + "b",
        "..\u2215outside.txt",
        "\uff0e\uff0e/outside.txt",
        "file:///etc/passwd",
        "",
        ".",
        "..",
    ],
    ids=lambda path: repr(path[:30]),
)
def test_a_path_does_not_lead_out(tmp_path, path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.txt").write_text("outside")
    (root / "link").symlink_to(tmp_path)
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (root / "loop").symlink_to(root / "loop")
    os.mkfifo(root / "pipe")
    with soon_and_small(), pytest.raises(DipeoError):
        asyncio.run(LocalFiles(root).read(path))
    assert (tmp_path / "outside.txt").read_text() == "outside"


@pytest.mark.parametrize(
    "path",
    ["x.pth", "sitecustomize.py", "jupyter_server_config.py", ".bashrc", "../new", "link/new"],
)
def test_nothing_is_written_that_others_execute(tmp_path, path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(DipeoError):
        asyncio.run(LocalFiles(root).write(path, "import os"))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{" * 100_000,
        "a: &a [x,x]\n" + "\n".join(f"b{n}: [*a, *a]" for n in range(200_000)),
        "nodes: !!python/object/apply:os.system ['id']",
        "nodes: !!python/name:os.system",
        "- " * 50_000 + "x",
        "nodes:\n- {label: a, type: start}\n- {label: a, type: start}",
        "nodes: [{label: ../../x, type: no_such_type_at_all}]\nconnections: [{from: x, to: y}]",
        "nodes: 7",
        "\0",
    ],
    ids=lambda text: text[:30],
)
def test_a_file_is_refused_before_anything_runs(text):
    with soon_and_small(), pytest.raises(DipeoError):
        light.loads(text)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://127.1/",
        "http://0/",
        "http://①②⑦.0.0.1/",
        "http://example.org@127.0.0.1/",
        "http://127.0.0.1\\.example.org/",
        "http://127.0.0.1#.example.org/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "{{url}}",
        "http://{{host}}/",
        "http://example.org{{at}}/",
        "http://example.org/{{up}}/secret",
    ],
)
def test_a_request_reaches_nothing_private(url):
    """Whatever is written, and whatever a value says; nobody is connected to."""
    web = WebService(lambda *_: "", private=False)
    values = {"url": "http://127.0.0.1/", "host": "127.0.0.1", "at": "@127.0.0.1", "up": ".."}
    ctx = FakeContext(services=services(web=web), names=values)
    with soon_and_small(), pytest.raises((DipeoError, ValidationError)):
        asyncio.run(ApiJob(url=url).run(Inputs(), ctx))
