"""API keys: read when needed, never shown, and given only to the provider they belong to.

Values come from the environment, from `.env` files and from the keyring (`key_stores`), in this
order, all handed to the constructor, and are looked up anew for every call: a key that is exchanged
during a run counts from the next call on. Where they are, people see by `key_desk`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..diagram.older import ANCESTORS_KEY_ID
from ..diagram.suggest import nearest
from ..errors import ServiceError
from .addresses import is_one_of
from .key_stores import DotEnv, Keyring
from .providers import ALIASES, KEYLESS, provider_of
from .redaction import SHORTEST, forms_of, without, without_masked, without_parts

VARIABLES = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "xai": ("XAI_API_KEY",),
    "azure": ("AZURE_API_KEY", "AZURE_OPENAI_API_KEY"),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "fireworks_ai": ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "huggingface": ("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    "mistral": ("MISTRAL_API_KEY",),
    "notion": ("NOTION_TOKEN", "NOTION_API_KEY"),
    "openrouter": ("OPENROUTER_API_KEY", "OR_API_KEY"),
    "perplexity": ("PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"),
    "replicate": ("REPLICATE_API_KEY", "REPLICATE_API_TOKEN"),
    "together_ai": ("TOGETHER_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY"),
}
"""Where the key of a provider is found; of any other it is `<PROVIDER>_API_KEY`."""

LONGEST_NAME = 60
"""Longer ones are keys that were put in the place of their names."""

_SECRET_NAME = re.compile(
    r"^(?!DIPEO_\w+_HOSTS$)(.*API_?KEY|(.*_)?(KEY|TOKEN|SECRET|PASSWORD)$)", re.IGNORECASE
)
_ADDRESS = re.compile(r"DIPEO_\w+_(API_BASE|HOSTS)")
_VARIABLE = re.compile(rf"[A-Z][A-Z0-9_]{{1,{LONGEST_NAME - 1}}}")


@dataclass(frozen=True, slots=True)
class FoundKey:
    """Where a key is, and nothing of what it is."""

    provider: str
    name: str
    place: str
    """`environment`, `keyring`, or the `.env` file."""
    first: bool
    """Whether no earlier place has a key of this name, so that this one counts."""
    short: bool
    """Whether it is too short to be a key, and to be removed from texts."""


class Keys:
    """The keys of this installation.

    A diagram names a key by `api_key_id` and gets it only for the provider it belongs to: the
    variable must bear the provider's name. Otherwise a diagram from a stranger could have any
    secret of the environment sent anywhere.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *files: Mapping[str, str],
        keyring: Keyring | None = None,
    ) -> None:
        self._sources = (environ, *files)
        self._keyring = keyring
        self._asked: tuple[Mapping[str, str] | Keyring, ...] = self._sources
        if keyring is not None:
            self._asked = (*self._sources, keyring)
        self._given: set[str] = set()
        self._forms: dict[str, tuple[str, ...]] = {}

    def get(self, provider: str, api_key_id: str | None = None) -> str:
        """Read the key of a provider, or the one that `api_key_id` names.

        Raises `ServiceError` when there is none, or when it belongs to another provider.
        """
        provider = provider_of(provider)
        names = variables_of(provider, api_key_id)
        for source in self._asked:
            for name in names:
                if value := source.get(name, "").strip():
                    self._given.add(value)
                    return value
        raise ServiceError(self._not_found(provider, names))

    def for_host(self, name: str, host: str) -> str:
        """Read the key of this name, to be sent to this host.

        Whoever put the key says beside it where it may go, in `DIPEO_<name>_HOSTS`. Raises
        `ServiceError` when there is none, or when it does not belong there.
        """
        if not _VARIABLE.fullmatch(name):
            # It is not quoted: somebody may have put the key itself there.
            message = "`api_key_id` is the name of a variable, such as WEATHER_API_KEY, not a key."
            raise ServiceError(message)
        listing = f"DIPEO_{name}_HOSTS"
        for source in self._asked:
            if value := source.get(name, "").strip():
                beside = "" if isinstance(source, Keyring) else source.get(listing, "")
                hosts = (beside or self._sources[0].get(listing, "")).replace(",", " ").split()
                if not any(is_one_of(host, each) for each in hosts):
                    allowed = f"It goes to {', '.join(hosts)}." if hosts else "It goes nowhere yet."
                    raise ServiceError(
                        f"The key {name} is not sent to {host}. {allowed} If it belongs there, set "
                        f"{listing}={host} where the key is set."
                    )
                self._given.add(value)
                return value
        raise ServiceError(
            f"There is no key {name}: set it in the environment or in .env, and beside it "
            f"{listing}={host}, which says where it may be sent."
        )

    def remember(self, key: str) -> None:
        """Remove this one from texts, too: another process has read it, and handed it over."""
        self._given.add(key)

    def found(self) -> list[FoundKey]:
        """Every key that there is, by provider and name, in the order in which they count."""
        places: dict[str, list[tuple[str, str]]] = {}
        for place, names, source in self._places():
            for name in names:
                if value := source.get(name, "").strip():
                    places.setdefault(name, []).append((place, value))
        return [
            FoundKey(owner, name, place, number == 0, len(value) < SHORTEST)
            for name in sorted(places)
            if (owner := owner_of(name))
            for number, (place, value) in enumerate(places[name])
        ]

    def redact(self, text: str) -> str:
        """The text without any key, be it plain or encoded as hex, base64, JSON or part of a URL.

        Keys that were handed out before they were exchanged are removed too, and of all that were
        handed out every long part.
        """
        secrets = self._secrets()
        text = without_masked(without(text, secrets), secrets)
        return without_parts(text, self.handed_out())

    def handed_out(self) -> list[tuple[str, ...]]:
        """The forms of all keys that were asked for, for `redaction.Stream`."""
        return self._with_forms(self._given)

    def _places(self) -> Iterator[tuple[str, Iterable[str], Mapping[str, str] | Keyring]]:
        environ, *files = self._sources
        yield "environment", list(environ), environ
        for file in files:
            yield str(getattr(file, "path", ".env")), list(file), file
        if self._keyring is not None:
            usual = (name for names in VARIABLES.values() for name in names)
            yield "keyring", self._keyring.names(usual), self._keyring

    def _secrets(self) -> list[tuple[str, ...]]:
        """The forms of every secret. Of the keyring, only what was asked for: asking is slow."""
        named = {
            source.get(name, "").strip()  # by name: another thread may have just removed it
            for source in self._sources
            for name in list(source)
            if _SECRET_NAME.search(name)
        }
        return self._with_forms(named | self._given)

    def _with_forms(self, values: Iterable[str]) -> list[tuple[str, ...]]:
        long = sorted({each for each in values if len(each) >= SHORTEST}, key=len, reverse=True)
        for each in long:
            if each not in self._forms:
                self._forms[each] = forms_of(each)
        return [self._forms[each] for each in long]

    def _not_found(self, provider: str, names: tuple[str, ...]) -> str:
        known = {*VARIABLES, *ALIASES, *KEYLESS}
        closest = None if provider in known else nearest(provider, known)
        stores = [each for each in self._asked if isinstance(each, DotEnv | Keyring)]
        keyring = " and in the keyring" if self._keyring else ""
        said = (
            f"No key for {provider}: looked for {' and '.join(names)} in the environment, in .env"
            f"{keyring}. Set {names[0]} in one of them; `dipeo keys set {names[0]}` does."
        )
        parts = [
            said,
            f"Did you mean the service {closest!r}?" if closest else None,
            *(each.trouble() for each in stores),
        ]
        return " ".join(part for part in parts if part)

    def __repr__(self) -> str:
        names = {name for source in self._sources for name in source if _SECRET_NAME.search(name)}
        return f"Keys({', '.join(sorted(names))})"


