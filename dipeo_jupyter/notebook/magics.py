"""`%%dipeo`: a cell that holds a diagram, and runs it.

In a kernel the cell is awaited, so that the kernel's event loop lives while the diagram runs. What
is heavy is imported when the first diagram is run.
"""

from __future__ import annotations

import argparse
import asyncio
import keyword
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.display import display

from ..diagram.suggest import nearest
from ..errors import DipeoError
from ..settings import CASSETTE_MODES
from . import completion
from .interrupts import Interrupted, stopped, unbegun
from .options import Options

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .run import Run

MAGIC = "get_ipython().run_cell_magic('dipeo',"
UNNAMED = "_run"
"""The variable for a run without a name, as `_` is IPython's for a value without one."""


def cell_options() -> Options:
    """What the first line of a `%%dipeo` cell may say."""
    options = Options(
        prog="%%dipeo",
        description="Run the diagram in this cell.",
        add_help=False,
        allow_abbrev=False,
    )
    options.add_argument("-h", "--help", action="store_true", help="show this text; run nothing")
    options.add_argument(
        "name",
        nargs="?",
        type=_variable_name,
        help="name of the run, and of the variable that will hold it",
    )
    options.add_argument(
        "--inputs",
        nargs="+",
        default=[],
        metavar="NAME[=VALUE]",
        help="variables of the notebook, or values (JSON or text), for the start node",
    )
    end = options.add_mutually_exclusive_group()
    end.add_argument(
        "--out",
        metavar="NAME",
        type=_variable_name,
        help="put the output of the node of this name (else of the run) into a variable",
    )
    options.add_argument(
        "--answers", metavar="VARIABLE", help="a dict of answers to user_response nodes"
    )
    options.add_argument(
        "--thread", metavar="NAME", help="go on with the conversation of the last run so named"
    )
    end.add_argument(
        "--no-wait", action="store_true", help="return at once; the run goes on by itself"
    )
    options.add_argument(
        "--break",
        dest="breakpoints",
        nargs="+",
        default=[],
        metavar="PLACE",
        help="pause there: argue, argue[2], 'after argue', 'argue if len(topic) > 3'",
    )
    options.add_argument("--fresh", action="store_true", help="ask models anew, whatever is known")
    options.add_argument(
        "--since", metavar="RUN", help="a run (a variable or an id) whose results hold"
    )
    from ..client import add_budget  # noqa: PLC0415 - only who runs a diagram pays for it

    add_budget(options)
    options.add_argument(
        "--cassette", metavar="FILE", help="record the answers of models there, or replay them"
    )
    options.add_argument(
        "--cassette-mode", choices=CASSETTE_MODES, help="auto: ask for what is not recorded"
    )
    options.add_argument(
        "--trust", action="store_true", help="let diagrams in files do what they ask for"
    )
    return options


def _variable_name(text: str) -> str:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be the name of a variable")
    return text


