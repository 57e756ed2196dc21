"""Laws of how a library's words become part of a sentence."""

from __future__ import annotations

from w2s_cache.encoders.refusal import reason


def test_a_short_cause_is_whole_on_one_line() -> None:
    """Line ends become spaces, and the sentence around it brings its own period."""
    assert reason(OSError("no\n  file.")) == "no file"


def test_a_long_cause_ends_with_a_sentence() -> None:
    """Of advice that does not fit any more nothing is begun."""
    cause = "The file is not on this machine" + " nor on the hub" * 13
    assert reason(OSError(f"{cause}. Please check {'your connection ' * 9}.")) == cause


def test_a_long_cause_without_a_sentence_to_end_with_ends_with_a_word() -> None:
    """Neither a cut word nor a first sentence alone, which would hide the cause."""
    said = reason(OSError("It failed. Last error: " + "connection " * 40))
    assert said.endswith(" connection…")
    assert 250 < len(said) < 290
    assert reason(OSError("x" * 400)) == "x" * 280 + "…"
