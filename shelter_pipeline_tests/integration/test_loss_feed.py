"""The feed and the report of losses: what subscribers and programs are told, whatever titles contain."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.losses import record_absences, recover
from shelter_pipeline.commands.losses import losses_app
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.losses import LossRules
from shelter_pipeline.domain.records import OrganizationRecord
from shelter_pipeline.operations.losses import list_losses, loss_summary, losses_report, losses_rss
from shelter_pipeline.operations.watch_links import watch_links
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.captures import captured
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

RULES = LossRules(breaker_fraction=0.1, confirm_harvests=3, confirm_days=14)
NOAA = OrganizationRecord("noaa-gov", "NOAA")


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    """A workplace of which the default portal is the one that the tests harvest."""
    with a_workplace(catalog_url, tmp_path / "store", portal="datagov:https://portal.example") as opened:
        yield opened


def lose(
    catalog: Catalog, title: str, *, organization: OrganizationRecord | None = None, count: int = 1
) -> None:
    """`count` datasets that were listed and are missing from the newest complete harvest, of 400 that are there."""
    portal = a_portal(catalog)
    rest = [a_dataset(f"x{number}", title=f"Air {number}") for number in range(400)]
    named = {} if organization is None else {"organization": organization}
    lost = [a_dataset(f"lost-{title}-{number}", title=title, **named) for number in range(count)]  # type: ignore[arg-type]
    harvested(catalog, portal, [*lost, *rest])
    newest = harvested(catalog, portal, rest)
    record_absences(catalog, portal, newest, rules=RULES, asked={})


def items(rss: str) -> list[dict[str, str | None]]:
    return [{part.tag: part.text for part in item} for item in ET.fromstring(rss).iter("item")]  # noqa: S314


def test_the_feed_announces_a_suspected_loss(workplace: Workplace, catalog: Catalog) -> None:
    lose(catalog, "Rivers")

    rss = losses_rss(workplace)

    assert ET.fromstring(rss).get("version") == "2.0"  # noqa: S314
    (item,) = items(rss)
    assert item["title"] == "Suspected (delisted): Rivers"
    assert item["guid"] == "shelter-loss-1-suspected"
    assert "Held here: 0 of 0 files" in str(item["description"])


@pytest.mark.parametrize(
    "title",
    ["<script>alert('&')</script>", ']]> &amp; "x"', "\u202e\U0001f600 \u65e5\u672c", "tab\tand\nnewline"],
)
def test_any_title_comes_back_from_the_feed_as_it_was(
    workplace: Workplace, catalog: Catalog, title: str
) -> None:
    lose(catalog, title)

    (item,) = items(losses_rss(workplace))

    assert item["title"] == f"Suspected (delisted): {title}"


def test_what_xml_cannot_hold_is_marked_in_the_feed(workplace: Workplace, catalog: Catalog) -> None:
    lose(catalog, "a\x01b\x0bc\x1bd\uffffe")

    (item,) = items(losses_rss(workplace))

    assert str(item["title"]).endswith("a\ufffdb\ufffdc\ufffdd\ufffde")


def test_dates_of_the_feed_are_those_of_rfc_822(workplace: Workplace, catalog: Catalog) -> None:
    lose(catalog, "Rivers")
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE loss SET suspected_at = '2026-03-01T12:30:00+02:00'"))

    (item,) = items(losses_rss(workplace))

    assert item["pubDate"] == "Sun, 01 Mar 2026 10:30:00 +0000"


def test_each_state_that_a_loss_comes_to_is_an_item_of_its_own(
    workplace: Workplace, catalog: Catalog
) -> None:
    lose(catalog, "Rivers")
    (suspected,) = items(losses_rss(workplace))
    portal = a_portal(catalog)
    recover(catalog, portal, harvested(catalog, portal, [a_dataset("lost-Rivers-0", title="Rivers")]))

    (recovered,) = items(losses_rss(workplace))

    assert recovered["guid"] == "shelter-loss-1-recovered" != suspected["guid"]
    age = datetime.now(UTC) - parsedate_to_datetime(str(recovered["pubDate"]))
    assert age.total_seconds() < 3600


def test_an_old_loss_that_was_decided_today_comes_before_younger_ones(
    workplace: Workplace, catalog: Catalog
) -> None:
    lose(catalog, "Rivers", count=3)
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE loss SET suspected_at = suspected_at - interval '20 days'"))
        connection.execute(
            sa.text(
                "UPDATE loss SET state = 'confirmed', decided_at = now() WHERE id = (SELECT min(id) FROM loss)"
            )
        )

    assert items(losses_rss(workplace, limit=1))[0]["title"] == "Confirmed (delisted): Rivers"


def test_what_is_withheld_is_counted_and_not_announced(workplace: Workplace, catalog: Catalog) -> None:
    lose(catalog, "Oceans", organization=NOAA, count=20)

    report = losses_report(workplace)

    assert items(losses_rss(workplace)) == []
    assert items(losses_rss(workplace, states=["withheld"])) == []
    assert report["losses"] == []
    assert report["counts"] == {"withheld": {"delisted": 20}}
    assert [(row["organization"], row["datasets"]) for row in report["withheld"]] == [("noaa-gov", 20)]


def test_the_report_is_json_as_it_stands(workplace: Workplace, catalog: Catalog) -> None:
    lose(catalog, "Rivers")

    report = json.loads(json.dumps(losses_report(workplace)))

    assert datetime.fromisoformat(report["generated_at"]).tzinfo is not None
    assert datetime.fromisoformat(report["losses"][0]["suspected_at"]).tzinfo is not None
    assert report["losses"][0]["title"] == "Rivers"


def test_a_dead_link_is_announced_with_its_address(workplace: Workplace, catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset("1", a_resource("https://epa.example/a.csv?x=1&y=2"), title="Air")])
    discovered(catalog, portal)
    captured(catalog, "https://epa.example/a.csv?x=1&y=2", "not-found", status=404)
    watch_links(workplace)

    (item,) = items(losses_rss(workplace))

    assert item["link"] == "https://epa.example/a.csv?x=1&y=2"
    assert item["title"] == "Suspected (link-dead): https://epa.example/a.csv?x=1&y=2"
    assert "Dataset: Air." in str(item["description"])


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ({"states": ["lost"]}, "no state 'lost'"),
        ({"kinds": ["stolen"]}, "no kind 'stolen'"),
        ({"portal": "nowhere"}, "no portal 'nowhere'"),
        ({"organization": "nobody"}, "no organization 'nobody'"),
    ],
)
def test_what_is_asked_for_and_not_known_is_named(
    workplace: Workplace, filters: dict[str, Any], sentence: str
) -> None:
    for ask in (list_losses, losses_report, losses_rss):
        with pytest.raises(SetupError, match=sentence):
            ask(workplace, **filters)


def test_the_summary_of_a_portal_counts_states_and_names_breakers(
    workplace: Workplace, catalog: Catalog
) -> None:
    lose(catalog, "Oceans", organization=NOAA, count=20)
    lose(catalog, "Rivers")

    summary = loss_summary(workplace, a_portal(catalog).slug)

    assert {name: summary[name] for name in ("confirmed", "suspected", "withheld", "recovered_last_day")} == {
        "confirmed": 0,
        "suspected": 1,
        "withheld": 20,
        "recovered_last_day": 0,
    }
    assert summary["breakers"] == ["noaa-gov"]
    assert [row["title"] for row in summary["newest"]] == ["Rivers"]


@pytest.fixture
def shelter_losses(workplace: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """`shelter losses`, called in this process on the test's catalog."""
    settings = {
        "HOME": tmp_path / "home",
        "DATABASE_URL": workplace.catalog.url.render_as_string(hide_password=False),
        "STORE": tmp_path / "store",
        "PORTAL": "datagov:https://portal.example",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"SHELTER_{name}", str(value))
    runner = CliRunner()
    return lambda *arguments: runner.invoke(losses_app, arguments)


