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

import ast
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from keyword import iskeyword
from types import ModuleType

TYPE_CHECKING = False  # importing `typing` to ask takes longer than all the rest
if TYPE_CHECKING:
    from typing import Any

_FILE = "<job>"
NOTHING = object()
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_LONGEST_MESSAGE = 5_000  # characters
_LONGEST_DETAILS = 30_000
_MOST_NAMES = 3


class _JobError(Exception):
    """What is wrong with a job as a whole; the sentence needs no traceback."""

    def __init__(self, message: str, field: str = "code") -> None:
        super().__init__(message)
        self.field = field


class Ended(dict[str, "Any"]):
    """The local names of code that has a `return` and ran to its end without it."""


def _main() -> None:
    pipe = int(sys.argv.pop())
    os.set_inheritable(pipe, False)  # noqa: FBT003  (takes no name)
    job = json.load(sys.stdin.buffer)
    os.environ.update(job["environment"])
    _limit_cpu(job["cpu_seconds"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    # Each line at once, so that it can be shown; text that is no Unicode must not end the job.
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    sys.argv[:] = [_FILE]
    folder = os.getcwd()  # noqa: PTH109  (pathlib is slow to import)
    report = _report(job)
    _tell_of_files(folder)
    with os.fdopen(pipe, "wb") as stream:
        stream.write(report)
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


def _report(job: dict[str, Any]) -> bytes:
    try:
        value = _run(job["code"], job["function"], job["inputs"])
        return line({"nothing": True} if value is NOTHING else {"value": plain_tree(value)})
    except BaseException as error:  # noqa: BLE001  (whatever the code raises is its report)
        return line({"error": described(error, job["code"])})


def line(report: dict[str, Any]) -> bytes:
    """A report as it is handed on."""
    try:
        line = json.dumps(report, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair
        line = json.dumps(report, allow_nan=False).encode()
    return line + b"\n"


# Running


def _run(code: str, function: str | None, inputs: dict[str, Any]) -> Any:
    # A real module, and a script's usual name: dataclasses, pickle and pydantic look it up.
    module = ModuleType("job" if function else "__main__")
    sys.modules[module.__name__] = module
    space = module.__dict__
    names = {key: value for key, value in inputs.items() if is_variable(key)}
    space.update(names, inputs=inputs)
    tree = ast.parse(code, _FILE)
    if function is None:
        return _run_script(tree, space, names)
    _execute(tree, space)
    if not callable(space.get(function)):
        raise no_function(function, tree)
    return call(space[function], inputs)


def is_variable(key: str) -> bool:
    """Whether an input of this name can be a variable."""
    return key.isidentifier() and not iskeyword(key) and not key.startswith("__")


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
    if defines(tree, "main") and not is_named(tree, "main", ast.Load):
        return call(ended["main"], inputs)
    return NOTHING


def _execute(tree: ast.Module, space: dict[str, Any]) -> None:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(tree, _FILE, "exec", flags=flags, dont_inherit=True)
    awaited(eval(code, space))  # noqa: S307  (running code is what this process is for)


def _call_as_function(tree: ast.Module, space: dict[str, Any], names: dict[str, Any]) -> Any:
    """Run the code as the body of a function, for `return` has no meaning elsewhere.

    Inputs are its parameters, so that they can be assigned to. Names that some inner function
    declares `global` are global here too, as they would be without the wrapping; what only a
    module may hold (`from … import *`) stays outside.
    """
    shared = {
        name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names
    }
    outside = [node for node in tree.body if is_for_modules(node)]
    own = [name for name in names if name not in shared]
    keyword = "async def" if any(is_await(node) for node in own_nodes(tree)) else "def"
    shell = ast.parse(f"{keyword} __job__(): return __Ended__(locals())")
    function = shell.body[0]
    assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
    function.args.args = [ast.arg(name) for name in own]
    head: list[ast.stmt] = [ast.Global(sorted(shared))] if shared else []
    function.body = [*head, *(node for node in tree.body if node not in outside), *function.body]
    shell.body = [*outside, function]
    space["__Ended__"] = Ended
    _execute(ast.fix_missing_locations(shell), space)
    job = space.pop("__job__")
    job.__code__ = job.__code__.replace(co_name="<module>", co_qualname="<module>")
    return awaited(job(**{name: names[name] for name in own}))


def own_nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes but those inside functions and classes."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _SCOPES):
            waiting.extend(ast.iter_child_nodes(node))


def is_await(node: ast.AST) -> bool:
    """Whether it waits, which only coroutines may."""
    if isinstance(node, ast.comprehension):
        return bool(node.is_async)
    return isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith))


def is_for_modules(node: ast.stmt) -> bool:
    """Whether it may not stand in a function."""
    if not isinstance(node, ast.ImportFrom):
        return False
    return node.module == "__future__" or node.names[0].name == "*"


def is_named(tree: ast.Module, name: str, use: type[ast.expr_context]) -> bool:
    """Whether a name is used so anywhere."""
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name)
    return any(isinstance(node.ctx, use) for node in names)


def _functions(tree: ast.Module) -> list[str]:
    defined = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.name for node in tree.body if isinstance(node, defined)]


def defines(tree: ast.Module, name: str) -> bool:
    """Whether there is a function of this name at the top."""
    return name in _functions(tree)


