"""The tool that draws: who does it, and what it is for the model that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..diagram.model import Person
from ..engine.chat import Tool
from ..engine.node import Context, EffectPolicy
from ..engine.ports import DrawRequest, ToolResult
from ..engine.prices import Billed, Quote, billed
from ..errors import NodeError
from .tools import DRAW, ImageGeneration

USUAL = {
    "openai": "openai/gpt-image-2",
    "gemini": "gemini/gemini-3.1-flash-image",
    "xai": "xai/grok-imagine-image",
    "demo": "demo",
}
"""Who draws for the persons of a provider when the diagram names nobody."""

TOOL = Tool(
    name=DRAW,
    description="Draws an image and shows it with your answer.",
    parameters={
        "type": "object",
        "properties": {
            "prompt": {
                "type": "string",
                "description": "What is to be seen, and in which style. Nothing else is known.",
            }
        },
        "required": ["prompt"],
    },
)
_DONE = "The image was made, and is shown with your answer."


@dataclass(frozen=True, slots=True)
class Drawing:
    """What draws, with its options; `timeout` is in seconds, for one image."""

    model: Person
    timeout: float

    async def use(self, arguments: Mapping[str, Any], effect: str, ctx: Context) -> ToolResult:
        """Draw what a model wants, which is counted as a call of a model."""
        prompt = arguments.get("prompt")
        if not isinstance(prompt, str) or not prompt.strip():
            return ToolResult("Say in `prompt` what is to be drawn.", failed=True)
        painter = ctx.services.painter
        price = painter.price(self.model)

        async def draw(_: str) -> Billed:
            request = DrawRequest(self.model, prompt, self.timeout)
            images, usage = await painter.draw(request)
            return Billed({"images": list(images)}, billed(usage, price, len(images)))

        done = await ctx.effect(
            {"draw": prompt, "with": painter.identity(self.model)},
            draw,
            EffectPolicy(reuse=True),
            effect,
            Quote(len(prompt), price, images=1),
        )
        return ToolResult(_DONE, tuple(done.value["images"]))


def drawing_for(wanted: ImageGeneration, person: Person, timeout: float, ctx: Context) -> Drawing:
    """Who draws for a person; raises `NodeError` and `ServiceError` when nobody does."""
    own = ctx.services.llm.identity(person)["provider"]
    given = wanted.image_generation
    name = given.model or USUAL.get(own)
    if name is None:
        example = f"image_generation: {{model: {USUAL['openai']}}}"
        raise NodeError(
            f"no model of {own} is known that draws: name one, as in `{example}`", field="tools"
        )
    options = given.model_extra or {}
    if wrong := sorted(options.keys() & Person.model_fields.keys()):
        raise NodeError(f"`image_generation` has no option {wrong[0]!r}", field="tools")
    model = Person(model=name).model_copy(update=options)
    if ctx.services.painter.identity(model)["provider"] == own:
        model = model.model_copy(update={"api_key_id": person.api_key_id})
    return Drawing(model, timeout)
