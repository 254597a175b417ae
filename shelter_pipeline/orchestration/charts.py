"""Small pictures for the Dagster UI: SVG inside the Markdown of a materialization's metadata.

The UI strips inline markup but shows an image that stands in the document itself, and
folds away every Markdown of 1,000 characters or more. So a chart is one data URI below
that length, drawn for light and dark pages alike, with as many rows as have room.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

import dagster as dg

from shelter_pipeline.orchestration.tables import SHOWN_UNFOLDED

# Okabe and Ito's colours, which people who see colours differently can tell apart.
_COLOURS = ("#009e73", "#56b4e9", "#cc79a7", "#0072b2", "#d55e00", "#e69f00")
_INK = "#7c8597"  # readable on white and on black
_MOST_ROWS = 10
_LABEL_LENGTH = 24
_LEFT, _WIDEST = 220, 300  # where bars begin, and the longest, in pixels
_TOP, _ROW, _THICK = 30, 20, 12
_LETTER = 7
_UNQUOTED = " '=/:,.;&-"
_MOST_COLUMNS, _STEP, _HIGHEST = 48, 8, 60


def stacked_bars(
    title: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    label: str,
    parts: Sequence[str],
    in_order: bool = False,
) -> dg.MetadataValue[Any]:
    """One bar a row, made of its `parts` (six at most); rows of nothing are left out.

    The greatest sum comes first, unless the rows are in an order of their own.

    `title` is its alternative text. Rows for which there is no room are left out as well:
    a chart goes with a table that has them.
    """
    drawn = [row for row in rows if _total(row, parts)]
    if not in_order:
        drawn.sort(key=lambda row: (-_total(row, parts), str(row[label])))
    for count in range(min(len(drawn), _MOST_ROWS), 0, -1):
        picture = quote("".join(_picture(drawn[:count], label, parts)), safe=_UNQUOTED)
        markdown = f"![{title}](<data:image/svg+xml,{picture}>)"
        if len(markdown) < SHOWN_UNFOLDED:
            return dg.MetadataValue.md(markdown)
    return dg.MetadataValue.md("*nothing*")


def _total(row: Mapping[str, Any], parts: Sequence[str]) -> int:
    return sum(row[part] for part in parts)


def _picture(rows: Sequence[Mapping[str, Any]], label: str, parts: Sequence[str]) -> Iterator[str]:
    width, height = _LEFT + _WIDEST + 2 * len(parts), _TOP + _ROW * (len(rows) - 1) + _THICK
    yield (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'"
        f" font-family='sans-serif' font-size='12' fill='{_INK}' stroke-width='{_THICK}'><text>"
    )
    for place, row in enumerate(rows):
        name = str(row[label])
        short = name if len(name) <= _LABEL_LENGTH else f"{name[: _LABEL_LENGTH - 2]}.."
        said = escape(f"{short} {_total(row, parts)}", quote=False)
        yield f"<tspan x='0' y='{_TOP + place * _ROW}'>{said}</tspan>"
    yield "</text>"
    yield from _bars(rows, parts)
    yield "</svg>"


def _bars(rows: Sequence[Mapping[str, Any]], parts: Sequence[str]) -> Iterator[str]:
    """A line for each part through all rows, and its name in its colour above them."""
    scale = _WIDEST / max(_total(row, parts) for row in rows)
    ends = [_LEFT for _ in rows]
    legend = _LEFT
    for part, colour in zip(parts, _COLOURS, strict=False):
        line = ""
        for place, row in enumerate(rows):
            # One dataset among thousands is still seen.
            wide = max(round(row[part] * scale), 1) if row[part] else 0
            line += f"M{ends[place]} {_TOP - 4 + place * _ROW}h{wide}" if wide else ""
            ends[place] += wide
        if line:
            yield f"<text x='{legend}' y='12' fill='{colour}'>{escape(part)}</text>"
            yield f"<path stroke='{colour}' d='{line}'/>"
            legend += _LETTER * len(part) + 14


def columns(title: str, values: Sequence[int]) -> dg.MetadataValue[Any]:
    """One column a value, in their order, the greatest named beside them; `title` is the alternative text.

    Of more values than there is room for the last are drawn. Nothing at all is said in words.
    """
    for count in range(min(len(values), _MOST_COLUMNS), 0, -1):
        drawn = values[-count:]
        if not any(drawn):
            break
        markdown = f"![{title}](<data:image/svg+xml,{quote(_columns(title, drawn), safe=_UNQUOTED)}>)"
        if len(markdown) < SHOWN_UNFOLDED:
            return dg.MetadataValue.md(markdown)
    return dg.MetadataValue.md("*nothing*")


def _columns(title: str, values: Sequence[int]) -> str:
    scale = _HIGHEST / max(values)
    # What is drawn moves along: a column up and down again, or a step to the right.
    path = "".join(
        f"m{_STEP} 0v-{high}v{high}"
        if (high := max(round(value * scale), 1) if value else 0)
        else f"m{_STEP} 0"
        for value in values
    )
    said = f"{title}: at most {max(values)}"
    width = max(_STEP * (len(values) + 1), _LETTER * len(said))
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{_HIGHEST + _TOP}'"
        f" font-family='sans-serif' font-size='12' fill='{_INK}'><text y='12'>{escape(said, quote=False)}</text>"
        f"<path stroke='{_COLOURS[0]}' stroke-width='{_STEP - 2}' d='M0 {_HIGHEST + _TOP - 4}{path}'/></svg>"
    )