def no_function(name: str, tree: ast.Module) -> _JobError:
    """What to say when the function to be called is not there."""
    there = ", ".join(f"`{each}`" for each in _functions(tree)) or "no function at all"
    return _JobError(
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


# Turning results into JSON


def plain_tree(value: Any) -> Any:
    """A value as JSON, with all that is inside of it."""
    try:
        return _plain(value)
    except RecursionError:
        raise _JobError(
            "The code returned a value that is nested too deeply, or contains itself."
        ) from None


def _plain(value: Any) -> Any:
    """The same as JSON knows it. NaN, as pandas marks what is missing, becomes null."""
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        return _plain_float(value)
    if isinstance(value, Mapping):
        return {_plain_key(key): _plain(each) for key, each in value.items()}
    if isinstance(value, AbstractSet):
        return [_plain(each) for each in _in_order(value)]
    if isinstance(value, (Sequence, ValuesView)) and not isinstance(value, (bytes, bytearray)):
        return [_plain(each) for each in value]
    if type(value).__name__ == "DataFrame" and hasattr(value, "iloc"):
        return _records(value)
    return _plain(_converted(value))


def _records(frame: Any) -> list[dict[Any, Any]]:
    """The rows of a table of pandas, made column by column: by row, it takes ten times as long."""
    numbers = range(len(frame.columns))
    columns = [[_plain_cell(each) for each in frame.iloc[:, at].tolist()] for at in numbers]
    names = [_plain_key(name) for name in frame.columns]
    return [dict(zip(names, row)) for row in zip(*columns)]  # noqa: B905 - all are equally long


def _plain_cell(value: Any) -> Any:
    """The same as `_plain`, with a glance at what most cells are."""
    kind = type(value)
    if kind is str or kind is int or kind is bool:
        return value
    if kind is float:
        return _plain_float(value)
    return value.isoformat() if kind.__name__ == "Timestamp" else _plain(value)


def _plain_float(value: float) -> float | None:
    if value != value:  # noqa: PLR0124  (NaN alone differs from itself)
        return None
    if value in (float("inf"), float("-inf")):
        raise _JobError(f"The code returned the number {value}, which is not JSON; return text.")
    return value


def _plain_key(key: Any) -> Any:
    plain = _plain(key)
    if isinstance(plain, (list, dict)):
        raise _JobError(
            f"The code returned a dict with a {type(key).__name__} as a key, which is not JSON; "
            "make the keys text."
        )
    return plain


def _in_order(values: AbstractSet[Any]) -> list[Any]:
    """The same order in every run: text has another hash each time."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=repr)


def _converted(value: Any) -> Any:
    """What stands for a value of a well-known kind, which is not imported just to ask."""
    kind = type(value).__name__
    if kind in {"NaTType", "NAType"}:
        return None
    if kind in {"Decimal", "UUID"}:
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, type):
        raise _not_json(value)
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    for method, options in _METHODS:
        if callable(getattr(value, method, None)):
            return getattr(value, method)(**options)
    if any(base.__name__ == "Enum" for base in type(value).__mro__):
        return value.value
    raise _not_json(value)


# Dates and times; pydantic; polars; numpy's arrays and scalars, and pandas' columns.
_METHODS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("isoformat", {}),
    ("model_dump", {"mode": "json"}),
    ("to_dicts", {}),
    ("tolist", {}),
)


def _not_json(value: Any) -> _JobError:
    kind = "class" if isinstance(value, type) else type(value).__name__
    article = "an" if kind[0].lower() in "aeiou" else "a"
    return _JobError(
        f"The code returned {article} {kind}, which is not JSON; "
        "return text, numbers, lists or dicts of them."
    )


# Telling what went wrong


def described(error: BaseException, code: str, file: str = _FILE) -> dict[str, Any]:
    """What is said of an error in code that was compiled as this file."""
    if isinstance(error, _JobError):
        return {"message": str(error), "details": None, "field": error.field}
    # Slow to import, and needed only now.
    import linecache  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    numbers = [
        number for frame, number in traceback.walk_tb(trace) if frame.f_code.co_filename == file
    ]
    line = numbers[-1] if numbers else _line_of_syntax(error, file)
    where = f" (line {line} of the code)" if line else ""
    details = "".join(traceback.format_exception(error.with_traceback(trace)))
    return {"message": _sentence(error) + where, "details": _shortened(details), "field": "code"}


def _line_of_syntax(error: BaseException, file: str) -> int | None:
    return error.lineno if isinstance(error, SyntaxError) and error.filename == file else None


def _sentence(error: BaseException) -> str:
    kind = type(error).__name__
    if isinstance(error, SystemExit):
        return f"The code called exit({error.code!r}) instead of returning a value"
    if isinstance(error, SyntaxError):
        return f"{kind}: {error.msg}"
    try:
        words = str(error)[:_LONGEST_MESSAGE]
    except Exception:  # noqa: BLE001  (the code's own __str__)
        words = "(its message cannot be shown)"
    if isinstance(error, MemoryError) and not words:
        words = "the memory that a job may use is full"
    return f"{kind}: {words}" if words else kind


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_DETAILS:
        return text
    half = _LONGEST_DETAILS // 2
    return f"{text[:half]}\n…\n{text[-half:]}"


if __name__ == "__main__":
    _main()
