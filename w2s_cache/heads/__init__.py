"""Trainable classifiers over cached features: pure functions of named parameters.

A head turns raw features into what it works on once (``prepare``), begins somewhere (``start``)
and maps prepared features to logits (``logits``). Parameters are plain tensors by name, so that
one loop trains every head and many runs can be stacked.
"""