@magics_class
class DipeoMagics(Magics):
    shell: InteractiveShell

    @cell_magic
    def dipeo(self, line: str, cell: str) -> Run | Coroutine[Any, Any, Run | None] | None:
        """Run the diagram in this cell. `%%dipeo --help` lists the options."""
        words = cell_options().parse_line(line)
        if words.help:
            print(cell_options().format_help())  # noqa: T201 - what was asked for
            return _at_once(None) if self._awaits() else None
        name = words.name or UNNAMED
        try:
            run = self._start(words, cell)
        except Interrupted as interrupted:
            self.shell.push({name: interrupted.run})
            raise Interrupted(interrupted.run, name) from None
        except KeyboardInterrupt as stop:
            raise unbegun(stop) from None
        try:
            self.shell.push({name: run})
            if self._awaits():
                return _at_once(run) if words.no_wait else self._awaited(run, words)
            return run if words.no_wait else self._waited(run, words)
        except KeyboardInterrupt:
            raise stopped(run, name) from None

    @line_magic("dipeo")  # type: ignore[arg-type] # IPython types only its bare form
    def command(self, line: str) -> Any:
        """Do something with diagrams without running them. `%dipeo help` lists what there is."""
        from .commands import obey  # noqa: PLC0415 - only who uses it pays for it

        if line.strip() in ("", "help", "-h", "--help"):
            print(cell_options().format_help())  # noqa: T201 - what was asked for
            line = "help"
        return obey(line, self.shell.user_ns)

    def transform(self, lines: list[str]) -> list[str]:
        """IPython's hook on every cell: put `await` before the magic, so that the cell waits."""
        if lines and lines[0].startswith(MAGIC) and self._awaits():
            return [f"await {lines[0]}", *lines[1:]]
        return lines

    def _awaits(self) -> bool:
        """Whether there is a loop, as in a kernel, that must live while the cell waits.

        In a terminal there is none, and Ctrl-C would not even cancel what it awaits.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return bool(self.shell.autoawait)

    def _start(self, words: argparse.Namespace, cell: str) -> Run:
        from ..client import budget_in  # noqa: PLC0415 - as above
        from .session import default_session  # noqa: PLC0415 - as above

        inputs = dict(self._input(word) for word in words.inputs)
        answers = self._variable(words.answers) if words.answers else {}
        if not isinstance(answers, Mapping):
            raise UsageError(f"%%dipeo: {words.answers!r} is no dict of answers by node")
        since = self.shell.user_ns.get(words.since, words.since)
        return default_session().start(
            f"\n{cell}\n",  # the line of the magic counts, as in the editor's numbers
            inputs if inputs or not since else None,
            answers=answers,
            name=words.name,
            thread=words.thread,
            breakpoints=words.breakpoints,
            fresh=words.fresh,
            since=since,
            budget=budget_in(words),
            cassette=words.cassette,
            cassette_mode=words.cassette_mode,
            trust=words.trust,
        )

    async def _awaited(self, run: Run, words: argparse.Namespace) -> Run:
        from .card.showing import showing  # noqa: PLC0415 - as above

        with _shown(run, words.name or UNNAMED), showing(run):
            await run
        return self._deliver(run, words.out)

    def _waited(self, run: Run, words: argparse.Namespace) -> Run:
        from .card.showing import show  # noqa: PLC0415 - as above

        with _shown(run, words.name or UNNAMED):
            show(run)
            run.wait()
        return self._deliver(run, words.out)

    def _deliver(self, run: Run, out: str | None) -> Run:
        if out and run.status == "completed":  # it may stand at a breakpoint
            labels = [spec.label for spec in run.diagram.nodes]
            self.shell.push({out: run[out].output if out in labels else run.output})
        return run

    def _input(self, word: str) -> tuple[str, Any]:
        from ..client import json_or_text  # noqa: PLC0415 - as above

        name, given, text = word.partition("=")
        return name, json_or_text(text) if given else self._variable(name)

    def _variable(self, name: str) -> Any:
        namespace = self.shell.user_ns
        if name not in namespace:
            closest = nearest(name, sorted(namespace.keys() - self.shell.user_ns_hidden.keys()))
            hint = f"Did you mean {closest!r}?" if closest else f"Write {name}=… to give a value."
            raise UsageError(f"%%dipeo: the notebook has no variable {name!r}. {hint}")
        return namespace[name]


@contextmanager
def _shown(run: Run, name: str) -> Iterator[None]:
    """What a cell shows whose run does not come to its end."""
    try:
        yield
    except DipeoError:
        display(run)
        raise
    except asyncio.CancelledError:
        raise Interrupted(run, name) from None


async def _at_once(value: Run | None) -> Run | None:
    # A run would be waited for: it is awaitable itself.
    return value


def register(shell: InteractiveShell) -> None:
    """Make `%%dipeo` known to a shell."""
    magics = DipeoMagics(shell)
    shell.register_magics(magics)
    shell.input_transformers_post.append(magics.transform)
    completion.register(shell)


def unregister(shell: InteractiveShell) -> None:
    """Undo `register`."""
    magics = shell.magics_manager.registry.pop(DipeoMagics.__name__)
    shell.input_transformers_post.remove(magics.transform)
    completion.unregister(shell)
    for kind in ("cell", "line"):
        shell.magics_manager.magics[kind].pop("dipeo", None)
