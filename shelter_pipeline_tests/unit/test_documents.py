"""What the documents say of the code is so: settings, reasons, commands, tests, links."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer

from shelter_pipeline.catalog.progress import OrganizationProgress
from shelter_pipeline.catalog.tables_catalogue import harvest
from shelter_pipeline.cli import app
from shelter_pipeline.discovery.conclusions import FOUND_IN_PART
from shelter_pipeline.domain.verdict_words import VERDICTS
from shelter_pipeline.domain.verdicts import REASONS, Next, Reason, Verdict, holds_file
from shelter_pipeline.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
TESTS = ROOT / "shelter_pipeline_tests"
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for place in (
        ROOT.glob("*.md"),
        *((ROOT / folder).rglob("*.md") for folder in ("docs", "docker", "benchmarks")),
    )
    for path in place
)
TEMPLATES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "shelter_pipeline" / "presentation" / "templates").glob("*.html")
)
CODE = re.compile(r"<code[^>]*>(.*?)</code>", re.DOTALL)
DECISIONS = sorted((DOCS / "adr").glob("*.md"))
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
HOME_OF_SOMEBODY = re.compile(r"(?<![\w.~/-])(?:/(?:home|Users|root|work|tmp)/\w|[A-Za-z]:\\+Users)")
TEST_NAME = re.compile(r"`(\w+/test_\w+\.py)::(test_\w+)`")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def outside_code_blocks(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def section(text: str, heading: str) -> str:
    """What stands below a heading of the second level, up to the next."""
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of every table but its head."""
    lines = text.splitlines()
    for before, line in pairwise(lines):
        if line.startswith("| ") and not line.startswith("| ---") and before.startswith("|"):
            yield [cell.strip() for cell in line.strip("| ").split(" | ")]


def described(heading: str) -> dict[str, list[str]]:
    """The table below a heading of reasons.md, by its first column."""
    return {cells[0].strip("`"): cells[1:] for cells in rows(section(read("docs/reasons.md"), heading))}


def shown(default: Any) -> str:
    if default is None:
        return "unset"
    if default in ("", ()):
        return "empty"
    if isinstance(default, tuple):
        return f"`{','.join(map(str, default))}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def in_words(rest: timedelta) -> str:
    seconds = int(rest.total_seconds())
    for name, unit in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds and seconds % unit == 0:
            count = seconds // unit
            return f"{count} {name}" + ("s" if count > 1 else "")
    return "–"


@cache
def functions_of(path: Path) -> frozenset[str]:
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    )


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    documented = {cells[0].strip("`"): cells[1] for cells in rows(read("docs/how-to/settings.md"))}

    assert documented.get(f"SHELTER_{name.upper()}") == shown(Settings.model_fields[name].default)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_document_names_a_setting_that_does_not_exist(document: str) -> None:
    known = {f"SHELTER_{name.upper()}" for name in Settings.model_fields}
    known |= {"SHELTER_FIXTURES"}  # of the tests
    for compose in (ROOT / "docker").glob("compose*.yaml"):
        known |= set(re.findall(r"\$\{(SHELTER_\w+)", compose.read_text(encoding="utf-8")))

    named = set(re.findall(r"\bSHELTER_[A-Z0-9_]*[A-Z0-9]\b", read(document)))

    # Secrets of private portals have names of the operator's choice.
    assert {name for name in named if not name.startswith("SHELTER_SECRET_")} <= known


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
def test_every_reason_is_documented_as_it_is_in_the_code(reason: Reason) -> None:
    expected = [reason.verdict.value, reason.next.value, in_words(reason.rest), reason.sentence]

    assert described("Reasons of captures").get(reason.slug) == expected


def test_no_reason_is_documented_that_does_not_exist() -> None:
    assert described("Reasons of captures").keys() == REASONS.keys()


def test_verdicts_and_what_follows_them_are_documented() -> None:
    verdicts = {name: cells[-1] for name, cells in described("Verdicts").items()}

    assert verdicts == {verdict.value: "yes" if holds_file(verdict) else "no" for verdict in Verdict}
    assert described("What follows").keys() == {following.value for following in Next}


def test_the_outcomes_that_are_no_reasons_are_documented() -> None:
    statement = (files("shelter_pipeline.catalog") / "statements/organization_progress.sql").read_text()
    not_in = re.search(r"outcome NOT IN \(([^)]*)\)", statement)
    assert not_in is not None

    # What was read only in part leads to files, and is counted with the links that are none.
    outcomes = {*re.findall(r"'([^']+)'", not_in[1]), FOUND_IN_PART}

    assert described("Outcomes of discovery").keys() == outcomes
    assert not outcomes & REASONS.keys()


