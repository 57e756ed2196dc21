"""Where features live when nobody says where."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "W2S_CACHE_HOME"


def cache_home() -> Path:
    """``W2S_CACHE_HOME``, else the user's cache folder of the operating system."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else platformdirs.user_cache_path("w2s-cache")
