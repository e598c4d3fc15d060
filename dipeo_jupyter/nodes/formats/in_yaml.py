"""YAML."""

from __future__ import annotations

import io
import json
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from ...diagram.source import read as read_yaml
from ...diagram.yaml.scalars import is_block_text, write_scalar
from ...errors import DiagramError
from .in_json import written
from .mistakes import invalid


class _Representer(SafeRepresenter):
    """Writes text so that every reader takes it for text, and several lines as several lines."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> ScalarNode:
        quoted = None if write_scalar(text) == text else '"'
        style = "|" if is_block_text(text) else quoted
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Representer.add_representer(str, _Representer.represent_text)


def from_yaml(text: str) -> Any:
    """The value of a text."""
    try:
        return read_yaml(text)[0]
    except DiagramError as error:
        first = error.problems[0]
        raise invalid("YAML", first.line, first.message) from None


def to_yaml(value: Any) -> str:
    """The text of a value, in blocks."""
    writer = YAML(typ="safe", pure=True)
    writer.Representer = _Representer
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # it says None
    writer.width = 1_000_000
    stream = io.StringIO()
    writer.dump(json.loads(written(value)), stream)
    return stream.getvalue().removesuffix("...\n")
