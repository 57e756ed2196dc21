"""The feature store: immutable HDF5 shards and a manifest, written once and verified at each read.

``docs/feature-store.md`` is the specification; its laws FS-01 … are what ``check`` verifies.
"""
