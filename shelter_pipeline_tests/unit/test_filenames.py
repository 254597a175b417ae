"""The names under which files are saved: what they were called, and nothing that does anything else."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.filenames import attachment, filename_of, safe_filename, usable_media_type


@pytest.mark.parametrize(
    ("url", "media_type", "name"),
    [
        ("https://a.example/data/Air%20quality.csv", None, "Air quality.csv"),
        ("https://a.example/export?format=csv", "text/csv; charset=utf-8", "export.csv"),
        ("https://a.example/data/v1.2", "application/zip", "v1.2"),
        ("https://a.example/data/", "application/json", "data.json"),
        ("https://a.example/", "text/html", "file.html"),
        ("https://a.example", None, "file"),
        ("https://a.example/x", "application/octet-stream", "x"),
        ("https://a.example/x", "no type at all", "x"),
        ("https://a.example/..%2f..%2fetc%2fpasswd", None, "_.._etc_passwd"),
        ("https://a.example/..%5C..%5Cboot.ini", None, "_.._boot.ini"),
        ("https://a.example/.bashrc", None, "bashrc"),
        ("https://a.example/CON.txt", None, "_CON.txt"),
        ("https://a.example/lpt1", None, "_lpt1"),
        (
            "https://a.example/annual%E2%80%AEfdp.exe",
            None,
            "annualfdp.exe",
        ),  # written backwards to look like a pdf
        ("https://a.example/a%0D%0ASet-Cookie:%20x%00.csv", None, "aSet-Cookie_ x.csv"),
        ("https://a.example/caf%C3%A9%20%F0%9F%90%8B.csv", None, "café 🐋.csv"),
        ("https://a.example/%FF%FE.csv", None, "\ufffd\ufffd.csv"),
        ("https://a.example/" + "x" * 500 + ".csv", None, "x" * 146 + ".csv"),
        ("https://[half/x.csv", None, "file"),
    ],
)
def test_a_file_is_named_by_the_end_of_its_address(url: str, media_type: str | None, name: str) -> None:
    assert filename_of(url, media_type) == name


@given(st.text())
def test_no_name_leaves_its_folder_or_lies_about_its_end(text: str) -> None:
    name = safe_filename(text)

    assert safe_filename(name) == name
    assert not set(name) & set('/\\:*?"<>|')
    assert not any(unicodedata.category(character)[0] == "C" for character in name)
    assert name == name.strip(" .")
    assert len(name.encode()) <= 150
    assert not re.match(r"(con|nul|aux|prn|com1)(\.|\Z)", name, re.IGNORECASE)


@given(st.text())
def test_a_header_holds_any_name_and_gives_it_back(text: str) -> None:
    name = safe_filename(text) or "file"

    header = attachment(name)

    assert header.isascii()
    assert header.isprintable()
    match = re.fullmatch(r"attachment; filename=\"([^\"\\]*)\"(; filename\*=UTF-8''([!-~]*))?", header)
    assert match
    assert (unquote(match[3]) if match[2] else match[1]) == name


@pytest.mark.parametrize(
    ("told", "usable"),
    [
        ('Text/CSV; Charset="UTF-8"; header=present', "text/csv; charset=utf-8"),
        ("application/geo+json", "application/geo+json"),
        ("text/html\r\nX-Evil: 1", "application/octet-stream"),
        ("text/html; charset=x\r\ny", "text/html; charset=x"),
        ("csv", "application/octet-stream"),
        ("", "application/octet-stream"),
        (None, "application/octet-stream"),
    ],
)
def test_a_media_type_that_is_none_is_that_of_unknown_bytes(told: str | None, usable: str) -> None:
    assert usable_media_type(told) == usable
