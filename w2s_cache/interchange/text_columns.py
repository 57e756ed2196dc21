"""The columns of class text: one row per class and template."""

from __future__ import annotations

import numpy as np

from w2s_cache.interchange.column import Column, ExportTable, text_column, values_column
from w2s_cache.interchange.feature_rows import exported_features
from w2s_cache.interchange.options import ExportOptions
from w2s_cache.store.reader import Store


def text_table(store: Store, options: ExportOptions, about: dict[str, object]) -> ExportTable:
    """Class text features; the templates of a class follow one another.

    Args:
        store: The text store: (k, t, d) features, classes and templates in its key.
        options: Normalisation and storage type.
        about: What is said of the whole export.
    """
    key = store.manifest.key
    classes, templates = list(key["classes"]), list(key["templates"])
    count = len(templates)
    features = store.read("features").reshape(-1, store.manifest.width("features"))
    columns: list[Column] = [
        values_column("label", "int64", np.repeat(np.arange(len(classes)), count)),
        text_column("class", [name for name in classes for _ in templates]),
        text_column("template", templates * len(classes)),
        values_column("features", options.dtype, exported_features(features, options, of="text")),
    ]
    return ExportTable(columns=tuple(columns), bounds=((0, len(features)),), about=about)
