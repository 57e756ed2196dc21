"""The care of a cache home: verifying, comparing, packing and removing what it holds."""
