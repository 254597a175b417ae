"""The tables of `docs/how-to/classification.md`, as the rules have them; run as a module it renews them there."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

from shelter_pipeline.discovery.classification_table import ClassificationRules, classification_rules
from shelter_pipeline.discovery.known_places import Place

DOCUMENT = Path(__file__).parents[2] / "docs/how-to/classification.md"


def tables(rules: ClassificationRules) -> dict[str, str]:
    """The table below each heading."""
    return {
        "Known places": _places(rules),
        "Kinds of files": _kinds(rules),
        "Declared services": _services(rules),
    }


def _places(rules: ClassificationRules) -> str:
    rows = []
    for (kind, rule), group in groupby(rules.places.rows, key=lambda row: (row.kind, row.rule)):
        known = "; or ".join(dict.fromkeys(_words(row) for row in group))
        rows.append(f"| `{rule}` | {kind} | {known} |")
    return "\n".join(["| rule | kind | known by |", "| --- | --- | --- |", *rows])


def _words(row: Place) -> str:
    parts = [
        f"{name} {', '.join(sorted(getattr(row, key)))}"
        for key, name in (
            ("hosts", "host"),
            ("segments", "path with"),
            ("parameters", "query with"),
            ("extensions", "extension"),
        )
        if getattr(row, key)
    ]
    if row.path or row.query:
        parts.append("and an expression")
    unless = {"": "", "file": ", but for files", "declared": ", but for files and declared ones"}[row.unless]
    return " ".join(parts).replace("|", "\\|") + unless


def _kinds(rules: ClassificationRules) -> str:
    rows = [
        f"| `{kind.slug}` | {kind.label} | {kind.family} | {' '.join(kind.extensions) or '–'}"
        f" | {', '.join(kind.formats) or '–'} |"
        for kind in rules.kinds
    ]
    head = "| kind | label | family | extensions | names in catalogues |"
    return "\n".join([head, "| --- | --- | --- | --- | --- |", *rows])


def _services(rules: ClassificationRules) -> str:
    names: dict[str, list[str]] = {}
    for name, service in rules.services.items():
        names.setdefault(service, []).append(name)
    rows = [f"| `declared-{service}` | {', '.join(known)} |" for service, known in names.items()]
    return "\n".join(["| rule | declared as |", "| --- | --- |", *rows])


def main() -> None:
    """Write the tables into the document."""
    document = DOCUMENT.read_text(encoding="utf-8")
    for heading, table in tables(classification_rules()).items():
        before, mark, after = document.partition(f"\n## {heading}\n")
        body, end, rest = after.partition("\n## ")
        body = re.sub(
            r"(?:^\|.*\n?)+", lambda _, table=table: table + "\n", body, count=1, flags=re.MULTILINE
        )
        document = before + mark + body + end + rest
    DOCUMENT.write_text(document, encoding="utf-8")


if __name__ == "__main__":
    main()
