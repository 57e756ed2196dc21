"""The text tower of the model that imported features are said to come from."""

from __future__ import annotations

from w2s_cache.encoders.protocol import TextEncoder
from w2s_cache.errors import ImportedFeaturesError


def fitting_tower(text: TextEncoder | None, width: int, model: str) -> TextEncoder:
    """The tower, if its features are as wide as the imported ones.

    Raises:
        ImportedFeaturesError: There is none, or it is of another width.
    """
    found = None if text is None else text.encode_text(text.tokenize(["a"])).shape[1]
    if text is not None and found == width:
        return text
    raise ImportedFeaturesError(
        f"class text by {model}",
        expected=f"text features of width {width}, as the imported ones",
        found="no text tower" if found is None else f"width {found}",
        fix="Correct --model and --pretrained, or leave out --text.",
    )
