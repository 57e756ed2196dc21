"""Features out of the cache for other programs, and other programs' features into it."""

from __future__ import annotations

from w2s_cache.interchange.declaration import Declaration
from w2s_cache.interchange.export import Exported, export_domain
from w2s_cache.interchange.import_features import Imported, import_domain
from w2s_cache.interchange.import_request import ImportRequest
from w2s_cache.interchange.options import ExportOptions
from w2s_cache.interchange.run_features import refuse_other_features
from w2s_cache.interchange.source import FeatureSource

__all__ = [
    "Declaration",
    "ExportOptions",
    "Exported",
    "FeatureSource",
    "ImportRequest",
    "Imported",
    "export_domain",
    "import_domain",
    "refuse_other_features",
]
