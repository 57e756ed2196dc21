"""Weak models: fine-tuned here on D_train, or somebody's predictions imported."""
