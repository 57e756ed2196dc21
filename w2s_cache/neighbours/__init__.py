"""Nearest rows by cosine, and what they say: duplicates, doubtful labels, images of a class."""
