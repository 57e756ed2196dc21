"""The columns of a domain's images: identity, features, weak logits, predictions of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from w2s_cache.errors import ExportError
from w2s_cache.interchange.column import Column, text_column, values_column
from w2s_cache.interchange.feature_rows import exported_features
from w2s_cache.interchange.options import ExportOptions
from w2s_cache.results import RunRecord, read_predictions
from w2s_cache.store.index import Index
from w2s_cache.store.once_reader import OnceReader

NO_CLASS = -1


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DomainColumns:
    """Builds the columns of selected rows.

    Attributes:
        index: The domain.
        rows: (m,) row numbers of the index.
        image: Reads strong features.
        logits: Reads weak logits.
        options: What is asked for. Parquet names classes, arrays of numbers hold class numbers.
    """

    index: Index
    rows: npt.NDArray[np.int64]
    image: OnceReader
    logits: OnceReader
    options: ExportOptions

    def columns(self) -> tuple[Column, ...]:
        """All columns asked for, identity first.

        Raises:
            ExportError: A run evaluated other rows than the index has.
            RecordError: A run's predictions are missing or broken.
        """
        what = self.options.what
        asked = [*self._identity()]
        if "index" in what:
            asked += self._files()
        if "features" in what:
            asked.append(self._features())
        if "logits" in what:
            asked += self._weak()
        if "predictions" in what:
            asked += [self._predicted(record) for record in self.options.runs]
        return tuple(asked)

    def _identity(self) -> Iterator[Column]:
        yield values_column("row", "int64", self.rows)
        yield text_column("path", [self.index.paths[row] for row in self.rows])
        labels = self.index.labels[self.rows]
        yield values_column("label", "int64", labels)
        if self.options.format == "parquet":
            yield self._of_classes("class", lambda start, stop: labels[start:stop])
        halves = np.where(self.index.is_train[self.rows], "train", "test")
        yield text_column("split", halves.tolist())

    def _files(self) -> Iterator[Column]:
        yield values_column("bytes", "int64", self.index.sizes[self.rows])
        yield text_column("sha256", [self.index.sha256[row] for row in self.rows])

    def _features(self) -> Column:
        def read(start: int, stop: int) -> np.ndarray:
            raw = self.image.read(self.rows[start:stop])
            return exported_features(raw, self.options, of=self.index.domain)

        width = self.image.store.manifest.width("features")
        return Column(name="features", dtype=self.options.dtype, width=width, read=read)

    def _weak(self) -> Iterator[Column]:
        answers = np.full(len(self.rows), NO_CLASS, dtype=np.int64)

        def read(start: int, stop: int) -> np.ndarray:
            found = self.logits.read(self.rows[start:stop])
            answers[start:stop] = found.argmax(axis=1)
            return found

        def answered(start: int, stop: int) -> np.ndarray:
            if (answers[start:stop] == NO_CLASS).any():  # nobody asked for the logits before
                read(start, stop)
            return answers[start:stop]

        width = self.logits.store.manifest.width("logits")
        yield Column(name="weak_logits", dtype="float32", width=width, read=read)
        yield self._of_classes("weak", answered)

    def _predicted(self, record: RunRecord) -> Column:
        found = read_predictions(self.options.results_dir, record)
        inside = found.row.max(initial=-1) < len(self.index)
        if not inside or [self.index.paths[row] for row in found.row] != list(found.path):
            raise ExportError(
                f"predictions of {record.method}, seed {record.seed}, on {record.domain}",
                expected=f"rows of the index {self.index.digest[:12]}",
                found=f"rows of the index {str(record.inputs.get('index_digest'))[:12]}",
                fix="Train it again on the features that are in the cache now.",
            )
        answers = np.full(len(self.index), NO_CLASS, dtype=np.int64)
        answers[found.row] = found.predicted
        asked = answers[self.rows]
        return self._of_classes(prediction_name(record), lambda start, stop: asked[start:stop])

    def _of_classes(self, name: str, read: Callable[[int, int], np.ndarray]) -> Column:
        """Class numbers, as names where the format has text; none is -1 or null."""
        if self.options.format != "parquet":
            return Column(name=name, dtype="int64", read=read)
        names = np.array([*self.index.classes, None], dtype=object)  # NO_CLASS is the last
        return Column(name=name, dtype="str", read=lambda start, stop: names[read(start, stop)])


def prediction_name(record: RunRecord) -> str:
    """The column of a run's answers: ``pooled_lda_seed0``."""
    return f"{record.method.replace('-', '_')}_seed{record.seed}"
