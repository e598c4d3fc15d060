"""Names that older files use for what is called otherwise now; all three formats read them."""

from __future__ import annotations

from pydantic import JsonValue

Map = dict[str, JsonValue]

_PERSON_FIELDS = {
    "systemPrompt": "system_prompt",
    "promptFile": "prompt_file",
    "apiKeyId": "api_key_id",
    "apiKey": "api_key_id",
    "maxTokens": "max_tokens",
    "topP": "top_p",
    "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
}
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
    return _renamed(kept, _PERSON_FIELDS)


def edge_fields(entry: Map) -> Map:
    """The fields of a connection under their present names."""
    return _renamed(entry, _EDGE_FIELDS)


def _renamed(fields: Map, names: dict[str, str]) -> Map:
    present = {key for key in fields if key not in names}
    return {
        names.get(key, key): value
        for key, value in fields.items()
        if key in present or names[key] not in present
    }