def test_the_verdicts_on_a_harvest_are_documented() -> None:
    checks = [str(check.sqltext) for check in harvest.constraints if hasattr(check, "sqltext")]
    (known,) = [text for text in checks if text.startswith("verdict IN")]

    assert described("Verdicts on a harvest").keys() == set(re.findall(r"'([^']+)'", known))


def test_the_verdicts_on_an_organization_are_documented_in_the_words_that_everybody_reads() -> None:
    whole: dict[str, Any] = {
        "organization": "a",
        "name": "A",
        "datasets": 1,
        "expected_files": 2,
        "held_files": 2,
        "held_bytes": 9,
        "waiting_files": 0,
        "resting_files": 0,
        "failed": {},
        "not_files": {},
        "undiscovered": 0,
    }
    states = [
        whole,
        whole | {"held_files": 1, "failed": {"gone": 1}},
        whole | {"held_files": 0, "failed": {"gone": 2}},
        whole | {"held_files": 0, "expected_files": 0},
        whole | {"held_files": 0, "waiting_files": 2},
        whole | {"held_files": 1, "waiting_files": 1},
        *(
            whole | {"held_files": 0, "expected_files": 0, "not_files": {outcome: 1}}
            for outcome in ("landing-page-only", "service")
        ),
    ]

    verdicts = {OrganizationProgress(**state).verdict for state in states}

    assert len(verdicts) == len(states)
    assert verdicts == VERDICTS.keys()
    assert described("Verdicts on an organization") == {
        verdict: [sentence] for verdict, sentence in VERDICTS.items()
    }


def is_command(text: str) -> bool:
    """Whether `shelter` knows the commands that a text begins with, and all of its options."""
    here: Any = typer.main.get_group(app)
    for word in text.split():
        if word.startswith("--"):
            if not any(word.partition("=")[0] in one.opts for one in here.params):
                return False
        elif hasattr(here, "commands"):
            if word not in here.commands:
                return False
            here = here.commands[word]
    return True


@pytest.mark.parametrize("command", sorted(typer.main.get_group(app).commands))
def test_every_command_is_shown_to_newcomers(command: str) -> None:
    shown_to_newcomers = read("README.md") + read("docs/how-to/first-rescue.md")

    assert re.search(rf"\bshelter {command}\b", shown_to_newcomers)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_document_shows_a_command_that_does_not_exist(document: str) -> None:
    known = typer.main.get_group(app).commands.keys()

    named = set(re.findall(r"(?:`|^\$ |bin/)shelter ([a-z-]+)", read(document), re.MULTILINE))

    assert named <= known


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_page_shows_a_command_that_does_not_exist(template: str) -> None:
    shown = re.findall(r"\bshelter ([a-z][^<\n]*)", "\n".join(CODE.findall(read(template))))

    assert [command for command in shown if not is_command(command)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_leads_to_a_file(document: str) -> None:
    folder = (ROOT / document).parent
    targets = [
        unquote(target.partition("#")[0]) for target in LINK.findall(outside_code_blocks(read(document)))
    ]

    missing = [t for t in targets if t and not re.match(r"[a-z]+:", t) and not (folder / t).exists()]

    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_document_holds_a_path_of_somebodys_machine(document: str) -> None:
    assert not HOME_OF_SOMEBODY.findall(read(document))


def test_every_test_that_a_guarantee_names_exists() -> None:
    named = TEST_NAME.findall(read("docs/guarantees.md"))
    assert named

    missing = [
        f"{file}::{test}"
        for file, test in named
        if not (TESTS / file).is_file() or test not in functions_of(TESTS / file)
    ]

    assert not missing


def test_every_guarantee_says_what_proves_it_and_what_it_leaves_out() -> None:
    table = [cells for cells in rows(read("docs/guarantees.md")) if cells[0] != "concern"]

    assert table
    for cells in table:
        assert len(cells) == 4, cells
        concern, _, proof, left_out = cells
        assert TEST_NAME.search(proof) or (proof == "–" and len(left_out) > 1), concern


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_its_status_context_decision_and_consequences(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert re.match(rf"# {int(path.name[:4])}\. \S", text)
    assert re.search(r"^Status: (accepted|proposed|superseded by \d+)$", text, re.MULTILINE)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
