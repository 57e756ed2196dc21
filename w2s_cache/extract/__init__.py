"""Extraction: decode → encode → write, once per image; knows nothing of methods."""
