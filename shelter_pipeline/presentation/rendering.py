"""Templates into HTML: everything escaped, nothing undefined, the same words and bars on every page."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from shelter_pipeline.domain import verdict_words
from shelter_pipeline.presentation import words
from shelter_pipeline.presentation.statics import static_url
from shelter_pipeline.release import RELEASE

_FILTERS = (
    verdict_words.harvest_words,
    verdict_words.in_words,
    verdict_words.verdict_words,
    words.brief,
    words.iso,
    words.moment,
    words.number,
    words.outside,
    words.percent,
    words.pieces,
    words.plain,
    words.quoted,
    words.sentence,
    words.size,
    words.trust_words,
)


def render(template: str, /, **values: Any) -> str:
    """The page of this template, whole. Raises jinja2.UndefinedError for a value that it needs and was not given."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update({function.__name__: function for function in _FILTERS})
    environment.globals.update(static_url=static_url, release=RELEASE)
    return environment
