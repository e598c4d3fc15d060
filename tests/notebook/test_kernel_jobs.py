"""Jobs with `kernel: true` in a run: the notebook's names, reuse, and no notebook at all."""

from __future__ import annotations

from contextlib import closing

import pytest

from dipeo_jupyter.errors import DiagramError, ExecutionFailedError
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.settings import Settings

COUNT = """
nodes:
- {label: start, type: start}
- label: count
  type: job
  kernel: true
  code: |
    calls.append(topic)
    longest = max(rows, key=len)
    return len(rows)
- {label: end, type: endpoint}
connections:
- {from: start, to: count}
- {from: count, to: end}
"""


@pytest.fixture
def names():
    return {"rows": ["a", "bcd"], "calls": []}


@pytest.fixture
def notebook(tmp_path, names):
    with closing(Session(Settings(root=tmp_path), lambda: names)) as session:
        yield session


def test_a_job_sees_the_notebooks_names_and_leaves_its_own_there(notebook, names):
    run = notebook.start(COUNT, {"topic": "cats"}).wait()

    assert run["count"].output == 2
    assert names["longest"] == "bcd"
    assert names["calls"] == ["cats"]


def test_it_runs_anew_in_every_run_unless_it_is_pure(notebook, names):
    for diagram in (COUNT, COUNT, COUNT.replace("kernel: true", "kernel: true\n  pure: true")) * 2:
        notebook.start(diagram, {"topic": "cats"}).wait()

    assert len(names["calls"]) == 4


def test_its_error_names_node_and_line(notebook, names):
    del names["rows"]

    with pytest.raises(ExecutionFailedError, match=r"NameError: name 'rows'.*line 2 of the code"):
        notebook.start(COUNT, {"topic": "cats"}).wait()


def test_a_run_that_failed_goes_on_when_the_notebook_has_what_was_missing(notebook, names):
    rows = names.pop("rows")
    with pytest.raises(ExecutionFailedError) as caught:
        notebook.start(COUNT, {"topic": "cats"}).wait()
    names["rows"] = rows

    run = caught.value.run
    run.resume()

    assert run.wait()["count"].output == 2


def test_without_a_notebook_it_is_refused_before_anything_runs(tmp_path):
    with closing(Session(Settings(root=tmp_path), lambda: None)) as session:
        with pytest.raises(DiagramError, match=r"'count' has `kernel: true`\. It needs a notebook"):
            session.start(COUNT, {"topic": "cats"})

        assert not list(session.runs())


def test_other_languages_do_not_run_there(notebook):
    with pytest.raises(DiagramError, match="only Python runs"):
        notebook.start(COUNT.replace("kernel: true", "kernel: true\n  language: bash"))
