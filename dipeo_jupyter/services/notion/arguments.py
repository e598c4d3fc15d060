"""What an operation of Notion is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from ...errors import ServiceError

Arguments: TypeAlias = Mapping[str, Any]

DEFAULT_LIMIT = 1_000
_ID = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE
)


def given(arguments: Arguments, *names: str) -> Any:
    """The first of these arguments that is given."""
    for name in names:
        if arguments.get(name) is not None:
            return arguments[name]
    raise ServiceError(f"Notion needs `{names[0]}`.")


def id_in(arguments: Arguments, *names: str) -> str:
    """The id in the first of these arguments that is given; links from Notion hold it too."""
    text = str(given(arguments, *names))
    found = _ID.findall(re.split("[?#]", text)[0])
    if not found:
        raise ServiceError(
            f"{text[:100]!r} is no id of Notion (`{names[0]}`). An id has 32 letters and digits; "
            "the link that Notion copies ends with it."
        )
    return str(found[-1])


def limit_in(arguments: Arguments) -> int:
    """How many blocks or rows are read at most."""
    return int(arguments.get("limit") or DEFAULT_LIMIT)
