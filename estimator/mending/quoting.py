"""Foreign text in PowerShell: as data that cannot become code, and as comments that cannot end.

Names come from a tenant in which anybody may have chosen them. They stand in single-quoted literals, in which
PowerShell expands nothing, and nowhere else. PowerShell takes five characters for a single quote, not one
(`about_Quoting_Rules`; `CharExtensions.IsSingleQuote` in its source), so each of the five is doubled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: What PowerShell takes for a single quote: ' ‘ ’ ‚ ‛
SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"

_DOUBLED = str.maketrans({quote: quote * 2 for quote in SINGLE_QUOTES})
_NOT_FOR_COMMENTS = re.compile(r"[^A-Za-z0-9 .,:;()@_/+%='-]")
_LONGEST_COMMENT = 300


def is_quotable(text: str) -> bool:
    """Whether a name can stand in a script: it is not empty and has only characters that a reader can see.

    Line breaks, other control characters, invisible ones and those that turn the direction of the text around would
    show the person who reviews the script something else than PowerShell reads. Half a surrogate pair cannot be
    written at all.
    """
    return text != "" and text.isprintable()


def literal(text: str) -> str:
    """A text as a single-quoted PowerShell literal.

    Raises:
        ValueError: the text is not printable, see `is_quotable`; callers sort such names out first.
    """
    if not text.isprintable():
        raise ValueError(f"{text!r} has characters that no script may hold")
    return f"'{text.translate(_DOUBLED)}'"


def array(texts: Iterable[str]) -> str:
    """Texts as a PowerShell array, also where there is one or none."""
    return f"@({', '.join(map(literal, texts))})"


def flag(value: bool) -> str:
    """A truth value."""
    return "$true" if value else "$false"


def visible(text: str) -> str:
    """A text for people (a title) with a space for each character that is not printable."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def comment(text: str = "") -> str:
    """A line of comment: plain ASCII, nothing that could end it or a comment around it, and not without end."""
    plain = _NOT_FOR_COMMENTS.sub("?", text)
    if len(plain) > _LONGEST_COMMENT:
        plain = plain[: _LONGEST_COMMENT - 3] + "..."
    return f"# {plain}".rstrip()
