"""What libraries raise over weights they cannot use, and how to say it in one sentence."""

from __future__ import annotations

import pickle

from safetensors import SafetensorError

_LONGEST = 280  # characters of a library's own words

UNUSABLE: tuple[type[Exception], ...] = (
    RuntimeError,  # names or shapes that do not fit, a failed download
    OSError,  # no file, no network
    ValueError,
    SafetensorError,
    pickle.UnpicklingError,  # anything beyond plain tensors: nothing of it has been run
    EOFError,
    StopIteration,  # a state dict without entries
    AttributeError,  # a file whose content is no mapping of names to tensors
    LookupError,
    TypeError,
)


def reason(error: Exception) -> str:
    """Why weights cannot be used, on one line and without a final period."""
    if isinstance(error, pickle.UnpicklingError):
        return "a file that is not plain tensors; what could run code is never loaded"
    if isinstance(error, EOFError | StopIteration):
        return "a file without weights"
    if isinstance(error, AttributeError | LookupError | TypeError):
        return f"no mapping of names to tensors ({type(error).__name__}: {error})"
    words = " ".join(str(error).split()) or type(error).__name__
    return words.rstrip(".") if len(words) <= _LONGEST else _shortened(words)


def _shortened(words: str) -> str:
    """Up to the last sentence that fits, unless little would be left of it; else the last word."""
    cut = words[:_LONGEST]
    sentence = cut.rpartition(". ")[0]
    if len(sentence) > 0.75 * _LONGEST:
        return sentence
    return f"{cut.rpartition(' ')[0] or cut}…"
