"""Numbers as people want them in the Dagster UI: tables, bars, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pandas as pd

from shelter_pipeline.reports import by_reason, size

_BAR = 20


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> dg.MetadataValue[Any]:
    """Rows as a Markdown table, in the order of `columns` where it is given."""
    if not rows:
        return dg.MetadataValue.md("*nothing*")
    frame = pd.DataFrame(list(rows), columns=list(columns) if columns else None)
    return dg.MetadataValue.md(frame.map(_cell).to_markdown(index=False, disable_numparse=True))


def bar(part: float, whole: float) -> str:
    """A picture of a share, one line high: `██████░░░░ 61 %`; full for a share of nothing."""
    share = 1.0 if whole <= 0 else min(max(part / whole, 0.0), 1.0)
    filled = int(share * _BAR)  # never full before it is
    return f"`{'█' * filled}{'░' * (_BAR - filled)}` {int(share * 100)} %"


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
    text = "" if value is None else str(value)
    # Markdown is made of what portals wrote: nothing of it may break the table or become markup.
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")[:300]
