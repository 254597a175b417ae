"""What pages call by a class has a style, and every style is called."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "shelter_pipeline"
PRESENTATION = PACKAGE / "presentation"
STATIC = PRESENTATION / "static"
TEMPLATES = sorted(path.name for path in (PRESENTATION / "templates").glob("*.html"))
SHEETS = ("style.css", "report.css")
_ATTRIBUTE = re.compile(r'class="((?:\{\{.*?\}\}|\{%.*?%\}|[^"{])*)"')
# What a template fills in: a whole class, or the end of one such as `is-{{ word }}`.
_FILLED = "\0"


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def styled(sheet: str) -> frozenset[str]:
    """The classes that the selectors of a sheet name."""
    text = re.sub(r"/\*.*?\*/", "", read(STATIC / sheet), flags=re.DOTALL)
    selectors = re.findall(r"([^{}]+)\{", text)
    return frozenset(
        name
        for selector in selectors
        if not selector.strip().startswith("@")
        for name in re.findall(r"\.([a-z][\w-]*)", re.sub(r'"[^"]*"', "", selector))
    )


@cache
def called(template: str) -> frozenset[str]:
    """The classes that a template gives to elements; what it fills in stands as `_FILLED`."""
    words: set[str] = set()
    for attribute in _ATTRIBUTE.findall(read(PRESENTATION / "templates" / template)):
        words |= set(re.sub(r"\{\{.*?\}\}", _FILLED, re.sub(r"\{%.*?%\}", " ", attribute)).split())
    return frozenset(words)


@cache
def drawn() -> frozenset[str]:
    """The classes that our scripts and pictures give to elements."""
    text = "\n".join(read(path) for path in (*STATIC.glob("*.js"), *PRESENTATION.glob("*.py")))
    named = re.findall(r'class="([^"{]+)"|className = "(\w+)"|classList\.\w+\("(\w+)"', text)
    return frozenset(name for names in named for name in names if name)


@cache
def spoken(*, of_the_catalog: bool) -> str:
    """Code whose words are filled into classes: colours stand in templates, states in the catalog, too."""
    paths = [*(PRESENTATION / "templates").glob("*.html"), *PRESENTATION.glob("*.py")]
    if of_the_catalog:
        paths += [*(PACKAGE / "domain").glob("*.py"), *(PACKAGE / "catalog").glob("tables*.py")]
    return "\n".join(read(path) for path in paths)


def is_spoken(word: str, *, of_the_catalog: bool) -> bool:
    """Whether a string of that code is this word, with spaces or hyphens within."""
    text = spoken(of_the_catalog=of_the_catalog)
    return any(f"{mark}{one}{mark}" in text for mark in "\"'" for one in (word, word.replace("-", " ")))


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_class_of_a_template_has_a_style(template: str) -> None:
    sheets = SHEETS if template == "report.html" else SHEETS[:1]
    known = frozenset[str]().union(*(styled(sheet) for sheet in sheets))
    beginnings = {word.partition(_FILLED)[0] for word in called(template) if _FILLED in word} - {""}

    assert {word for word in called(template) if _FILLED not in word} <= known
    assert [one for one in beginnings if not any(name.startswith(one) for name in known)] == []


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_style_is_called_by_a_page(sheet: str) -> None:
    templates = ("report.html", "parts.html") if sheet == "report.css" else TEMPLATES
    whole = frozenset[str]().union(*(called(template) for template in templates))
    filled = {word.partition(_FILLED)[0] for word in whole if _FILLED in word}

    def is_called(name: str) -> bool:
        return (
            name in whole
            or name in drawn()
            or name.startswith("u-")  # what uPlot draws has classes of its own
            or any(
                is_spoken(name.removeprefix(beginning), of_the_catalog=bool(beginning))
                for beginning in filled
                if name.startswith(beginning)
            )
        )

    assert {name for name in styled(sheet) if not is_called(name)} == set()
