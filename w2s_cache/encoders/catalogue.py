"""Library name → loader of strong encoders; other packages add theirs by entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from w2s_cache.encoders.decoder import with_decoder
from w2s_cache.encoders.protocol import EncoderLoader, StrongEncoder
from w2s_cache.errors import UnknownNameError

ENTRY_POINT_GROUP = "w2s_cache.encoders"

LOADERS = {
    "open_clip": "w2s_cache.encoders.openclip",
    "timm": "w2s_cache.encoders.timm_images",
    "transformers": "w2s_cache.encoders.blip",
    "imported": "w2s_cache.encoders.imported",
}


def load_encoder(
    library: str,
    model: str,
    *,
    checkpoint: str | None,
    precision: str,
    device: str,
    decoder: str = "pillow",
) -> StrongEncoder:
    """Loads a strong encoder from the library a spec names, to see images by a decoder.

    Raises:
        UnknownNameError: No library of this name, built in or installed.
        EncoderError: The library cannot build the model, or the decoder cannot serve it.
    """
    loader = _loader(library)
    loaded = loader(model, checkpoint=checkpoint, precision=precision, device=device)
    return with_decoder(loaded, decoder)


def _loader(library: str) -> EncoderLoader:
    if library in LOADERS:
        built_in: EncoderLoader = import_module(LOADERS[library]).load
        return built_in
    installed = entry_points(group=ENTRY_POINT_GROUP)
    if library not in installed.names:
        raise UnknownNameError("encoder library", library, {*LOADERS, *installed.names})
    added: EncoderLoader = installed[library].load()
    return added
