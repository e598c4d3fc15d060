"""Sessions of a test's own, here and in a Jupyter server, and jobs that wait for the test.

The tests of a module with `BOTH_MODES = True` are run in both.
"""

import asyncio
import threading
from concurrent.futures import Future
from contextlib import closing, contextmanager

import pytest

from dipeo_jupyter.notebook.session import Session, default_session
from dipeo_jupyter.settings import Settings
from tests.gate import Gate
from tests.server.serving import TOKEN, serving


def pytest_generate_tests(metafunc):
    """Have the tests of some modules run in both modes."""
    if "where" in metafunc.fixturenames and getattr(metafunc.module, "BOTH_MODES", False):
        metafunc.parametrize("where", ["embedded", "server"], indirect=True)


@pytest.fixture(autouse=True)
def no_walls(monkeypatch):
    """Jobs here tell the tests how far they are, by files outside of any sandbox."""
    monkeypatch.setenv("DIPEO_SANDBOX", "off")
    monkeypatch.setenv("DIPEO_TRUST", "all")


@pytest.fixture
def where(request, tmp_path, monkeypatch):
    """Where diagrams run, as `DIPEO_CONNECT` says it."""
    if getattr(request, "param", "embedded") == "embedded":
        yield "embedded"
        return
    for name in ("DATA_DIR", "RUNTIME_DIR", "CONFIG_DIR", "CONFIG_PATH"):
        monkeypatch.setenv(f"JUPYTER_{name}", str(tmp_path / ".jupyter" / name))
    with in_background(tmp_path) as port:
        yield f"http://127.0.0.1:{port}/?token={TOKEN}"


@contextmanager
def in_background(folder):
    """A Jupyter server on a thread with a loop of its own; its port."""
    ready, stop = Future(), Future()

    async def main():
        async with serving(folder) as served:
            ready.set_result(served.app.port)
            await asyncio.wrap_future(stop)

    def live():
        try:
            asyncio.run(main())
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield ready.result()
    finally:
        stop.set_result(None)
        thread.join()


@pytest.fixture
def session(tmp_path, where):
    with closing(
        Session(Settings(root=tmp_path, connect=where, sandbox="off", trust="all"))
    ) as session:
        yield session


@pytest.fixture
def kernel(tmp_path, monkeypatch, where):
    """The session that a kernel has one of, in its own folder."""
    monkeypatch.setenv("DIPEO_ROOT", str(tmp_path))
    monkeypatch.setenv("DIPEO_CONNECT", where)
    default_session.cache_clear()
    if where != "embedded":
        default_session().connect(where)  # or the first run would say where that is
    yield
    default_session().close()
    default_session.cache_clear()


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)
