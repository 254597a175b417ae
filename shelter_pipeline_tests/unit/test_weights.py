"""The weights and vocabulary files: what an analyst writes is taken as written, or refused with its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.priorities.weights import (
    EQUAL_STEPS,
    LEVELS,
    SIGNALS,
    Risk,
    load_vocabulary,
    load_weights,
)

GOOD = """\
vocabulary = "words.toml"
[weights]
popularity = 1
scarcity = 3.0
[levels]
2 = 0.1
3 = 0.2
4 = 0.3
5 = 0.4
6 = 0.5
7 = 0.6
8 = 0.7
9 = 0.8
10 = 0.95
[threat.organizations]
epa-gov = 0.8
noaa-gov = { risk = 0.5, deadline = 2026-12-31 }
[threat.topics]
"sea ice" = 0.4
[threat.hosts]
"data.example.gov" = 0.3
"""
WORDS = """\
[words]
"sea level" = 1
[themes]
climate = 0.5
[organizations]
noaa-gov = 0.25
"""


def written(folder: Path, text: str, words: str = WORDS) -> Path:
    (folder / "words.toml").write_text(words)
    path = folder / "weights.toml"
    path.write_text(text)
    return path


def test_weights_become_shares_of_one_and_everything_else_is_as_written(tmp_path: Path) -> None:
    weights = load_weights(written(tmp_path, GOOD))

    assert weights.shares == {**dict.fromkeys(SIGNALS, 0.0), "popularity": 0.25, "scarcity": 0.75}
    assert weights.steps == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.95)
    assert weights.organizations == {"epa-gov": Risk(0.8), "noaa-gov": Risk(0.5, date(2026, 12, 31))}
    assert weights.topics == {"sea ice": Risk(0.4)}
    assert weights.hosts == {"data.example.gov": Risk(0.3)}
    assert weights.vocabulary.words == {"sea level": 1.0}
    assert weights.vocabulary.themes == {"climate": 0.5}
    assert weights.vocabulary.organizations == {"noaa-gov": 0.25}


def test_without_levels_steps_are_equal_and_without_a_vocabulary_it_is_the_bundled(tmp_path: Path) -> None:
    weights = load_weights(written(tmp_path, "[weights]\nthreat = 1"))

    assert weights.steps == EQUAL_STEPS
    assert weights.vocabulary == load_vocabulary()


def test_the_bundled_weights_can_be_used_and_weigh_every_signal() -> None:
    weights = load_weights()

    assert sum(weights.shares.values()) == pytest.approx(1)
    assert all(weights.shares[signal] > 0 for signal in SIGNALS)
    assert weights.organizations
    assert weights.vocabulary.words


def test_levels_share_the_scores_without_gaps() -> None:
    weights = load_weights()

    assert weights.floor(1) == 0
    assert weights.ceiling(10) == 1
    for level in LEVELS[:-1]:
        assert weights.floor(level + 1) - weights.ceiling(level) == pytest.approx(1e-6)


@pytest.mark.parametrize(
    ("day", "risk"),
    [
        (date(2026, 1, 1), 0.5),  # a year before
        (date(2026, 10, 1), 0.75),  # half of the half year has gone
        (date(2026, 12, 31), 1.0),
        (date(2027, 1, 1), 0.5),  # it has come and gone
    ],
)
def test_a_risk_grows_to_one_in_the_half_year_before_its_deadline(day: date, risk: float) -> None:
    assert Risk(0.5, date(2026, 12, 31)).on(day) == risk


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[weights]\npopularity = -1", "line 2: [weights] popularity = -1"),
        ("[weights]\npopularity = 1001", "line 2: [weights] popularity = 1001"),
        ("[weights]\npopularity = 'much'", "line 2: [weights] popularity = 'much'"),
        ("[weights]\npopularity = true", "line 2: [weights] popularity = True"),
        ("[weights]\npopularity = nan", "line 2: [weights] popularity = nan"),
        ("[weights]\npopularity = inf", "line 2: [weights] popularity = inf"),
        ("[weights]\npopularity = [1]", "line 2: [weights] popularity = [1]"),
        ("[weights]\npopularity = 1\n\nfame = 2", "line 4: [weights] fame is not a signal"),
        ("[weights]\npopularity = 0", "line 1: [weights] gives no signal any weight"),
        ("", "gives no signal any weight"),
        ("weights = 3", "[weights] is not a table"),
        ("[weights]\nthreat = 1\n[vocabulery]\nice = 1", "line 3: [vocabulery] is not known here"),
        ("vocabulary = 3\n[weights]\nthreat = 1", "line 1: [vocabulary] is not the name of a file"),
        ("[weights]\nthreat = 1\n[threat.people]\nx = 1", "line 3: [threat] people is not known"),
        ("[weights]\nthreat = 1\n[threat.hosts]\nx = 2", "line 4: [threat.hosts] x = 2"),
        (
            "[weights]\nthreat = 1\n[threat.hosts]\nx = { risk = 1, until = 3 }",
            "[threat.hosts] x has 'until'",
        ),
        (
            "[weights]\nthreat = 1\n[threat.hosts]\nx = { risk = 1, deadline = 'soon' }",
            "line 4: [threat.hosts] x deadline = 'soon' is not a date",
        ),
        ("[weights]\nthreat = 1\n[threat.topics]\n'--' = 1", "line 4: [threat.topics] -- is not a word"),
        ("[weights]\nthreat = 1\n[levels]\n11 = 0.5", "line 4: [levels] 11 is not a level"),
        ("[weights]\nthreat = 1\n[levels]\n2 = 0.5", "[levels] 3 is missing"),
        (GOOD.replace("3 = 0.2", "3 = 0.1"), "line 7: [levels] 3 = 0.1 is not above the level before it"),
        (GOOD.replace("2 = 0.1\n", "2 = 0\n"), "[levels] 2 = 0 leaves nothing to level 1"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = written(tmp_path, text)

    with pytest.raises(SetupError) as refused:
        load_weights(path)

    assert complaint in str(refused.value)
    assert str(path) in str(refused.value)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"fame.*threat = -2"):
        load_weights(written(tmp_path, "[weights]\nfame = 1\nthreat = -2"))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("[words]\nice = 3", "line 2: [words] ice = 3"),
        ('[words]\n" " = 1', "line 2: [words]   is not a word to look for"),
        ("[word]\nice = 1", "line 1: [word] is not known here"),
        ("ice = ", "cannot be read"),
    ],
)
def test_a_vocabulary_that_cannot_be_used_is_refused_by_its_own_name(
    tmp_path: Path, words: str, complaint: str
) -> None:
    with pytest.raises(SetupError) as refused:
        load_weights(written(tmp_path, GOOD, words))

    assert complaint in str(refused.value)
    assert "words.toml" in str(refused.value)


def test_what_is_no_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"weights\.toml cannot be read: .*line 2"):
        load_weights(written(tmp_path, "[weights]\npopularity = = 1"))


@pytest.mark.parametrize("kind", ["missing", "binary", "folder"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "weights.toml"
    if kind == "binary":
        path.write_bytes(b"\xff\xfe[weights]")
    elif kind == "folder":
        path.mkdir()

    with pytest.raises(SetupError, match=r"weights\.toml cannot be read"):
        load_weights(path)
