"""Images that a prompt shows: values, files, and addresses in the web."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..diagram import template
from ..engine.ports import Files
from ..engine.values import image_url
from ..errors import NodeError, ServiceError, TemplateError

FIELD = "images"
_ADDRESSES = ("data:image/", "https://", "http://")


async def images_of(text: str, names: Mapping[str, Any], files: Files) -> Sequence[str]:
    """The URLs of the images that an entry of `images` means; of files, with all their data.

    A value may be a list, and what a person has drawn: its `images`. Raises `NodeError`.
    """
    try:
        value = template.value(text, names)
    except TemplateError as error:
        raise NodeError(str(error), field=FIELD) from error
    return [await _url(each, text, files) for each in _several(value)]


def _several(value: Any) -> Sequence[Any]:
    if isinstance(value, Mapping) and isinstance(value.get("images"), list):
        return list(value["images"])
    return value if isinstance(value, list) else [] if value is None else [value]


async def _url(value: Any, text: str, files: Files) -> str:
    if not isinstance(value, str) or not value.strip():
        kind = type(value).__name__ if value else "empty"
        raise NodeError(f"{text!r} is no image, but {kind}", field=FIELD)
    if value.startswith(_ADDRESSES):
        return value
    try:
        data = await files.read_bytes(value)
    except ServiceError as error:
        raise NodeError(f"cannot read the image: {error}", field=FIELD) from error
    url = image_url(data)
    if url is None:
        raise NodeError(f"{value!r} is no PNG, JPEG, GIF or WebP", field=FIELD)
    return url
