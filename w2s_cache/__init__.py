"""Weak-to-strong learning for vision-language models from a feature cache."""

__version__ = "0.1.0"
