"""The tables of classification and a file of an operator's laid over them: what it may change, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelter_pipeline.discovery.asset_kinds import bundled_kinds
from shelter_pipeline.discovery.classification_table import ClassificationRules, classification_rules
from shelter_pipeline.discovery.classify import Kind, classify, extension_of
from shelter_pipeline.discovery.expressions import LONGEST_EXPRESSION, MOST_REPETITIONS, expression_problem
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.urls import MAX_URL_LENGTH
from shelter_pipeline_tests.support.classification_tables import DOCUMENT, tables
from shelter_pipeline_tests.support.ends_soon import ends_soon

RULES = classification_rules()
SITE = "https://data.example.gov"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return path


def laid_over(tmp_path: Path, text: str) -> ClassificationRules:
    return classification_rules(written(tmp_path, text))


def complaint(tmp_path: Path, text: str) -> str:
    with pytest.raises(SetupError) as refused:
        laid_over(tmp_path, text)
    assert refused.value.reason == "bad-setting"
    assert "rules.toml" in str(refused.value)
    return str(refused.value)


def test_a_kind_is_added_with_all_that_it_is_known_by(tmp_path: Path) -> None:
    rules = laid_over(
        tmp_path,
        """
        [kind.rdb]
        label = "USGS tables"
        family = "table"
        extensions = "rdb RDBX"
        media_types = "text/x-rdb"
        names = ["USGS RDB"]
        """,
    )

    for url, name, media_type in (
        (f"{SITE}/a.rdb", None, None),
        (f"{SITE}/a.RdbX", None, None),
        (f"{SITE}/a", "usgs rdb", None),
        (f"{SITE}/a", "rdb", None),
        (f"{SITE}/a", None, "text/x-rdb; charset=utf-8"),
    ):
        assert classify(url, format=name, media_type=media_type, rules=rules).asset_kind == "rdb"
        assert classify(url, format=name, media_type=media_type).asset_kind is None
    assert [kind.label for kind in rules.kinds if kind.slug == "rdb"] == ["USGS tables"]
    assert len(rules.kinds.rows) == len(RULES.kinds.rows) + 1


def test_words_are_added_to_a_kind_and_its_label_and_family_replaced(tmp_path: Path) -> None:
    rules = laid_over(tmp_path, '[kind.csv]\nlabel = "Table"\nfamily = "archive"\nextensions = "csvx"')

    assert classify(f"{SITE}/a.csvx", rules=rules).kind is Kind.ARCHIVE
    assert classify(f"{SITE}/a.csv", rules=rules).kind is Kind.ARCHIVE
    csv = rules.kinds.named("csv")
    assert csv is not None
    assert csv.label == "Table"
    assert "text/csv" in csv.media_types


def test_an_extension_a_media_type_and_a_name_move_to_who_claims_them(tmp_path: Path) -> None:
    moved = '[kind.text]\nextensions = "dat"\nmedia_types = "application/json"\nnames = ["Excel"]'
    rules = laid_over(tmp_path, moved)

    assert classify(f"{SITE}/a.dat", rules=rules).asset_kind == "text"
    assert classify(f"{SITE}/a.bin", rules=rules).asset_kind == "binary"
    assert classify(SITE + "/a", media_type="application/json", rules=rules).asset_kind == "text"
    assert classify(SITE + "/a", format="excel", rules=rules).asset_kind == "text"
    for column in ("extensions", "media_types", "formats"):
        words = [word for kind in rules.kinds for word in getattr(kind, column)]
        assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("place", "url", "kind"),
    [
        (
            'kind = "repository"\nhosts = "data.example.gov"',
            "https://sub.data.example.gov/a",
            Kind.REPOSITORY,
        ),
        (
            'kind = "login-wall"\nhosts = "x.gov"\npath = "^/members/"',
            "https://x.gov/members/a.csv",
            Kind.LOGIN_WALL,
        ),
        ('kind = "service"\nsegments = "querytool"', "https://x.gov/QueryTool/a.csv", Kind.SERVICE),
        ('kind = "code"\nhosts = "forge.*"', "https://forge.example.gov/a", Kind.CODE),
        ('kind = "web-page"\nextensions = "page"', "https://x.gov/a.page", Kind.WEB_PAGE),
        ('kind = "directory"\nparameters = "dir"', "https://x.gov/list?dir=a", Kind.DIRECTORY),
        ('kind = "file"\nsegments = "get"\nformat = "zip"', "https://x.gov/get/7", Kind.ARCHIVE),
        ('kind = "web-page"\nhosts = "github.com"', "https://github.com/a/b", Kind.WEB_PAGE),
    ],
)
def test_a_place_of_an_operators_decides_before_ours(
    tmp_path: Path, place: str, url: str, kind: Kind
) -> None:
    rules = laid_over(tmp_path, f'[[place]]\nrule = "ours"\n{place}')

    verdict = classify(url, rules=rules)

    assert (verdict.kind, verdict.rule) == (kind, "ours")
    assert classify(url).rule != "ours"


def test_all_conditions_of_a_place_must_hold(tmp_path: Path) -> None:
    rules = laid_over(
        tmp_path,
        """
        [[place]]
        rule = "ours"
        kind = "service"
        hosts = "x.gov"
        segments = "q"
        parameters = "id"
        extensions = "do"
        path = '^/q/[0-9]+'
        query = 'id=(?:a|b)'
        """,
    )

    assert classify("https://x.gov/q/7.do?id=a", rules=rules).rule == "ours"
    for other in ("https://y.gov/q/7.do?id=a", "https://x.gov/r/7.do?id=a", "https://x.gov/q/7.do?ide=a"):
        assert classify(other, rules=rules).rule != "ours"
    for other in ("https://x.gov/q/7.to?id=a", "https://x.gov/q/a.do?id=a", "https://x.gov/q/7.do?id=c"):
        assert classify(other, rules=rules).rule != "ours"


@pytest.mark.parametrize(
    ("unless", "alone", "file", "declared"), [("", 1, 1, 1), ("file", 1, 0, 1), ("declared", 1, 0, 0)]
)
def test_a_place_yields_to_what_it_says_that_it_yields_to(
    tmp_path: Path, unless: str, alone: int, file: int, declared: int
) -> None:
    place = f'[[place]]\nrule = "ours"\nkind = "service"\nhosts = "x.gov"\nunless = "{unless}"'
    rules = laid_over(tmp_path, place)

    assert (classify("https://x.gov/a", rules=rules).rule == "ours") == bool(alone)
    assert (classify("https://x.gov/a.csv", rules=rules).rule == "ours") == bool(file)
    assert (classify("https://x.gov/a", format="CSV", rules=rules).rule == "ours") == bool(declared)


def test_a_rule_is_switched_off_by_its_name(tmp_path: Path) -> None:
    rules = laid_over(tmp_path, 'switched_off = ["login-page"]')

    assert classify("https://x.gov/login").kind is Kind.LOGIN_WALL
    assert classify("https://x.gov/login", rules=rules).kind is Kind.WEB_PAGE


def test_a_declared_service_is_added(tmp_path: Path) -> None:
    rules = laid_over(
        tmp_path, '[service.tables]\nnames = ["Table Builder"]\nmedia_types = "application/x-tb"'
    )

    assert classify(f"{SITE}/a", format="table builder", rules=rules).rule == "declared-tables"
    assert classify(f"{SITE}/a", media_type="application/x-tb", rules=rules).kind is Kind.SERVICE
    assert classify(f"{SITE}/a", format="WMS", rules=rules).rule == "declared-wms"


def test_extensions_of_pages_are_added_and_moved(tmp_path: Path) -> None:
    rules = laid_over(tmp_path, '[pages]\nalways = "jnlp"\nunless_declared = "htm"')

    assert classify(f"{SITE}/a.jnlp", format="CSV", rules=rules).kind is Kind.WEB_PAGE
    assert classify(f"{SITE}/a.htm", format="CSV", rules=rules).kind is Kind.FILE
    assert classify(f"{SITE}/a.htm", rules=rules).kind is Kind.WEB_PAGE
    assert extension_of("/a.jnlp", rules=rules) is None
    assert extension_of("/a.jnlp") == "jnlp"


PLACE = '[[place]]\nrule = "ours"\nkind = "service"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[kinds]\na = 1", "kinds is not a section"),
        ("kind = 3", "[kind] is not a table"),
        ("place = 3", "write [[place]]"),
        ("[place.a]\nrule = 'a'", "write [[place]]"),
        ("switched_off = 'doi'", "switched_off is not a list"),
        ("switched_off = ['dio']", "'dio' is not a rule"),
        ("[kind.new]\nextensions = 'new'", "[kind.new]: a new kind has a label and a family"),
        ("[kind.csv]\nfamily = 'tables'", "[kind.csv]: Invalid enum value 'tables' - at `family`"),
        ("[kind.csv]\nextension = 'a'", "[kind.csv]: Object contains unknown field `extension`"),
        ("[kind.csv]\nextensions = '.a'", "[kind.csv] extensions: '.a' is none"),
        ("[kind.csv]\nmedia_types = 'csv'", "[kind.csv] media_types: 'csv' is none"),
        ("[kind.csv]\nnames = 'a'", "[kind.csv]: Expected `array`, got `str` - at `names`"),
        ("[kind.csv]\nnames = ['']", "[kind.csv] names: a name is empty"),
        ("[kind.'A b']\nlabel = 'a'\nfamily = 'geo'", "[kind.A b]: a name has small letters"),
        ("[kind.csv]\nextensions = 'a1'\n[kind.tsv]\nextensions = 'A1'", "csv and tsv both claim 'a1'"),
        ("[service.a]\nnames = ['x']\n[service.b]\nnames = ['x']", "a and b both claim 'x'"),
        ("[pages]\nnever = 'a'", "[pages]: Object contains unknown field `never`"),
        ("[[place]]\nkind = 'service'\nhosts = 'a'", "place 1: Object missing required field `rule`"),
        (PLACE, "place 1 (ours): it needs one of hosts, segments, parameters, extensions"),
        (PLACE + "hosts = 'a.gov'\n" + PLACE + "host = 'a'", "place 2 (ours): Object contains unknown field"),
        (PLACE + "hosts = 'https://a.gov/'", "place 1 (ours) hosts: 'https://a.gov/' is none"),
        (PLACE + "hosts = 'a.gov'\npath = '('", "place 1 (ours) path: missing )"),
        (PLACE + "hosts = 'a.gov'\nquery = '(a+)+b'", "place 1 (ours) query: a group is repeated"),
        (PLACE + "hosts = 'a.gov'\nunless = 'never'", "Invalid enum value 'never' - at `unless`"),
        (PLACE + "hosts = 'a.gov'\nformat = 'csv'", "place 1 (ours) format: only a file has one"),
        (
            PLACE + "hosts = 'a.gov'\nfragment = 'a=b'",
            "place 1 (ours) fragment: 'a=b' is the name of no parameter",
        ),
        (
            '[[place]]\nrule = "a"\nkind = "file"\nhosts = "a.gov"\nformat = "csw7"',
            "format: 'csw7' is the name of no",
        ),
        (
            '[[place]]\nrule = "a"\nkind = "invalid"\nhosts = "a.gov"',
            "Invalid enum value 'invalid' - at `kind`",
        ),
        ('[[place]]\nrule = "A rule"\nkind = "file"\nhosts = "a.gov"', "matching regex"),
        ("[kind.csv\n", "cannot be read"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_the_row_and_the_key(
    tmp_path: Path, text: str, said: str
) -> None:
    assert said in complaint(tmp_path, text)


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    told = complaint(tmp_path, f"switched_off = ['dio']\n[kind.csv]\nfamily = 'x'\n{PLACE}")

    assert told.count(";") >= 2
    assert "dio" in told
    assert "family" in told
    assert "hosts" in told


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"nowhere\.toml cannot be read"):
        classification_rules(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    "text",
    [
        *("(a+)+", "(a|a)*", "(?:a){2,}", "([a-z]+[0-9])+x", "(a", "*a"),
        *("a" * (LONGEST_EXPRESSION + 1), "a*" * (MOST_REPETITIONS + 1)),
    ],
)
def test_an_expression_that_could_keep_us_busy_or_is_none_is_refused(text: str) -> None:
    assert expression_problem(text)


@pytest.mark.parametrize(
    "text", [r"/a(?:b|c)?\Z", r"[)]+x", r"\)+", r"(?P<format>[a-z]{3,7})\Z", "a{2,3}", ""]
)
def test_an_expression_that_repeats_characters_only_is_taken(text: str) -> None:
    assert expression_problem(text) == ""


@pytest.mark.parametrize(
    "piece", ["/", "a", "a/", "aa.", "%7B", "1", "-", "0" * 36 + "/", "a.gz/", "::a", "_1"]
)
def test_no_url_keeps_the_bundled_expressions_busy(piece: str) -> None:
    with ends_soon():
        for row in RULES.places.rows:
            host = min(row.hosts, default="x.gov").replace("*", "gov")
            word = min(row.segments | row.parameters, default="a")
            for path in (f"/{word}/", f"/api/{word}/", f"/dataset/a/{word}/"):
                url = (
                    f"https://{host}{path}{piece * MAX_URL_LENGTH}"[: MAX_URL_LENGTH - 100]
                    + f"?{word}={word}"
                )
                classify(url)


def test_the_functions_of_the_kinds_answer_from_the_same_table() -> None:
    assert bundled_kinds().rows == RULES.kinds.rows


@pytest.mark.parametrize("heading", tables(RULES))
def test_the_tables_are_documented_as_they_are(heading: str) -> None:
    document = DOCUMENT.read_text(encoding="utf-8")

    below = document.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]

    assert tables(RULES)[heading] in below


def test_the_file_that_the_document_shows_is_a_good_one(tmp_path: Path) -> None:
    shown = DOCUMENT.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]

    rules = laid_over(tmp_path, shown)

    assert len(rules.places.rows) > len(RULES.places.rows) - 5
    assert rules.kinds.rows != RULES.kinds.rows


def test_a_place_may_say_which_parameter_its_fragment_stands_for(tmp_path: Path) -> None:
    rules = laid_over(tmp_path, PLACE + 'hosts = "a.gov"\nfragment = "at"')

    shown = classify("https://a.gov/browse?x=1#/b/c%20d/", rules=rules)

    assert shown.url == "https://a.gov/browse?x=1&at=b%2Fc%20d%2F"
    assert classify("https://a.gov/browse", rules=rules).url == "https://a.gov/browse"
