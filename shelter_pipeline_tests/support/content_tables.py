"""The tables of `docs/how-to/content-rules.md`, as the rules have them; run as a module it renews them there."""

from __future__ import annotations

import re
from pathlib import Path

from shelter_pipeline.fetching.content import ContentRules, Rule
from shelter_pipeline.fetching.content_table import content_rules

DOCUMENT = Path(__file__).parents[2] / "docs/how-to/content-rules.md"
_FAMILIES = {
    "page": "a web page",
    "text": "text",
    "json": "JSON",
    "markup": "XML",
    "opaque": "anything but a page",
    "signature": "its bytes",
}


def tables(rules: ContentRules) -> dict[str, str]:
    """The table below each heading."""
    return {"The rules": _rules(rules), "The kinds": _kinds(rules)}


def _rules(rules: ContentRules) -> str:
    rows = [
        f"| `{rule.name}` | {rule.question} | {_conditions(rule)} | `{rule.reason}` | {rule.says} |"
        for rule in rules.rules
    ]
    return "\n".join(
        ["| rule | question | when | reason | in words |", "| --- | --- | --- | --- | --- |", *rows]
    )


def _conditions(rule: Rule) -> str:
    parts = []
    if rule.promised:
        parts.append("promised: " + " or ".join(sorted(rule.promised)))
    if rule.only:
        parts.append("promised only: " + ", ".join(sorted(rule.only)))
    parts += [f"`{sign}`" for sign in rule.all]
    if rule.any:
        parts.append(" or ".join(f"`{sign}`" for sign in rule.any))
    if rule.max_bytes is not None:
        parts.append(f"at most {rule.max_bytes} bytes")
    if rule.held_min_bytes is not None:
        parts.append(f"at least {rule.held_min_bytes} bytes are held")
    if rule.below_percent_of_held is not None:
        parts.append(f"less than {rule.below_percent_of_held:g} % of them")
    return "; ".join(parts)


def _kinds(rules: ContentRules) -> str:
    kinds = dict.fromkeys(rules.kinds.values())
    rows = []
    for kind in sorted(kinds, key=lambda kind: kind.name):
        ends = ", and by its end" if any(signature.ends for signature in kind.signatures) else ""
        names = ", ".join(sorted(kind.names))
        rows.append(f"| {kind.name} | {_FAMILIES[kind.family]}{ends} | {names} |")
    return "\n".join(["| kind | known by | names |", "| --- | --- | --- |", *rows])


def renew() -> None:
    """Write the tables of today into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for heading, table in tables(content_rules()).items():
        shown = re.compile(rf"(## {heading}\n.*?\n\n)(?:\|[^\n]*\n)+", re.DOTALL)
        text = shown.sub(lambda found, new=table: f"{found[1]}{new}\n", text, count=1)
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    renew()