def variables_of(provider: str, api_key_id: str | None = None) -> tuple[str, ...]:
    """The names of the variables that may hold the key, the likeliest first."""
    own = VARIABLES.get(provider, (f"{_variable_name(provider)}_API_KEY",))
    if not api_key_id or ANCESTORS_KEY_ID.fullmatch(api_key_id):
        return own
    if provider_of(api_key_id) == provider:
        return own
    name = _variable_name(api_key_id)
    if len(name) > LONGEST_NAME or not _belongs(name, provider):
        # It is not quoted: somebody may have put the key itself there.
        raise ServiceError(
            f"`api_key_id` does not name a key for {provider}: a key goes only to the provider "
            f"whose name its variable bears. Call it {own[0]}, or {own[0]}_2, and name that."
        )
    return (name,)


def _belongs(variable: str, provider: str) -> bool:
    """Whether a variable bears the provider's name, as in `LAB_OPENAI_KEY`."""
    owners = {name: owner for owner, names in VARIABLES.items() for name in names}
    if variable in owners:
        return owners[variable] == provider
    names = {provider, *(alias for alias, name in ALIASES.items() if name == provider)}
    return any(f"_{_variable_name(name)}_" in f"_{variable}_" for name in names)


def owner_of(variable: str) -> str | None:
    """The provider whose key this variable holds, by its name; None when it is no key."""
    if not _SECRET_NAME.search(variable) or variable != _variable_name(variable):
        return None
    if owner := next((each for each in VARIABLES if _belongs(variable, each)), None):
        return owner
    own = re.fullmatch(r"(\w+)_API_KEY", variable)
    return own[1].lower() if own and own[1].lower() not in KEYLESS else None


def is_lent(variable: str) -> bool:
    """Whether a notebook lends this variable to its runs: a key, or where a provider is reached."""
    return owner_of(variable) is not None or bool(_ADDRESS.fullmatch(variable))


def _variable_name(text: str) -> str:
    return re.sub(r"\W", "_", text.upper())
