"""Features out of the cache for other programs, and other programs' features into it."""

from __future__ import annotations

from w2s_cache.interchange.export import Exported, export_domain
from w2s_cache.interchange.options import ExportOptions

__all__ = ["ExportOptions", "Exported", "export_domain"]
