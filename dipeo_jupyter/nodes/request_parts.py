"""Headers and keys of a request, as diagrams write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from ..engine.node import Context
from ..engine.ports.web import Credential
from ..errors import NodeError
from .formats import structured

AuthType: TypeAlias = Annotated[
    Literal["none", "bearer", "basic", "api_key"],
    Field(validation_alias=AliasChoices("auth_type", "authType")),
]

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = frozenset(
    "host content-length transfer-encoding connection upgrade te trailer expect keep-alive "  # noqa: SIM905 - shorter than a list
    "accept-encoding proxy-connection".split()
)
"""Headers that follow from the request itself."""
_FOR_KEYS = frozenset({"authorization", "proxy-authorization"})
_SECRETS = ("token", "password", "key_value", "keyValue", "api_key", "key")


def header_name(name: str) -> str:
    """The name of a header that a diagram may set; raises `ValueError`."""
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name[:40]!r} is no name of a header.")
    if name.lower() in _OURS:
        raise ValueError(f"the header {name} follows from the request: leave it out.")
    return name


def _known(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if header_name(name).lower() in _FOR_KEYS:
            raise ValueError(
                f"{name} holds a key, and diagrams are shared: write `auth_type: bearer` and "
                "`auth_config: {api_key_id: …}`, the name of a variable that holds it."
            )
    return headers


def map_or_none(value: Any) -> Any:
    """A map that may be written as JSON; older files have empty text for none."""
    return {} if value in (None, "") else structured(value)


def _config_or_none(value: Any) -> Any:
    return map_or_none(value) or None


Headers: TypeAlias = Annotated[dict[str, str], BeforeValidator(map_or_none), AfterValidator(_known)]


def headers_in(written: Mapping[str, str], ctx: Context) -> dict[str, str]:
    """The headers filled in; raises `NodeError` for a value that none can have."""
    headers = {name: ctx.render(text).strip() for name, text in written.items()}
    for name, text in headers.items():
        if not (text.isascii() and text.isprintable()):
            message = f"The header {name}, filled in, has line breaks or odd characters in it."
            raise NodeError(message, field="headers")
    return headers


class AuthConfig(BaseModel):
    """Which key is sent, and under which name. The key itself is in the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    secrets: ClassVar[tuple[str, ...]] = _SECRETS

    api_key_id: str = Field(
        validation_alias=AliasChoices("api_key_id", "apiKeyId"),
        description=(
            "The variable that holds the key. Beside it, DIPEO_<variable>_HOSTS says which hosts "
            "may get it."
        ),
        examples=["WEATHER_API_KEY"],
    )
    username: str = Field("", description="Of `auth_type: basic`; the key is the password.")
    key_name: Annotated[str, AfterValidator(header_name)] = Field(
        "X-API-Key",
        validation_alias=AliasChoices("key_name", "keyName"),
        description="Of `auth_type: api_key`: the header, or the parameter of the query.",
    )
    key_in: Literal["header", "query"] = Field(
        "header",
        validation_alias=AliasChoices("key_in", "keyIn"),
        description="Of `auth_type: api_key`: where it is sent.",
    )

    @model_validator(mode="before")
    @classmethod
    def _no_secret(cls, value: Any) -> Any:
        for name in cls.secrets if isinstance(value, dict) else ():
            if name in value:
                raise ValueError(
                    f"`{name}` is a secret, and diagrams are shared: put it into a variable of the "
                    "environment or of .env, and write the variable's name as `api_key_id`."
                )
        return value

    def credential(self, kind: AuthType) -> Credential:
        """How the key is sent."""
        match kind:
            case "basic":
                return Credential(self.api_key_id, "basic", self.username)
            case "api_key":
                return Credential(self.api_key_id, self.key_in, self.key_name)
            case _:
                return Credential(self.api_key_id)


AuthConfigOrNone: TypeAlias = Annotated[
    AuthConfig | None,
    BeforeValidator(_config_or_none),
    Field(validation_alias=AliasChoices("auth_config", "authConfig")),
]
