"""Python values as JSON: what notebooks hold, on its way into a run."""

from __future__ import annotations

import base64
import io
from typing import Any

from pydantic_core import to_jsonable_python

_KINDS = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}


def as_json(value: Any) -> Any:
    """The JSON that a value stands for; raises `TypeError` or `ValueError` for what has none.

    Tables become lists of records, arrays lists; pydantic models, dataclasses, dates, sets and
    paths become what they stand for, and what is missing in a table (or no number) None. Images
    (of Pillow, matplotlib and IPython, or a file's bytes) become URLs of the kind `data:`.
    """
    if (image := _image(value)) is not None:
        return image
    try:
        return to_jsonable_python(value, fallback=_fallback, inf_nan_mode="null")
    except UnicodeDecodeError:  # bytes inside of it, which may be images
        plain = _with_images(value)
        return to_jsonable_python(plain, fallback=_fallback, inf_nan_mode="null")


def is_image(value: Any) -> bool:
    """Whether a JSON value is an image."""
    return isinstance(value, str) and value.startswith("data:image/")


def image_url(data: bytes) -> str | None:
    """An image in a file's bytes as a URL; None for what no model takes for an image."""
    kind = next((kind for start, kind in _KINDS.items() if data.startswith(start)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "webp"
    return kind and f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _with_images(value: Any) -> Any:
    if isinstance(value, bytes):
        return image_url(value) or value
    if isinstance(value, dict):
        return {key: _with_images(each) for key, each in value.items()}
    return [*map(_with_images, value)] if isinstance(value, list | tuple) else value


def _image(value: Any) -> str | None:
    if isinstance(value, bytes):
        return image_url(value)
    if isinstance(value, type):
        return None
    if callable(getattr(value, "savefig", None)):  # matplotlib's figures
        file = io.BytesIO()
        value.savefig(file, format="png", bbox_inches="tight")
        return image_url(file.getvalue())
    for name in ("_repr_png_", "_repr_jpeg_"):  # Jupyter's names for it: Pillow, IPython
        picture = getattr(value, name, None)
        data = picture() if callable(picture) else None
        data = data[0] if isinstance(data, tuple) else data
        if isinstance(data, str):
            data = base64.b64decode(data)
        if isinstance(data, bytes) and (url := image_url(data)):
            return url
    return None


def _fallback(value: Any) -> Any:
    """What pydantic does not know: images, pandas tables and columns, numpy arrays and numbers."""
    if (image := _image(value)) is not None:
        return image
    if hasattr(value, "notna") and hasattr(value, "astype"):
        value = value.astype(object).where(value.notna(), None)  # NaN, NaT and NA alike
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return value.to_dict(orient="records")
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
