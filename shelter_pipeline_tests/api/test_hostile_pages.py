"""Whatever portals, hosts and volunteers have written: pages show it, and nothing of it acts."""

from __future__ import annotations

import re

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline_tests.support.api import ApiUnderTest
from shelter_pipeline_tests.support.hostile_catalog import TEXTS, a_hostile_catalog
from shelter_pipeline_tests.support.markup import dangers_of

_INSIDE = re.compile(r'href="(/browse/(?:datasets|files)/\d+[^"#]*)"')


def test_nothing_that_others_wrote_acts_on_any_page_of_datasets_and_files(
    api: ApiUnderTest, catalog: Catalog
) -> None:
    ids = a_hostile_catalog(catalog)
    paths = ["/browse/datasets", *(f"/browse/datasets/{one}" for one in ids)]
    seen = set[str]()
    with_files = 0

    while paths:
        path = paths.pop()
        seen.add(path)
        answer = api.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, (path, answer.text)
        if answer.headers["Content-Type"].startswith("text/html"):
            assert dangers_of(answer.text) == [], path
            with_files += "/files/" in path
            if len(seen) < 150:
                paths += set(_INSIDE.findall(answer.text)) - seen - set(paths)

    assert len(ids) == len(TEXTS)
    assert with_files > 15


def test_nothing_that_is_asked_for_acts_on_the_page_that_answers(api: ApiUnderTest) -> None:
    for text in TEXTS:
        for path in ("/browse/datasets", "/browse/datasets?part=results"):
            for name in ("q", "organization", "after", "state"):
                answer = api.get(path, params={name: text}, headers={"Accept": "text/html"})
                assert answer.status_code in (200, 404, 422), (name, text, answer.text)
                assert dangers_of(answer.text) == [], (name, text)
