"""Python that runs in the notebook's own process, among its names: jobs with `kernel: true`.

`code` runs it, `printing` tells what it prints from what the notebook prints, `thread` stops it,
and `notebook` is the service that nodes are given. What comes of a job is told as by the sandbox,
whose driver says how. There is no protection here: it is for code that people would run in a cell.
"""

from .notebook import Namespace, NotebookKernel, no_notebook

__all__ = ["Namespace", "NotebookKernel", "no_notebook"]