def test_the_command_lists_losses_for_people_and_for_programs(shelter_losses: Any, catalog: Catalog) -> None:
    lose(catalog, "Rivers [bold]")

    shown, told = shelter_losses("list"), shelter_losses("list", "--json", "--state", "suspected")

    assert "Rivers" in shown.stdout
    assert "losses: 1 suspected" in shown.stdout
    assert [row["title"] for row in json.loads(told.stdout)["losses"]] == ["Rivers [bold]"]


def test_the_command_writes_the_feed_to_a_file(shelter_losses: Any, catalog: Catalog, tmp_path: Path) -> None:
    lose(catalog, "Rivers")

    shelter_losses("feed", "--format", "rss", "--output", str(tmp_path / "losses.rss"))
    printed = shelter_losses("feed", "--format", "json")

    assert len(items((tmp_path / "losses.rss").read_text(encoding="utf-8"))) == 1
    assert len(json.loads(printed.stdout)["losses"]) == 1


def test_a_feed_that_cannot_be_written_says_where(shelter_losses: Any, tmp_path: Path) -> None:
    result = shelter_losses("feed", "--output", str(tmp_path / "missing" / "losses.rss"))

    assert isinstance(result.exception, SetupError)
    assert "losses.rss" in str(result.exception)


def test_a_title_moves_no_cursor_of_the_terminal(shelter_losses: Any, catalog: Catalog) -> None:
    lose(catalog, "Ri\x1b[31mvers")

    shown = shelter_losses("list")

    assert "\x1b" not in shown.stdout
    assert "\ufffd" in shown.stdout


