"""Runs a job's code so that what it assigns is the notebook's.

It is the body of a function whose parameters are the inputs, so that they hide names of the
notebook and leave them alone; all else that is assigned at its top is declared `global`.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping
from copy import deepcopy
from types import CodeType
from typing import Any

from ...engine.ports import Job
from ..sandbox import python_driver as driver
from ..sandbox import python_syntax as syntax
from ..sandbox.python_errors import described
from ..sandbox.python_values import line, plain_tree

_SHELL, _ENDED, _RESULT = "__job__", "__Ended__", "result"


def report_of(job: Job, space: dict[str, Any]) -> bytes:
    """Run a job among these names, and say what came of it as the sandbox's driver does."""
    file = f"<job {hashlib.sha256(job.code.encode()).hexdigest()[:12]}>"
    try:
        value = _run(job, space, file)
        if value is driver.NOTHING:
            return line({"nothing": True})
        return line({"value": plain_tree(value)})
    except BaseException as error:  # noqa: BLE001 - whatever the code raises is its report
        return line({"error": described(error, job.code, file)})


def _run(job: Job, space: dict[str, Any], file: str) -> Any:
    tree = ast.parse(job.code, file)
    inputs = deepcopy(dict(job.inputs))  # they are those of others, too
    names = {key: value for key, value in inputs.items() if syntax.is_variable(key)}
    value = _called(tree, file, space, {**names, "inputs": inputs})
    if job.function is not None:
        if not callable(space.get(job.function)):
            raise driver.no_function(job.function, tree)
        return driver.call(space[job.function], inputs)
    if type(value) is not driver.Ended:
        return value
    # An input of this name is a result only when the code has set it.
    if _RESULT in value and (_RESULT not in names or syntax.is_named(tree, _RESULT, ast.Store)):
        return value[_RESULT]
    if "main" in syntax.functions(tree) and not syntax.is_named(tree, "main", ast.Load):
        return driver.call(space["main"], inputs)
    return driver.NOTHING


def _called(tree: ast.Module, file: str, space: dict[str, Any], names: Mapping[str, Any]) -> Any:
    """What the code returns; `Ended`, with the names that are its own, when it does not."""
    given = {**names, _ENDED: driver.Ended}
    for statement in tree.body:
        if _is_star(statement):  # what only a module may hold
            _execute(statement, file, space, space)
    shell = _shell(tree, given)
    assigned = _locals(shell, file) - {*given, _RESULT}
    if assigned:
        shell.body.insert(0, ast.Global(sorted(assigned)))
    made: dict[str, Any] = {}
    _execute(ast.fix_missing_locations(shell), file, space, made)
    job = made[_SHELL]
    job.__code__ = job.__code__.replace(co_name="<module>", co_qualname="<module>")
    return driver.awaited(job(**given))


def _shell(tree: ast.Module, given: Mapping[str, Any]) -> ast.FunctionDef | ast.AsyncFunctionDef:
    waits = any(syntax.is_await(node) for node in syntax.own_nodes(tree))
    keyword = "async def" if waits else "def"
    (shell,) = ast.parse(f"{keyword} {_SHELL}(): return {_ENDED}(locals())").body
    assert isinstance(shell, ast.FunctionDef | ast.AsyncFunctionDef)
    inside = [each for each in tree.body if not syntax.is_for_modules(each)]
    shell.args.args = [ast.arg(name) for name in given]
    shell.body = [*(_AsInAFunction().visit(each) for each in inside), *shell.body]
    return ast.fix_missing_locations(shell)


class _AsInAFunction(ast.NodeTransformer):
    """Leaves out what says nothing at the top of a module, and is refused in a function."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """A name that is global must not be annotated."""
        if not isinstance(node.target, ast.Name):
            return node
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        return ast.copy_location(ast.Pass(), node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        inner = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
        return node if isinstance(node, inner) else super().generic_visit(node)


def _locals(shell: ast.FunctionDef | ast.AsyncFunctionDef, file: str) -> set[str]:
    module = compile(ast.Module([shell], []), file, "exec", dont_inherit=True)
    (code,) = (each for each in module.co_consts if isinstance(each, CodeType))
    return {*code.co_varnames, *code.co_cellvars}


def _is_star(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"


def _execute(statement: ast.stmt, file: str, space: dict[str, Any], made: dict[str, Any]) -> None:
    code = compile(ast.Module([statement], []), file, "exec", dont_inherit=True)
    exec(code, space, made)  # noqa: S102 - running code is what this is for
