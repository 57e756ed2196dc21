"""What an import is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from w2s_cache.errors import ImportedFeaturesError
from w2s_cache.extract.request import ExtractRequest
from w2s_cache.interchange.declaration import Declaration


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportRequest:
    """Somebody else's features of one domain, and what goes with them.

    Attributes:
        extract: Data set, weak model and means, as for an extraction; its strong section is of the
            library ``imported`` and its name is what training will call the features.
        source: A file or folder of features.
        declared: What is said of them.
        order: The order of rows, for sources that name no image.
        prefix: What precedes every path in the source.
        text: A file of class text; None where there is none, or where the model makes it.
        text_by_model: Whether the declared open_clip model encodes the spec's templates.
        logit_scale: The factor on cosines, for a file of class text that does not say it.

    Raises:
        ImportedFeaturesError: Options that do not go together.
    """

    extract: ExtractRequest
    source: Path
    declared: Declaration
    order: str | None = None
    prefix: str | None = None
    text: Path | None = None
    text_by_model: bool = False
    logit_scale: float | None = None

    def __post_init__(self) -> None:
        has_text = self.text is not None or self.text_by_model
        if has_text and self.declared.tensor != "features":
            raise ImportedFeaturesError(
                f"class text for {self.declared.tensor} vectors",
                expected="--tensor features, which live in one space with text",
                found=f"--tensor {self.declared.tensor}",
                fix="Leave out --text.",
            )
        if self.text_by_model and self.declared.model is None:
            raise ImportedFeaturesError(
                "class text by the model the features come from",
                expected="its name",
                found="none",
                fix="Add --model and --pretrained.",
            )
