"""What learned prompts ask of a text tower."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor


class TextLayer(Protocol):
    """One pre-norm residual block without its attention, which the caller computes."""

    def normalize(self, rows: Tensor) -> Tensor:
        """Rows (r, width) → what attention reads (r, width)."""
        ...

    def queries(self, normed: Tensor) -> Tensor:
        """(r, width) → (r, heads, c), scaled by c^-1/2."""
        ...

    def keys_and_values(self, normed: Tensor) -> tuple[Tensor, Tensor]:
        """(r, width) → keys and values, (r, heads, c) each."""
        ...

    def finish(self, rows: Tensor, mixed: Tensor) -> Tensor:
        """The block's input (r, width) and attention's result (r, heads, c) → its output."""
        ...


class TextTower(Protocol):
    """A frozen text transformer that takes embeddings where it usually looks tokens up.

    Every tower runs prompts whole (:meth:`encode_whole`). A causal tower that can be taken apart
    also offers ``place``, ``layers`` and ``read``, which amount to the same.
    """

    @property
    def shares(self) -> bool:
        """Whether ``place``, ``layers`` and ``read`` with causal attention are the tower."""
        ...

    @property
    def shortcut(self) -> str:
        """One sentence for the reader: how prompts are run and, without a shortcut, why."""
        ...

    @property
    def logit_scale(self) -> float:
        """The frozen factor on cosine similarities (CLIP: 100)."""
        ...

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """Texts → int64 (len(texts), context length), padded behind the end token."""
        ...

    def embed(self, tokens: Tensor) -> Tensor:
        """Token ids (...) → their embeddings (..., width), without positions."""
        ...

    def lengths(self, tokens: Tensor) -> Tensor:
        """How many leading tokens decide each prompt's feature; the last of them is read out.

        Args:
            tokens: (n, context length) int64.

        Returns:
            (n,) int64, in 1 … context length.
        """
        ...

    def place(self, embeddings: Tensor, first: int) -> Tensor:
        """Adds positions ``first``, ``first + 1`` … to embeddings (..., s, width)."""
        ...

    @property
    def layers(self) -> Sequence[TextLayer]:
        """The residual blocks in order."""
        ...

    def read(self, rows: Tensor) -> Tensor:
        """Rows (r, width) behind the last layer → unnormalised features (r, feature width)."""
        ...

    def encode_whole(self, tokens: Tensor, embeddings: Tensor) -> Tensor:
        """Prompts at full length → features, by the tower's own forward pass.

        Args:
            tokens: (n, context length) int64; only where to read out and what is padding is taken
                from them.
            embeddings: (n, context length, width), in place of the looked-up embeddings.

        Returns:
            (n, feature width), unnormalised.
        """
        ...


@runtime_checkable
class TunableTower(TextTower, Protocol):
    """A tower that also runs with other weights than its own."""

    def weights(self) -> dict[str, Tensor]:
        """Name → weight of everything behind the token embedding."""
        ...

    def run_with(
        self, weights: Mapping[str, Tensor], compute: Callable[[TextTower], Tensor]
    ) -> Tensor:
        """What ``compute`` makes of the tower with ``weights`` in place; pure in the weights."""
        ...
