"""What to do about errors that come of the walls: the code itself knows nothing of them."""

from __future__ import annotations

import re

from ...engine.ports import Job
from ...errors import NodeError

_FILES = re.compile(
    r"No such file or directory|Permission denied|Read-only file system|ENOENT|EACCES|EROFS"
)
_NETWORK = re.compile(
    r"name resolution|ould not resolve|etwork is unreachable"
    r"|ENOTFOUND|EAI_AGAIN|ENETUNREACH|NameResolutionError"
)
_TOO_LARGE = re.compile(r"File too large|EFBIG|File size limit exceeded")


def with_hint(error: NodeError, job: Job) -> NodeError:
    """The error of a job behind walls; where they may be the reason, it says how to go on."""
    said = str(error)
    if hint := _hint(said, job):
        end = "" if said.endswith((".", "!", "?")) else "."
        return NodeError(f"{said}{end} {hint}", field=error.field, details=error.details)
    return error


def _hint(said: str, job: Job) -> str | None:
    if not job.network and _NETWORK.search(said):
        return "A job has no network, unless it has `network: true`."
    if _TOO_LARGE.search(said):
        return (
            "It wrote a larger file than a job may. Files of a job are gone when it ends: have its "
            "value hold what is needed of them."
        )
    if _FILES.search(said):
        return (
            "A job sees no files of the run: let a `db` read them and hand them on, or have their "
            "folder named in DIPEO_SANDBOX_READ."
        )
    return None
