"""Frozen encoders behind one small contract; see :mod:`w2s_cache.encoders.protocol`."""
