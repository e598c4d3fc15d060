"""Names that older files use for what is called otherwise now; all three formats read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pydantic import JsonValue

Map = dict[str, JsonValue]

OLDER_PERSON_FIELDS = {
    "systemPrompt": "system_prompt",
    "promptFile": "prompt_file",
    "apiKeyId": "api_key_id",
    "apiKey": "api_key_id",
    "maxTokens": "max_tokens",
    "topP": "top_p",
    "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
}
API_KEYS = ("apiKeys", "api_keys")
"""Top-level entries in which older files list the keys they need."""
ANCESTORS_KEY_ID = re.compile(r"APIKEY_(?:[0-9A-F]+|\w{1,16})|DEFAULT|USER_INPUT", re.IGNORECASE)
"""What the ancestor calls a key that it keeps elsewhere: no variable, and too short for a key."""
_SECRETS = frozenset({"key", "maskedKey", "masked_key", "maskedApiKey", "masked_api_key"})
_EDGE_FIELDS = {"contentType": "content_type", "type": "content_type"}
_NO_PERSON_FIELDS = frozenset({"type", "__typename", "maskedApiKey", "masked_api_key"})


def person_fields(entry: Map) -> Map:
    """The fields of a person under their present names, `llm_config` among them.

    A field that is there under both names keeps the value it has under the present one.
    """
    inner = entry.get("llm_config", entry.get("llmConfig"))
    flat = {key: value for key, value in entry.items() if key not in {"llm_config", "llmConfig"}}
    if isinstance(inner, dict):
        flat = inner | flat
    kept = {key: value for key, value in flat.items() if key not in _NO_PERSON_FIELDS}
    return _renamed(kept, OLDER_PERSON_FIELDS)


def edge_fields(entry: Map) -> Map:
    """The fields of a connection under their present names."""
    return _renamed(entry, _EDGE_FIELDS)


def without_secrets(extra: Map) -> Map:
    """Top-level entries with the names of API keys, but not their values."""
    return {key: _keys(value) if key in API_KEYS else value for key, value in extra.items()}


def places_of_secrets(data: Map) -> Iterator[tuple[str | int, ...]]:
    """Where a file lists API keys with their values."""
    for name in API_KEYS:
        keys = data.get(name)
        entries = enumerate(keys) if isinstance(keys, list) else _items(keys)
        for place, entry in entries:
            if isinstance(entry, dict) and entry.get("key"):
                yield name, place, "key"


def _items(keys: JsonValue) -> Iterable[tuple[str, JsonValue]]:
    return keys.items() if isinstance(keys, dict) else ()


def _keys(keys: JsonValue) -> JsonValue:
    if isinstance(keys, list):
        return [_key(each) for each in keys]
    return {key: _key(each) for key, each in keys.items()} if isinstance(keys, dict) else keys


def _key(entry: JsonValue) -> JsonValue:
    if not isinstance(entry, dict):
        return entry
    return {key: value for key, value in entry.items() if key not in _SECRETS}


def _renamed(fields: Map, names: dict[str, str]) -> Map:
    present = {key for key in fields if key not in names}
    return {
        names.get(key, key): value
        for key, value in fields.items()
        if key in present or names[key] not in present
    }
