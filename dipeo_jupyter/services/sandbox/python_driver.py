"""Runs one Python job in its own process: the job is JSON on stdin, its report goes to a pipe.

Started as a script, with the number of the pipe as its argument; it imports nothing of the package
and, until it must, little of the standard library, because every job waits for it. Jobs in the
notebook's own process (`services/kernel`) have what is public here in common with these.

A job's inputs are its variables, and `inputs` holds them all. Its value is what a function named by
the job returns; else what a top-level `return` hands on, or `result`, or, when the code defines
`main` and never uses it, what `main` returns; else the sandbox takes what was printed. The report
is one line: `{"value": …}`, `{"nothing": true}` or `{"error": {"message", "details", "field"}}`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from types import ModuleType

TYPE_CHECKING = False  # importing `typing` to ask takes longer than all the rest
if TYPE_CHECKING:
    import ast
    from typing import Any
else:
    import _ast as ast

if TYPE_CHECKING or __package__:
    from .python_errors import FILE, JobError, described
    from .python_syntax import (
        as_function,
        functions,
        is_named,
        is_variable,
        own_nodes,
        parse,
    )
    from .python_values import line, plain_tree
else:  # beside it, in the process of a job
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    from python_errors import FILE, JobError, described
    from python_syntax import (
        as_function,
        functions,
        is_named,
        is_variable,
        own_nodes,
        parse,
    )
    from python_values import line, plain_tree

    sys.path.pop(0)

NOTHING = object()
_MOST_NAMES = 3


class Ended(dict[str, "Any"]):
    """The local names of code that has a `return` and ran to its end without it."""


def prepare() -> None:
    """Do what can be done before there is a job: much is done for the first time but once."""
    # Each line at once, so that it can be shown; text that is no Unicode must not end the job.
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    usual = sys.modules["__main__"]
    report({"code": "return given", "function": None, "inputs": {"given": 0}})
    sys.modules["__main__"] = usual


def main() -> None:
    """Run the job that comes; the number of the pipe is the last argument."""
    pipe = int(sys.argv.pop())
    os.set_inheritable(pipe, False)  # noqa: FBT003  (takes no name)
    sys.argv[:] = [FILE]
    folder = os.getcwd()  # noqa: PTH109  (pathlib is slow to import)
    nothing = os.open(os.devnull, os.O_RDONLY)
    job = json.load(sys.stdin.buffer)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.environ.update(job["environment"])
    _limit_cpu(job["cpu_seconds"])
    said = report(job)
    _tell_of_files(folder)
    with os.fdopen(pipe, "wb") as stream:
        stream.write(said)
    if job["hurry"] and not _has_more_to_do():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _tell_of_files(folder: str) -> None:
    """Say which files are lost now: whoever has written them may think that they are kept."""
    try:
        with os.scandir(folder) as entries:
            files = [each.name for each in entries if each.is_file()]
    except OSError:
        return
    if names := sorted(name for name in files if not name.startswith(".")):
        told = ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
        verb = "is" if len(names) == 1 else "are"
        sys.stderr.write(
            f"{told} {verb} not kept: return what is in there, and let a db write it.\n"
        )


def _has_more_to_do() -> bool:
    """Whether somebody waits for the usual end of a Python process, which takes longer."""
    import atexit  # noqa: PLC0415  (built in)

    return "threading" in sys.modules or atexit._ncallbacks() > 0  # noqa: SLF001 - there is no other way


def _limit_cpu(seconds: int) -> None:
    try:
        import resource  # noqa: PLC0415  (not everywhere)
    except ImportError:
        return
    _, highest = resource.getrlimit(resource.RLIMIT_CPU)
    if highest == resource.RLIM_INFINITY or seconds < highest:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def report(job: dict[str, Any]) -> bytes:
    """Run a job, and say what came of it."""
    try:
        value = _run(job["code"], job["function"], job["inputs"])
        return line({"nothing": True} if value is NOTHING else {"value": plain_tree(value)})
    except BaseException as error:  # noqa: BLE001  (whatever the code raises is its report)
        return line({"error": described(error, job["code"])})


def _run(code: str, function: str | None, inputs: dict[str, Any]) -> Any:
    # A real module, and a script's usual name: dataclasses, pickle and pydantic look it up.
    module = ModuleType("job" if function else "__main__")
    sys.modules[module.__name__] = module
    space = module.__dict__
    names = {key: value for key, value in inputs.items() if is_variable(key)}
    space.update(names, inputs=inputs)
    tree = parse(code, FILE)
    if function is None:
        return _run_script(tree, space, names)
    _execute(tree, space)
    if not callable(space.get(function)):
        raise no_function(function, tree)
    return call(space[function], inputs)


def _run_script(tree: ast.Module, space: dict[str, Any], names: dict[str, Any]) -> Any:
    inputs = space["inputs"]
    ended: Mapping[str, Any] = space
    if any(isinstance(node, ast.Return) for node in own_nodes(tree)):
        value = _call_as_function(tree, space, names)
        if type(value) is not Ended:
            return value
        ended = value
    else:
        _execute(tree, space)
    # An input of this name is a result only when the code has set it.
    if "result" in ended and ("result" not in inputs or is_named(tree, "result", ast.Store)):
        return ended["result"]
    if "main" in functions(tree) and not is_named(tree, "main", ast.Load):
        return call(ended["main"], inputs)
    return NOTHING


def _execute(tree: ast.Module, space: dict[str, Any]) -> None:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(tree, FILE, "exec", flags=flags, dont_inherit=True)
    awaited(eval(code, space))  # noqa: S307  (running code is what this process is for)


def _call_as_function(tree: ast.Module, space: dict[str, Any], names: dict[str, Any]) -> Any:
    """Run the code as the body of a function, for `return` has no meaning elsewhere.

    Inputs are its parameters, so that they can be assigned to.
    """
    space["__Ended__"] = Ended
    _execute(as_function(tree, "__job__", names, "__Ended__(locals())"), space)
    job = space.pop("__job__")
    own = job.__code__.co_varnames[: job.__code__.co_argcount]
    job.__code__ = job.__code__.replace(co_name="<module>", co_qualname="<module>")
    return awaited(job(**{name: names[name] for name in own}))


def no_function(name: str, tree: ast.Module) -> JobError:
    """What to say when the function to be called is not there."""
    there = ", ".join(f"`{each}`" for each in functions(tree)) or "no function at all"
    return JobError(
        f"The code defines no function `{name}`; it defines {there}.", field="function_name"
    )


def call(function: Callable[..., Any], inputs: dict[str, Any]) -> Any:
    """Call with the inputs that the function has names for, else with all of them as one dict."""
    # Slow to import, and needed by few jobs.
    from inspect import Parameter, signature  # noqa: PLC0415

    try:
        shape = signature(function)
    except (TypeError, ValueError):  # some builtins do not tell
        return awaited(function(inputs))
    kinds = {each.kind for each in shape.parameters.values()}
    takes_all = Parameter.VAR_KEYWORD in kinds
    named = {key: inputs[key] for key in inputs if takes_all or key in shape.parameters}
    try:
        shape.bind(**named)
    except TypeError:
        return awaited(function(inputs))
    if not named and shape.parameters and not takes_all:
        return awaited(function(inputs))
    return awaited(function(**named))


def awaited(value: Any) -> Any:
    """A value, or what a coroutine gives."""
    if not hasattr(value, "__await__"):
        return value
    # Slow to import, and needed by few jobs.
    import asyncio  # noqa: PLC0415

    async def wait() -> Any:
        return await value

    return asyncio.run(wait())


if __name__ == "__main__":
    prepare()
    main()
