"""Numbers as people want them in the Dagster UI: tables, bars, sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pandas as pd

from shelter_pipeline.presentation.words import by_reason, size

SHOWN_UNFOLDED = 1000  # characters: longer Markdown stands behind a link of the UI
_BAR = 20


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> dg.MetadataValue[Any]:
    """Rows as a Markdown table, in the order of `columns` where it is given."""
    return dg.MetadataValue.md(_markdown(rows, columns))


def short_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None
) -> dg.MetadataValue[Any]:
    """As many of the first rows as the UI shows at once; a last line says how many more there are."""
    text = _markdown(rows, columns)
    for count in range(len(rows) - 1, 0, -1):
        if len(text) < SHOWN_UNFOLDED:
            break
        text = f"{_markdown(rows[:count], columns)}\n\nand {len(rows) - count} more"
    return dg.MetadataValue.md(text)


def _markdown(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None) -> str:
    if not rows:
        return "*nothing*"
    # As objects, so that a missing number does not make floats of its neighbours.
    frame = pd.DataFrame(list(rows), columns=list(columns) if columns else None, dtype=object)
    text = frame.map(_cell).to_markdown(index=False, disable_numparse=True)
    head, _, rest = re.sub(" {2,}", " ", text).partition("\n")
    rule, _, body = rest.partition("\n")
    return "\n".join((head, re.sub("-{2,}", "--", rule), body))


def bar(part: float, whole: float) -> str:
    """A picture of a share, one line high: `██████░░░░ 61 %`; full for a share of nothing."""
    share = 1.0 if whole <= 0 else min(max(part / whole, 0.0), 1.0)
    filled = int(share * _BAR)  # never full before it is
    return f"`{'█' * filled}{'░' * (_BAR - filled)}` {int(share * 100)} %"


def share(part: float, whole: float) -> dg.MetadataValue[Any]:
    """The same as a value of its own: outside of Markdown the UI would show how it is written."""
    return dg.MetadataValue.md(bar(part, whole))


def progress_table(reports: Sequence[Mapping[str, Any]]) -> dg.MetadataValue[Any]:
    """Organizations with expected against held, and the reasons of what is not."""
    return table(
        [
            {
                "organization": report["organization"],
                "verdict": report["verdict"],
                "progress": bar(report["held_files"], report["expected_files"]),
                "held": f"{report['held_files']} of {report['expected_files']}",
                "bytes": size(report["held_bytes"]),
                "failed by reason": by_reason(report["failed"]),
            }
            for report in reports
        ]
    )


def _cell(value: Any) -> str:
    text = "" if value is None or value is pd.NA or value != value else str(value)  # noqa: PLR0124 - NaN
    # Markdown is made of what portals wrote: nothing of it may break the table or become markup.
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")[:300]