@pytest.mark.parametrize("option", ["--limit", "--after"])
def test_a_number_that_no_catalog_can_hold_is_refused_by_its_option(shelter_losses: Any, option: str) -> None:
    result = shelter_losses("list", option, "9" * 20)

    assert result.exit_code == 2
    assert option in result.stderr


def test_a_user_without_a_name_can_decide(
    shelter_losses: Any, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(catalog, "Rivers")
    monkeypatch.setattr("getpass.getuser", nobody)

    confirmed = shelter_losses("confirm", "1", "--why", "the agency says so", "--json")
    (loss,) = json.loads(shelter_losses("list", "--json").stdout)["losses"]

    assert json.loads(confirmed.stdout) == {"confirmed": 1}
    assert loss["evidence"]["decisions"][0]["who"] == f"uid {os.getuid()}"


def nobody() -> str:
    """What Python says where the user has no name, as in a container that was given a number."""
    raise KeyError("getpwuid(): uid not found: 4711")


def test_the_command_confirms_dismisses_and_releases(shelter_losses: Any, catalog: Catalog) -> None:
    lose(catalog, "Rivers")
    lose(catalog, "Oceans", organization=NOAA, count=20)

    confirmed = shelter_losses("confirm", "1", "--why", "the agency says so", "--json")
    dismissed = shelter_losses("dismiss", "1", "--why", "it is there after all", "--json")
    released = shelter_losses("release", "--organization", "noaa-gov", "--why", "closed", "--json")

    assert json.loads(confirmed.stdout) == {"confirmed": 1}
    assert json.loads(dismissed.stdout) == {"dismissed": 1}
    assert json.loads(released.stdout) == {"released": 20}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("confirm", "4711", "--why", "x"), "the id 4711"),
        (("dismiss", "4711", "--why", " "), "needs its reason"),
        (("release", "--why", "x"), "name the organization or the portal"),
        (("release", "--organization", "nobody", "--why", "x"), "no organization 'nobody'"),
    ],
)
def test_a_word_that_cannot_be_taken_says_why(
    shelter_losses: Any, arguments: tuple[str, ...], sentence: str
) -> None:
    result = shelter_losses(*arguments)

    assert isinstance(result.exception, SetupError)
    assert sentence in str(result.exception)
