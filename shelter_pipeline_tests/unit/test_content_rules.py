"""The content rules over true files and bad replies, sizes, earlier versions, and a file of an operator's own."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.verdicts import REASONS, Verdict
from shelter_pipeline.fetching.content import HEAD_BYTES, TAIL_BYTES, ContentRules, Finding
from shelter_pipeline.fetching.content_table import content_rules
from shelter_pipeline.fetching.signs import Signs
from shelter_pipeline.fetching.sizes import size_contradicts
from shelter_pipeline_tests.support.content_samples import BAD, GOOD, TABLE, Sample, parquet, zipped
from shelter_pipeline_tests.support.content_tables import DOCUMENT, tables

RULES = content_rules()
CSV = RULES.promised_kinds("http://h/a.csv")


def arrival_of(sample: Sample, rules: ContentRules = RULES, *, tail: bool = True) -> Signs:
    promised = rules.promised_kinds(
        sample.url, format=sample.format, media_type=sample.media_type, served_as=sample.served_as
    )
    end = sample.data[-TAIL_BYTES:] if tail else None
    return Signs(sample.data[:HEAD_BYTES], (len(sample.data),), promised, tail=end)


def found(arrival: Signs, rules: ContentRules = RULES) -> list[str]:
    return [finding.rule for finding in rules.findings(arrival)]


def amounts(*sizes: int, catalogue: int | None = None, held: int | None = None) -> list[str]:
    return found(Signs(TABLE, sizes, CSV, catalogue_size=catalogue, held_size=held))


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.name)
def test_a_true_file_is_never_spoken_against(sample: Sample) -> None:
    assert RULES.findings(arrival_of(sample)) == ()


@pytest.mark.parametrize("sample", BAD, ids=lambda sample: sample.name)
def test_a_bad_reply_is_named_by_its_reason(sample: Sample) -> None:
    (finding,) = RULES.findings(arrival_of(sample))

    assert finding.reason == sample.reason
    assert "{" not in finding.detail


def test_the_samples_are_as_many_as_the_figures_ask_for() -> None:
    assert len({sample.data + sample.url.encode() for sample in GOOD}) >= 50
    assert len({sample.data + sample.url.encode() for sample in BAD}) >= 12


@pytest.mark.parametrize(
    "sample", [sample for sample in BAD if sample.reason == "incomplete"], ids=lambda sample: sample.name
)
def test_an_end_that_is_not_known_is_not_missed(sample: Sample) -> None:
    assert RULES.findings(arrival_of(sample, tail=False)) == ()


def test_a_tail_that_is_too_short_to_hold_the_end_says_nothing() -> None:
    data = zipped(data=bytes(range(256)) * 2000)
    promised = RULES.promised_kinds("http://h/a.zip")

    assert RULES.findings(Signs(data, (10**9,), promised, tail=data[-50_000:-100])) == ()


@given(cut=st.integers(0, len(parquet()) - 1))
def test_every_cut_of_parquet_is_noticed(cut: int) -> None:
    data = parquet()[:cut]

    arrival = Signs(data, (len(data),), RULES.promised_kinds("http://h/a.parquet"), tail=data)

    # The magic of the beginning is that of the end: four bytes alone cannot be told from a whole file.
    expected = {0: ["empty"], 1: ["wrong-type"], 2: ["wrong-type"], 3: ["wrong-type"], 4: []}
    assert [finding.reason for finding in RULES.findings(arrival)] == expected.get(cut, ["incomplete"])


@pytest.mark.parametrize("catalogue", [0, None])
def test_no_bytes_are_a_file_only_where_the_catalogue_says_zero(catalogue: int | None) -> None:
    assert found(Signs(b"", (0,), CSV, catalogue_size=catalogue)) == ([] if catalogue == 0 else ["empty"])


@pytest.mark.parametrize(
    ("promised", "actual"),
    [
        (17, 17),
        (1_200_000, 1_234_567),  # 1.2 MB
        (1_200_000, 1_258_291),  # 1.2 MB, and MiB was meant
        (1_258_291, 1_234_567),  # 1.2 MiB
        (1_258_291, 1_200_000),
        (1_258_291, 1_301_000),
        (12_000, 12_345),  # 12 kB
        (12_288, 12_345),  # 12 KiB
        (1536, 1_550),  # 1.5K, as Apache lists it
        (5 * 10**9, 5_368_709_120),  # 5 GB for 5 GiB
        (3_221_225_472, 3_100_000_000),
        (0, 5_000),  # CKAN's zero
    ],
)
def test_a_size_matches_within_the_rounding_of_whoever_wrote_it(promised: int, actual: int) -> None:
    assert not size_contradicts(promised, actual)


@pytest.mark.parametrize(
    ("promised", "actual"),
    [
        (17, 18),
        (5, 19),
        (1000, 1001),
        (9_999, 10_000),
        (5_000, 5_001),
        (1_234_567, 1_234_568),
        (1_234_567, 1_230_000),
        (1_200_000, 1_100_000 - 1),
        (1_200_000, 1_400_000),
        (12_288, 14_000),
        (5 * 10**9, 2**20),
        (1_200_000, 0),
        (10**12, 10**12 // 3),
    ],
)
def test_a_size_that_no_rounding_explains_contradicts(promised: int, actual: int) -> None:
    assert size_contradicts(promised, actual)


@given(size=st.integers(0, 2**45))
def test_every_size_agrees_with_itself_and_no_size_with_double_or_half(size: int) -> None:
    assert not size_contradicts(size, size)
    if size > 10**8:
        assert size_contradicts(size, size * 3)
        assert size_contradicts(size, size // 3)


@given(size=st.integers(10_000, 2**45), base=st.sampled_from([1000, 1024]))
def test_a_size_written_with_one_decimal_agrees_with_the_file(size: int, base: int) -> None:
    power = max(power for power in (1, 2, 3, 4) if base**power <= size)
    shown = float(f"{size / base**power:.1f}")

    assert not size_contradicts(int(shown * base**power), size)
    assert not size_contradicts(round(shown * base**power), size)


def test_the_size_on_the_wire_or_the_unfolded_one_may_be_the_catalogues() -> None:
    assert amounts(5_001, 20_002, catalogue=20_002) == []
    assert amounts(5_001, 20_002, catalogue=5_001) == []
    assert amounts(5_001, 20_002, catalogue=7_777) == ["size-mismatch"]


@pytest.mark.parametrize(
    ("size", "held", "rules"),
    [
        (300, 5_000_000, ["shrunk"]),
        (999, 100_000, ["shrunk"]),
        (1000, 100_000, []),
        (60_000, 5_000_000, []),
        (300, 99_999, []),
        (300, None, []),
        (6_000_000, 5_000_000, []),
    ],
)
def test_next_to_nothing_of_a_file_that_we_hold_is_suspect(
    size: int, held: int | None, rules: list[str]
) -> None:
    assert amounts(size, held=held) == rules


def test_each_question_is_answered_on_its_own() -> None:
    page = Signs(b"<html>", (6,), CSV, catalogue_size=3_333, held_size=10**6)

    assert [(finding.rule, finding.reason) for finding in RULES.findings(page)] == [
        ("web-page", "html-instead"),
        ("shrunk", "shrunk"),
    ]


def test_a_finding_says_what_came_and_what_was_promised() -> None:
    promised = RULES.promised_kinds("http://h/a.zip", format="CSV, ZIP")
    arrival = Signs(b"%PDF-1.7", (8,), promised)

    assert RULES.findings(arrival) == (
        Finding(
            "wrong-type", "a document or picture arrived where text, zip was promised", "document-instead"
        ),
    )


@pytest.mark.parametrize(
    "piece",
    [
        b"<input ",
        b"<title>",
        b"<!--",
        b'{"status" ',
        b"<h1",
        b"  ",
        b'{"a"',
        b"not ",
        b"\x00a\x00",
        b"/oauth2/",
    ],
)
def test_no_reply_keeps_the_rules_busy(piece: bytes) -> None:
    head = (b"<html>" + piece * HEAD_BYTES)[:HEAD_BYTES]
    began = time.perf_counter()

    for data in (head, head[6:]):
        RULES.findings(Signs(data, (300,), RULES.promised_kinds("http://h/a.json", format="CSV")))

    assert time.perf_counter() - began < 1


@given(head=st.binary(max_size=300), url=st.sampled_from(sorted(RULES.kinds)))
def test_any_bytes_are_judged_without_an_error(head: bytes, url: str) -> None:
    promised = RULES.promised_kinds(f"http://h/a.{url}")

    for finding in RULES.findings(Signs(head, (len(head),), promised, tail=head)):
        assert REASONS[finding.reason].verdict in (Verdict.SUSPECT, Verdict.DAMAGED, Verdict.TRANSIENT)


def test_a_rule_is_switched_off_by_its_name(tmp_path: Path) -> None:
    rules = content_rules(written(tmp_path, 'switched_off = ["size-mismatch", "shrunk"]'))

    assert found(Signs(TABLE, (300,), CSV, catalogue_size=5, held_size=10**9), rules) == []
    assert len(rules.rules) == len(RULES.rules) - 2


def test_a_kind_a_sign_and_a_rule_are_added(tmp_path: Path) -> None:
    added = """
        [kind.text]
        names = "mytable"
        [kind.las]
        names = "borehole"
        family = "text"
        signatures = []
        [sign.under-construction]
        in = "titles"
        pattern = 'under\\ construction'
        [[rule]]
        name = "under-construction"
        question = "content"
        all = ["page", "under-construction"]
        reason = "processing"
        says = "under construction"
    """
    rules = content_rules(written(tmp_path, added))
    page = b"<html><title>Under construction</title>"

    assert [kind.name for kind in rules.promised_kinds("http://h/a.mytable", format="csv")] == ["text"]
    assert rules.kinds["borehole"].family == "text"
    assert found(Signs(page, (99,), rules.promised_kinds("http://h/a.mytable")), rules) == [
        "under-construction"
    ]


def test_a_rule_of_a_known_name_is_replaced_where_it_stands(tmp_path: Path) -> None:
    stricter = """
        [[rule]]
        name = "shrunk"
        question = "amount"
        held_min_bytes = 10
        below_percent_of_held = 50
        reason = "shrunk"
        says = "less than half"
    """
    rules = content_rules(written(tmp_path, stricter))

    assert [rule.name for rule in rules.rules] == [rule.name for rule in RULES.rules]
    assert found(Signs(TABLE, (40,), CSV, held_size=100), rules) == ["shrunk"]


RULE = '[[rule]]\nname = "mine"\nquestion = "content"\nreason = "wrong-type"\nsays = "x"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("switched_off = ['sise-mismatch']", "switched_off: 'sise-mismatch' is not a rule"),
        ("switched_off = 'shrunk'", "switched_off is not a list"),
        ("[rules]\na = 1", "rules is not a section"),
        ("kind = 3", "[kind] is not a table"),
        ("rule = 3", "write [[rule]]"),
        ("[kind.a]\nfamily = 'picture'", "[kind.a]: Invalid enum value 'picture' - at `family`"),
        ("[kind.a]\nnames = 'b'", "[kind.a]: it has a family or signatures"),
        ("[kind.a]\nsignatures = ['none']", "[kind.a]: none is not a signature"),
        ("[signature.a]\nstarts = ['xyz']", "[signature.a]: Expected `str` matching"),
        ("[signature.a]\nstarts = []", "[signature.a]: Expected `array` of length >= 1"),
        ("[sign.a]\npattern = '('", "[sign.a] pattern: missing )"),
        ("[sign.a]\nin = 'text'", "[sign.a]: it has a pattern or signatures"),
        ("[sign.binary]\npattern = 'a'", "the sign binary is computed"),
        (RULE + "max_byte = 3", "rule mine: Object contains unknown field `max_byte`"),
        (RULE + "max_bytes = 'few'", "rule mine: Expected `int | null`, got `str` - at `max_bytes`"),
        (RULE + "any = ['pages']", "rule mine: 'pages' is not a sign"),
        (RULE.replace("wrong-type", "stored"), "rule mine: reason = 'stored' is not one that speaks"),
        (RULE.replace("wrong-type", "bad"), "rule mine: reason = 'bad' is not one that speaks"),
        (RULE.replace('"x"', '"{wish}"'), "rule mine: says: {wish} stands for nothing"),
        (RULE.replace('"x"', '"{"'), "rule mine: says: "),
        ("[[rule]]\nname = 'a'", "rule a: Object missing required field `question`"),
        ("=", "cannot be read"),
    ],
)
def test_a_mistake_is_named_with_its_file_rule_and_key(tmp_path: Path, text: str, complaint: str) -> None:
    path = written(tmp_path, text)

    with pytest.raises(SetupError, match=re.escape(str(path))) as refused:
        content_rules(path)

    assert complaint in str(refused.value)
    assert refused.value.reason == "bad-setting"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        content_rules(tmp_path / "none.toml")


@pytest.mark.parametrize("heading", tables(RULES))
def test_the_tables_are_documented_as_they_are(heading: str) -> None:
    assert tables(RULES)[heading] in DOCUMENT.read_text(encoding="utf-8")


def test_every_part_of_the_table_is_used() -> None:
    used = {sign for rule in RULES.rules for sign in (*rule.all, *rule.any)} | {"json-start", "packed"}

    assert set(RULES.signs) <= used
    assert len({rule.name for rule in RULES.rules}) == len(RULES.rules)


def test_sizes_that_are_known_exactly_are_compared_exactly() -> None:
    arrival = Signs(TABLE, (len(TABLE),), CSV, catalogue_size=len(TABLE))

    assert found(arrival) == []
    assert found(replace(arrival, catalogue_size=len(TABLE) + 1)) == ["size-mismatch"]
