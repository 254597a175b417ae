"""One form for each JSON value, and a slug for every text."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shelter_pipeline.domain.records import canonical_json, content_hash, slugify

any_text = st.text(alphabet=st.characters(codec=None, categories=None))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=10,
)


def test_the_order_of_keys_does_not_count() -> None:
    assert canonical_json({"b": [1, 2], "a": "é"}) == canonical_json({"a": "é", "b": [1, 2]})
    assert canonical_json({"b": [1, 2], "a": "é"}) == '{"a":"é","b":[1,2]}'.encode()


def test_the_order_of_a_list_counts() -> None:
    assert content_hash([1, 2]) != content_hash([2, 1])


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_lone_surrogates_are_kept_escaped(text: str) -> None:
    written = canonical_json({"title": text, "é": 1})

    assert json.loads(written) == {"title": text, "é": 1}


def test_the_hash_is_that_of_the_canonical_form() -> None:
    assert content_hash({"a": 1}) == hashlib.sha256(b'{"a":1}').digest()


@given(value=values)
def test_any_value_comes_back_as_it_was(value: object) -> None:
    assert json.loads(canonical_json(value)) == value


@given(value=values)
def test_the_canonical_form_of_what_was_read_is_the_same_bytes(value: object) -> None:
    written = canonical_json(value)

    assert canonical_json(json.loads(written)) == written


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("U.S. Environmental Protection Agency", "u-s-environmental-protection-agency"),
        ("Données d'Écologie", "donnees-d-ecologie"),
        ("  --a__b--  ", "a-b"),
        ("田中さん", "unnamed"),
        ("", "unnamed"),
        ("ﬁle №1", "file-no1"),
        ("a,b;c'd", "a-b-c-d"),
    ],
)
def test_a_slug_is_readable(text: str, slug: str) -> None:
    assert slugify(text) == slug


@given(text=any_text, limit=st.integers(1, 100))
@example("a" * 99 + "-b", 100)
@example("\ud800", 1)
def test_a_slug_is_a_partition_key_and_a_path_whatever_the_text(text: str, limit: int) -> None:
    slug = slugify(text, limit=limit)

    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert len(slug) <= max(limit, len("unnamed"))
    assert slugify(slug) == slug
