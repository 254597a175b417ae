"""Whether a regular expression of an operator's is one that no URL can keep busy for long.

Python's engine tries every way to divide a text among repetitions: a group that is repeated
may take time that doubles with every character. Those are refused, and so are expressions
that nobody can read; what is left takes time that grows with a small power of the text, and
no URL is longer than `domain.urls.MAX_URL_LENGTH`.
"""

from __future__ import annotations

import re
from itertools import pairwise

LONGEST_EXPRESSION = 400  # characters
MOST_REPETITIONS = 6  # without an upper bound, in one expression
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[*+]|\{[0-9]*,?[0-9]*\}|[^\\]", re.DOTALL)
_REPEATS = re.compile(r"[*+]|\{[0-9,]+\}")
_WITHOUT_BOUND = re.compile(r"[*+]|\{[0-9]*,\}")


def expression_problem(text: str) -> str:
    """What speaks against an expression, in words; empty if nothing does."""
    if len(text) > LONGEST_EXPRESSION:
        return f"it is longer than {LONGEST_EXPRESSION} characters"
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error)
    tokens = _TOKEN.findall(text)
    for before, token in pairwise(tokens):
        if before == ")" and _REPEATS.fullmatch(token):
            return "a group is repeated; only single characters and classes can be"
    if sum(1 for token in tokens if _WITHOUT_BOUND.fullmatch(token)) > MOST_REPETITIONS:
        return f"it has more than {MOST_REPETITIONS} repetitions without an upper bound"
    return ""
