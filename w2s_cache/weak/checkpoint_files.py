"""The two files of a fine-tuned weak model; known without importing torch."""

from typing import Final

WEIGHTS_FILE: Final = "weights.safetensors"
KEY_FILE: Final = "weak.json"
