"""Data sets: which images there are, what they are called, and how they become pixels."""
