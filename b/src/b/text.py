"""Text that has to fit somewhere: into an address, into a width."""

import re
import unicodedata


def slugify(text: str) -> str:
    """Turn a title into a part of an address: small ASCII letters, digits and hyphens.

    >>> slugify("Crème brûlée, twice!")
    'creme-brulee-twice'

    What has no ASCII letter to stand for it is left out:

    >>> slugify("数 1")
    '1'
    """
    decomposed = unicodedata.normalize("NFKD", text)
    ascii_only = decomposed.encode("ascii", "ignore").decode("ascii")
    return "-".join(re.findall(r"[a-z0-9]+", ascii_only.lower()))


def truncate(text: str, width: int) -> str:
    """Shorten a text to at most so many characters, between two words if it can.

    >>> truncate("The quick brown fox", 12)
    'The quick…'
    >>> truncate("Incomprehensibilities", 12)
    'Incomprehen…'
    >>> truncate("short", 12)
    'short'
    >>> truncate("short", 0)
    Traceback (most recent call last):
        ...
    ValueError: width must be at least 1, not 0
    """
    if width < 1:
        raise ValueError(f"width must be at least 1, not {width}")
    if len(text) <= width:
        return text
    kept = text[: width - 1]
    cuts_a_word = not text[width - 1].isspace()
    if cuts_a_word and any(character.isspace() for character in kept.strip()):
        kept = kept.rsplit(maxsplit=1)[0]
    return kept.rstrip() + "…"
