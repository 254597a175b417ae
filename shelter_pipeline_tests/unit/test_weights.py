"""The weights file: what an analyst writes is taken as written, or refused entry by entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.priorities.weights import SIGNALS, load_weights

GOOD = """
[weights]
popularity = 1
scarcity = 3.0
[threatened_organizations]
epa-gov = 0.8
[vocabulary]
"sea level" = 1
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "weights.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_shares_add_up_to_one_and_keep_their_proportions(tmp_path: Path) -> None:
    weights = load_weights(written(tmp_path, GOOD))

    assert weights.shares == {**dict.fromkeys(SIGNALS, 0.0), "popularity": 0.25, "scarcity": 0.75}
    assert weights.threatened_organizations == {"epa-gov": 0.8}
    assert weights.vocabulary == {"sea level": 1.0}


def test_the_bundled_weights_can_be_used_and_weigh_every_signal() -> None:
    weights = load_weights()

    assert sum(weights.shares.values()) == pytest.approx(1)
    assert all(weights.shares[signal] > 0 for signal in SIGNALS)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[weights]\npopularity = -1", "[weights] popularity = -1"),
        ("[weights]\npopularity = 1001", "[weights] popularity = 1001"),
        ("[weights]\npopularity = 'much'", "[weights] popularity = 'much'"),
        ("[weights]\npopularity = true", "[weights] popularity = True"),
        ("[weights]\npopularity = nan", "[weights] popularity = nan"),
        ("[weights]\npopularity = inf", "[weights] popularity = inf"),
        ("[weights]\npopularity = [1]", "[weights] popularity = [1]"),
        ("[weights]\npopularity = 1\nfame = 2", "[weights] fame is not a signal"),
        ("[weights]\npopularity = 0", "gives no signal any weight"),
        ("", "gives no signal any weight"),
        ("weights = 3", "[weights] is not a table"),
        (GOOD + "'rising seas' = 2", "[vocabulary] rising seas = 2"),
        (GOOD + "'' = 1", "[vocabulary] ''"),
        (GOOD + "'  ' = 1", "[vocabulary] '  '"),
        (GOOD + '"a\\u0000b" = 1', "[vocabulary] 'a\\x00b'"),
        (GOOD + "[vocabluary]\nclimate = 1", "[vocabluary] is not a section"),
        (GOOD.replace("0.8", "8"), "[threatened_organizations] epa-gov = 8"),
    ],
)
def test_a_bad_entry_is_named_with_its_file(tmp_path: Path, text: str, named: str) -> None:
    path = written(tmp_path, text)

    with pytest.raises(SetupError) as refused:
        load_weights(path)

    assert named in str(refused.value)
    assert str(path) in str(refused.value)


def test_all_bad_entries_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as refused:
        load_weights(written(tmp_path, "[weights]\nfame = 1\nthreat = -2\n[vocabulary]\nice = 3"))

    assert all(name in str(refused.value) for name in ("fame", "threat = -2", "ice = 3"))


def test_a_file_that_is_no_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"weights\.toml cannot be read: .*line 2"):
        load_weights(written(tmp_path, "[weights]\npopularity = = 1"))


@pytest.mark.parametrize("spoil", ["missing", "folder", "bytes"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / spoil
    if spoil == "folder":
        path.mkdir()
    if spoil == "bytes":
        path.write_bytes(b"\xff\xfe[weights]")

    with pytest.raises(SetupError, match=f"{spoil} cannot be read"):
        load_weights(path)
