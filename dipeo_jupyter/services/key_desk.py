"""What people do with keys in a notebook and in a terminal: see where they are, try them, put them.

No method gives the value of a key, and none takes it from a line that is shown or remembered:
whoever calls `put` has it from a hidden prompt.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..diagram.suggest import did_you_mean
from ..errors import CommandError, ServiceError
from .key_stores import DotEnv, Keyring
from .key_trial import Trial, try_key
from .keys import LONGEST_NAME, VARIABLES, FoundKey, Keys, owner_of, variables_of
from .providers import ALIASES, KEYLESS, provider_of
from .redaction import SHORTEST

FOUND_COLUMNS = ("provider", "name", "place", "note")
TRIAL_COLUMNS = ("provider", "name", "verdict", "said")
NO_KEYS = "no keys; `keys set openai`, for instance, asks for one and keeps it"


@dataclass(frozen=True)
class KeyDesk:
    """`files` are all `.env` that are read; the first is the one that is written."""

    keys: Keys
    files: tuple[DotEnv, ...]
    keyring: Keyring
    api_bases: Mapping[str, str]

    def rows(self) -> list[dict[str, Any]]:
        """One row for each key that there is, by `FOUND_COLUMNS`."""
        return [
            {
                "provider": each.provider,
                "name": each.name,
                "place": _short(each.place),
                "note": self._note(each),
            }
            for each in self.keys.found()
        ]

    def troubles(self) -> list[str]:
        """Why there may be keys that are not listed."""
        stores: list[DotEnv | Keyring] = [*self.files, self.keyring]
        return [said for each in stores if (said := each.trouble())]

    def names(self) -> list[str]:
        """What `test` and `put` may be told: providers, and the names of the keys there are."""
        return [*VARIABLES, *(each.name for each in self.keys.found() if each.first)]

    async def test(self, *words: str) -> list[Trial]:
        """Try the keys of these providers or of these names; without any, all that there are."""
        found = [each for each in self.keys.found() if each.first]
        chosen = [self._meant(word) for word in words] or [
            (each.provider, each.name) for each in found
        ]
        return [
            await try_key(provider, name, self.keys, self.api_bases) for provider, name in chosen
        ]

    def name_for(self, word: str) -> str:
        """The name under which a key is to be kept, for a provider or for the name itself."""
        provider, name = self._meant(word)
        return name or variables_of(provider)[0]

    def put(self, name: str, value: str, *, in_file: bool) -> str:
        """Keep a key under a name from `name_for`; the sentence says where it is now."""
        value = value.strip()
        if not re.fullmatch("[!-~]+", value):
            raise CommandError("That is no key: it is empty, or has spaces or odd characters.")
        if len(value) < SHORTEST:
            raise CommandError(f"That is no key: one has at least {SHORTEST} characters.")
        store = self.files[0] if in_file else self.keyring
        try:
            store.put(name, value)
        except ServiceError as error:
            other = "" if in_file else " `--dotenv` puts the key into the file `.env` instead."
            raise CommandError(f"{error}{other}", code="no_store") from None
        place = str(self.files[0].path) if in_file else "keyring"
        said = f"{name} is kept: {_short(place)}."
        return " ".join(filter(None, [said, self._before(name, place)]))

    def _before(self, name: str, place: str) -> str:
        """A warning when the key that was just kept is not the one that counts."""
        counts = next((each for each in self.keys.found() if each.name == name), None)
        if counts is None or counts.place == place:
            return ""
        return f"But {_short(counts.place)} has one of this name, too, which comes first."

    def _note(self, found: FoundKey) -> str:
        notes = [
            "" if found.first else "not used: the one above comes first",
            "too short for a key" if found.short else "",
            "others can read this file" if self._is_open(found.place) else "",
        ]
        return ", ".join(filter(None, notes))

    def _is_open(self, place: str) -> bool:
        return any(str(each.path) == place and each.is_open_to_others() for each in self.files)

    def _meant(self, word: str) -> tuple[str, str | None]:
        """Provider, and name when one is said; raises `CommandError`, which does not quote it."""
        provider = provider_of(word)
        if provider in KEYLESS:
            raise CommandError(f"{provider} needs no key from here.", code="no_such_key")
        if provider in {*VARIABLES, *self.api_bases}:
            return provider, None
        name = re.sub(r"\W", "_", word.upper())
        owner = owner_of(name) if len(name) <= LONGEST_NAME else None
        if owner is not None:
            return owner, name
        # Somebody may have put the key itself there.
        hint = did_you_mean(provider, [*VARIABLES, *ALIASES]) or (
            "Name a provider (`openai`), or a variable with its name in it (`OPENAI_API_KEY_2`)."
        )
        raise CommandError(f"No provider is named by this. {hint}", code="no_such_key")


def _short(place: str) -> str:
    """A path as seen from the current folder, where that is shorter."""
    if not Path(place).is_absolute():
        return place
    try:
        return min(os.path.relpath(place), place, key=len)
    except ValueError:  # on another drive
        return place
