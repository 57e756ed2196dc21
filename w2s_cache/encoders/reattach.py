"""The text tower that cached features came from, loaded once more to train prompts through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from w2s_cache.encoders.catalogue import load_encoder
from w2s_cache.encoders.protocol import StrongEncoder
from w2s_cache.errors import EncoderError
from w2s_cache.request import IMPORTED
from w2s_cache.spec import StrongSpec

if TYPE_CHECKING:
    from w2s_cache.encoders.blip_tower import BlipTextTower
    from w2s_cache.encoders.text_tower import OpenClipTextTower

    Attached = OpenClipTextTower | BlipTextTower


class Reattached:
    """Loads a spec's strong encoder when first asked for its text tower, and keeps it.

    Args:
        section: The strong encoder's section of the spec.
        device: A torch device string.
        say: Is told, once, what is loaded and how prompts run through it.
    """

    def __init__(self, section: StrongSpec, device: str, say: Callable[[str], None]) -> None:
        self._section, self._device, self._say = section, device, say
        self._loaded: tuple[StrongEncoder, Attached] | None = None

    def __call__(self, identity: Mapping[str, Any]) -> Attached:
        """The tower, if it is the one that the cached text features came from.

        Args:
            identity: What the text store's key says of its encoder.

        Raises:
            NoTextTowerError: Its tower is of a kind that cannot be attached.
            EncoderError: The encoder cannot be loaded, or it is another one than the features'.
        """
        if self._loaded is None:
            self._loaded = self._load()
        encoder, tower = self._loaded
        own = {} if encoder.text is None else dict(encoder.text.identity())
        differing = sorted(key for key in {*own, *identity} if own.get(key) != identity.get(key))
        if differing:
            raise EncoderError(
                f"the text tower of {self._section.model} is not the one that was cached",
                expected=", ".join(f"{key} {identity.get(key)}" for key in differing),
                found=", ".join(f"{key} {own.get(key)}" for key in differing),
                fix="Give the same weights as at extraction, or extract again.",
            )
        return tower

    def _load(self) -> tuple[StrongEncoder, Attached]:
        section = self._section
        if section.library != IMPORTED:  # whose loader only refuses
            self._say(f"loading the text tower of {section.model} on {self._device}")
        encoder = load_encoder(
            section.library,
            section.model,
            checkpoint=section.checkpoint,
            precision=section.precision,
            device=self._device,
        )
        tower = _attach(encoder)
        self._say(f"prompts: {tower.shortcut}")
        return encoder, tower


def _attach(encoder: StrongEncoder) -> Attached:
    """The tower of an encoder of either library.

    Raises:
        NoTextTowerError: Its tower is of a kind that cannot be attached.
    """
    from w2s_cache.encoders.blip import BlipEncoder

    if isinstance(encoder, BlipEncoder):
        from w2s_cache.encoders.blip_tower import attach_blip_tower

        return attach_blip_tower(encoder)
    from w2s_cache.encoders.text_tower import attach_text_tower

    return attach_text_tower(encoder)
