"""The faiss library where it can be imported, and what it must not do beside torch."""

from __future__ import annotations

import sys
from typing import Any


def faiss_library() -> Any | None:
    """The faiss module; None where it is not installed or does not load.

    Imported only when it is asked for, after torch. Both bring a runtime of OpenMP of their own; on
    macOS two of them in one process crash as soon as both start threads, so there faiss keeps to
    the calling thread.
    """
    try:
        import faiss
    except ImportError:
        return None
    if sys.platform == "darwin":
        faiss.omp_set_num_threads(1)
    return faiss
