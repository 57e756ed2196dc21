"""Fine-tuning of the weak model on the training half of a domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from w2s_cache.data.images import IndexedFile
from w2s_cache.extract.progress import Progress
from w2s_cache.extract.request import ExtractRequest
from w2s_cache.spec import WeakSpec
from w2s_cache.store.index import Index
from w2s_cache.weak.finetune import TrainImages, finetune, unusable_images
from w2s_cache.weak.threads import torch_threads


@dataclass(frozen=True, slots=True)
class WeakTraining:
    """Fine-tuning on the training half of a domain."""

    request: ExtractRequest
    weak: WeakSpec
    index: Index
    files: Sequence[IndexedFile]
    progress: Progress

    def unusable(self, transform: Callable[..., Any]) -> list[str]:
        """Paths of the training images that cannot be learned from, in row order."""
        rows = np.flatnonzero(self.index.is_train)
        self.progress.begin(f"{self.index.domain}: reading training images", len(rows))
        found = unusable_images(self._images(rows, transform), self.progress.advance)
        self.progress.end()
        return [self.index.paths[rows[place]] for place in found]

    def finetune(self, network: Any, transform: Callable[..., Any], skipped: Sequence[str]) -> None:
        """Trains the network in place, without the images of these paths."""
        left_out = set(skipped)
        train = np.flatnonzero(self.index.is_train)
        rows = np.array([r for r in train if self.index.paths[r] not in left_out], dtype=np.int64)
        recipe, domain = self.weak.finetune, self.index.domain
        total = recipe.epochs * len(rows)
        self.progress.begin(f"{domain}: training {self.request.weak_name}", total)
        with torch_threads(recipe.threads):
            finetune(
                network,
                self._images(rows, transform),
                recipe,
                device=self.request.device,
                advance=self.progress.advance,
            )
        self.progress.end()

    def _images(self, rows: np.ndarray, transform: Callable[..., Any]) -> TrainImages:
        return TrainImages(
            paths=[self.files[row] for row in rows],
            labels=self.index.labels[rows],
            transform=transform,
            workers=self.request.workers,
        )
