"""Laws of printed lists."""

from w2s_cache.tables.listing import Listing, latex_listing, markdown_listing, text_listing

LIST = Listing(
    title="A list (%)",
    header=("against", "on", "difference"),
    lines=(("lp-kd", "art", "-1.5"), ("lp-kd", "a_b", "+10.0"), ("zero-shot", "art", "[-1, 2]")),
    words=2,
)


def test_text_is_aligned_and_does_not_repeat_itself():
    """Words stand left, numbers right; a first word like the one above is left out."""
    assert text_listing(LIST).splitlines() == [
        "A list (%)",
        "--------------------------",
        "against    on   difference",
        "--------------------------",
        "lp-kd      art        -1.5",
        "           a_b       +10.0",
        "zero-shot  art     [-1, 2]",
        "--------------------------",
    ]


def test_markdown_repeats_words_and_escapes_marks():
    """A cell of a Markdown table can be read by itself."""
    assert markdown_listing(LIST).splitlines() == [
        "**A list (%)**",
        "",
        "| against | on | difference |",
        "| --- | --- | ---: |",
        "| lp-kd | art | -1.5 |",
        r"| lp-kd | a\_b | +10.0 |",
        r"| zero-shot | art | \[-1, 2\] |",
    ]


def test_latex_escapes_and_has_minus_signs():
    """Hyphens of words stay hyphens."""
    assert latex_listing(LIST).splitlines() == [
        r"\begin{tabular}{llr}",
        r"\toprule",
        r"\multicolumn{3}{l}{A list (\%)} \\",
        r"\midrule",
        r"against & on & difference \\",
        r"\midrule",
        r"lp-kd & art & $-$1.5 \\",
        r" & a\_b & +10.0 \\",
        r"zero-shot & art & {[}$-$1, 2{]} \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_a_list_without_lines_is_a_head():
    """Nothing fails where there is nothing to print."""
    empty = Listing(title="none", header=("a",), lines=())
    assert text_listing(empty).splitlines() == ["none", "-", "a", "-", "-"]
