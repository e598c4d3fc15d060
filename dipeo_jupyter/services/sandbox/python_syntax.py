"""What can be said of Python code without running it.

It imports nothing of the package. Of `ast` it uses what is built in: the rest of it would be half a
megabyte in each process that waits for a job.
"""

from __future__ import annotations

from keyword import iskeyword

TYPE_CHECKING = False  # importing `typing` to ask takes longer than all the rest
if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Iterator
    from typing import Any
else:
    import _ast as ast

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_SOMEWHERE: dict[str, Any] = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}


def parse(code: str, file: str) -> ast.Module:
    """The code as a tree. Raises `SyntaxError`."""
    tree = compile(code, file, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def is_variable(key: str) -> bool:
    """Whether an input of this name can be a variable."""
    return key.isidentifier() and not iskeyword(key) and not key.startswith("__")


def all_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += _below(node)


def own_nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes but those inside functions and classes."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _SCOPES):
            waiting += _below(node)


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
    names = (node for node in all_nodes(tree) if isinstance(node, ast.Name) and node.id == name)
    return any(isinstance(node.ctx, use) for node in names)


def functions(tree: ast.Module) -> list[str]:
    """The names of the functions at the top."""
    defined = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.name for node in tree.body if isinstance(node, defined)]


def as_function(tree: ast.Module, name: str, parameters: Iterable[str], end: str) -> ast.Module:
    """The code as the body of a function, which gives the expression `end` where it ends.

    Names that some inner function declares `global` are global in it too, as they would be without
    the wrapping, and no parameters; what only a module may hold stays outside.
    """
    declared = (node for node in all_nodes(tree) if isinstance(node, ast.Global))
    shared = {name for node in declared for name in node.names}
    keyword = "async def" if any(is_await(node) for node in own_nodes(tree)) else "def"
    shell = parse(f"{keyword} {name}(): return {end}", "<shell>")
    function = shell.body[0]
    assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
    own = [each for each in parameters if each not in shared]
    function.args.args = [ast.arg(each, **_SOMEWHERE) for each in own]
    head = [ast.Global(sorted(shared), **_SOMEWHERE)] if shared else []
    outside = [node for node in tree.body if is_for_modules(node)]
    inside = [node for node in tree.body if node not in outside]
    function.body = [*head, *inside, *function.body]
    shell.body = [*outside, function]
    return shell


def _below(node: ast.AST) -> list[ast.AST]:
    found = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found
