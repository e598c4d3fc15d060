"""`%%dipeo`: a cell that holds a diagram, and runs it.

The cell is awaited, so that the kernel's event loop lives while the diagram runs. What is heavy is
imported when the first diagram is run.
"""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.display import display

from ..diagram.suggest import did_you_mean
from ..errors import DipeoError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .run import Run

MAGIC = "get_ipython().run_cell_magic('dipeo',"


class Options(argparse.ArgumentParser):
    """Reads the magic's line; mistakes become IPython's usage errors."""

    def error(self, message: str) -> NoReturn:
        hint = None
        for word in message.partition("unrecognized arguments: ")[2].split():
            known = [each for each in self._option_string_actions if each.startswith("--")]
            hint = hint or did_you_mean(word.partition("=")[0], known)
        raise UsageError(f"%%dipeo: {message}. {hint or 'See %%dipeo --help.'}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise UsageError(message or self.format_help())


def _options() -> Options:
    options = Options(
        prog="%%dipeo", description="Run the diagram in this cell.", allow_abbrev=False
    )
    options.add_argument(
        "name", nargs="?", help="name of the run, and of the variable that will hold it"
    )
    options.add_argument(
        "--inputs",
        nargs="+",
        default=[],
        metavar="NAME[=VALUE]",
        help="variables of the notebook, or values (JSON or text), for the start node",
    )
    options.add_argument(
        "--out",
        metavar="NAME",
        help="put the output of the node of this name (else of the run) into a variable",
    )
    options.add_argument(
        "--answers", metavar="VARIABLE", help="a dict of answers to user_response nodes"
    )
    options.add_argument(
        "--no-wait", action="store_true", help="return at once; the run goes on by itself"
    )
    return options


@magics_class
class DipeoMagics(Magics):
    @cell_magic
    def dipeo(self, line: str, cell: str) -> Run | Coroutine[Any, Any, Run] | None:
        """Run the diagram in this cell. `%%dipeo --help` lists the options."""
        try:
            words = _options().parse_args(shlex.split(line))
        except ValueError as error:
            raise UsageError(f"%%dipeo: {error}") from None
        run = self._start(words, cell)
        if words.name:
            self._push(words.name, run)
        if words.no_wait:
            return run
        if self.shell.autoawait:
            return self._finish(run, words.out)
        try:
            run.wait()
        except DipeoError:
            display(run)
            raise
        return self._deliver(run, words.out)

    def _start(self, words: argparse.Namespace, cell: str) -> Run:
        # Only who runs a diagram pays for the engine.
        from .asking import ask_by_input  # noqa: PLC0415
        from .session import default_session  # noqa: PLC0415

        inputs = dict(self._input(word) for word in words.inputs)
        answers = self._variable(words.answers) if words.answers else {}
        if not isinstance(answers, Mapping):
            raise UsageError(f"%%dipeo: {words.answers!r} is no dict of answers by node")
        ask = None if words.no_wait else ask_by_input
        return default_session().start(
            cell + "\n", inputs, answers=answers, ask=ask, name=words.name
        )

    async def _finish(self, run: Run, out: str | None) -> Run:
        try:
            await run
        except DipeoError:
            display(run)
            raise
        return self._deliver(run, out)

    def _deliver(self, run: Run, out: str | None) -> Run:
        if out:
            labels = [spec.label for spec in run.diagram.nodes]
            self._push(out, run[out].output if out in labels else run.output)
        return run

    def _input(self, word: str) -> tuple[str, Any]:
        name, given, text = word.partition("=")
        if not given:
            return name, self._variable(name)
        try:
            return name, json.loads(text)
        except ValueError:
            return name, text

    def _variable(self, name: str) -> Any:
        namespace = self.shell.user_ns
        if name not in namespace:
            mine = [each for each in namespace if not each.startswith("_")]
            hint = did_you_mean(name, mine) or f"Write {name}=value to give one here."
            raise UsageError(f"%%dipeo: the notebook has no variable {name!r}. {hint}")
        return namespace[name]

    def _push(self, name: str, value: Any) -> None:
        if not name.isidentifier():
            raise UsageError(f"%%dipeo: {name!r} cannot be the name of a variable")
        self.shell.push({name: value})


def awaited(lines: list[str]) -> list[str]:
    """IPython's hook on every cell: put `await` before the magic, so that the cell waits for it."""
    return [f"await {line}" if line.startswith(MAGIC) else line for line in lines]


def register(shell: InteractiveShell) -> None:
    shell.register_magics(DipeoMagics)
    if shell.autoawait and awaited not in shell.input_transformers_post:
        shell.input_transformers_post.append(awaited)


def unregister(shell: InteractiveShell) -> None:
    if awaited in shell.input_transformers_post:
        shell.input_transformers_post.remove(awaited)
    shell.magics_manager.magics["cell"].pop("dipeo", None)
