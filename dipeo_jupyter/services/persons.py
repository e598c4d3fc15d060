"""What is wrong with a person before it is asked: nothing here uses the network or litellm."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagram.model import Label, Person
from ..diagram.suggest import CLEARLY, nearest
from ..errors import Problem, ServiceError
from .keys import VARIABLES, Keys
from .prices import is_priced, priced_models, providers
from .providers import ALIASES, KEYLESS, PARAMETERS, model_of

_FIELDS = ("service", "model", "api_key_id", "system_prompt", "prompt_file")


def check_person(label: Label, person: Person, keys: Keys) -> Iterator[Problem]:
    """Check a person whose model is said; see `model_of` for the others."""
    yield from unknown_fields(label, person)
    provider, model = model_of(person)
    known = {*VARIABLES, *ALIASES, *KEYLESS}
    if provider not in known and (listed := providers()) and provider not in listed:
        closest = nearest(provider, sorted(known | listed))
        hint = f"Did you mean {closest!r}?" if closest else "Write for instance `service: openai`."
        message = f"The person {label!r} has a service that nobody knows, {provider!r}."
        place = ("persons", label, "service" if person.service else "model")
        yield Problem("unknown_model_service", message, None, place, hint, "warning")
        return
    if provider in KEYLESS:
        return
    yield from _missing_key(label, person, provider, keys)
    if is_priced(provider, model) is False:
        closest = nearest(model, priced_models(provider), CLEARLY)
        hint = f"Did you mean {closest!r}?" if closest else "What it costs is not counted."
        message = f"The price of {provider}/{model}, the model of {label!r}, is not known."
        yield Problem("unknown_price", message, None, ("persons", label, "model"), hint, "hint")


def unknown_fields(label: Label, person: Person) -> Iterator[Problem]:
    """Fields that are neither a person's nor a parameter of a model; the hint has a near one."""
    for name in person.parameters:
        if name in PARAMETERS or name == "answers":
            continue
        closest = nearest(name, [*_FIELDS, *sorted(PARAMETERS)], CLEARLY)
        hint = f"Did you mean {closest!r}?" if closest else None
        message = f"The person {label!r} has a field {name[:40]!r} that no model is given."
        place = ("persons", label, name)
        yield Problem("unknown_person_field", message, None, place, hint, "warning")


def _missing_key(label: Label, person: Person, provider: str, keys: Keys) -> Iterator[Problem]:
    try:
        keys.get(provider, person.api_key_id)
    except ServiceError as error:
        field = "api_key_id" if person.api_key_id else "service" if person.service else "model"
        message = f"The person {label!r} cannot be asked. {error}"
        yield Problem("missing_key", message, None, ("persons", label, field), severity="warning")
