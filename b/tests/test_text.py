import pytest

from b import slugify, truncate


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Hello, World!", "hello-world"),
        ("  many   spaces ", "many-spaces"),
        ("Ångström & Müller", "angstrom-muller"),
        ("…", ""),
    ],
)
def test_a_slug_holds_letters_digits_and_single_hyphens(title: str, slug: str):
    assert slugify(title) == slug


def test_a_slug_of_a_slug_is_the_same():
    assert slugify(slugify("Crème brûlée")) == "creme-brulee"


@pytest.mark.parametrize("width", range(1, 25))
def test_a_truncated_text_is_never_too_wide(width: int):
    assert len(truncate("The quick brown fox", width)) <= width


def test_a_word_that_ends_at_the_width_is_kept_whole():
    assert truncate("one two three", 8) == "one two…"
