"""`plans`: which price tables there are, what one knows, whether a file is sound, what usage costs, what changed."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

import pricing
from estimator.schemas import schema
from pricing import find_plan, load_plan, shipped_plans
from tests.pricing.helpers import GOOD
from tests.pricing.retail_api import item, page, uk_south
from tests.test_cli import AS_OF, Capture, Ran, refused

FORMATS = ("table", "markdown", "csv", "json")


def plans(capsys: Capture, *arguments: str | Path) -> Ran:
    return Ran(capsys, "plans", *arguments)


def valid(ran: Ran, name: str) -> None:
    jsonschema.validate(ran.json, schema(name), jsonschema.Draft202012Validator)


def mine(folder: Path, text: str = GOOD, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# ------------------------------------------------------------------ list


def test_list_names_every_plan(capsys: Capture) -> None:
    ran = plans(capsys, "list", "--as-of", AS_OF, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    valid(ran, "plans")
    found = {one["id"]: one for one in ran.json["plans"]}
    assert list(found) == sorted(shipped_plans())
    east = found["sentinel-eastus"]
    assert (east["headline_price"], east["headline_unit"], east["checked_on"]) == ("4.3", "GB", "2026-09-26")
    assert (east["age_days"], east["stale"], east["open"], east["reference"]) == (58, False, [], True)
    assert found["qradar"]["open"] == ["eps"]
    assert found["qradar"]["headline_price"] is None
    assert found["elastic-serverless-security"]["at_least"]


def test_list_marks_what_is_old_open_or_a_floor(capsys: Capture) -> None:
    ran = plans(capsys, "list", "--as-of", "2027-06-01")
    assert re.search(r"^sentinel-uksouth .* 5\.38 per GB .* 299 days +stale$", ran.out, re.MULTILINE)
    assert re.search(r"^exabeam .* open .* stale, open$", ran.out, re.MULTILINE)
    assert re.search(r"^elastic-serverless-security .* at least 0\.11 per GB .* at least$", ran.out, re.MULTILINE)
    assert re.search(r"^sumo-credits .* 25\.00 credits per GB ", ran.out, re.MULTILINE)
    assert re.search(r"^splunk-cloud-ingest .* from 2049\.30 per GB/day and year ", ran.out, re.MULTILINE)
    # The last day on which a list is not stale yet.
    edge = plans(capsys, "list", "--as-of", "2027-02-02", "--format", "csv").rows
    assert {row["stale"] for row in edge if row["id"] == "sentinel-uksouth"} == {"false"}


def test_list_says_the_same_in_every_format(capsys: Capture) -> None:
    for form in FORMATS:
        ran = plans(capsys, "list", "--as-of", AS_OF, "--format", form)
        assert ran.code == 0
        assert all(id_ in ran.out for id_ in shipped_plans())
    assert plans(capsys, "list", "--format", "markdown").out.startswith("# Price tables\n")


def test_a_plan_of_ones_own_takes_the_place_of_a_shipped_one(tmp_path: Path, capsys: Capture) -> None:
    path = mine(tmp_path, GOOD.replace('id = "small"', 'id = "sentinel-eastus"'))
    ran = plans(capsys, "list", "--plans-dir", tmp_path, "--format", "csv")
    assert [row["origin"] for row in ran.rows if row["id"] == "sentinel-eastus"] == [str(path)]
    mine(tmp_path, path.read_text(encoding="utf-8"), "twice.toml")
    refused(plans(capsys, "list", "--plans-dir", tmp_path), 3, "'sentinel-eastus' is also the id of", "twice.toml")
    refused(plans(capsys, "list", "--plans-dir", tmp_path / "none"), 3, "no such folder")


def test_a_list_that_is_too_old_is_a_limit_that_is_passed(capsys: Capture) -> None:
    as_of = ("--as-of", "2026-08-16", "--max-price-age")
    usage = ("sentinel-uksouth", "--gb-per-day", "1", "--from", "2027-01-01", "--days", "1")
    assert plans(capsys, "price", *usage, *as_of, "10").code == 0
    ran = plans(capsys, "price", *usage, *as_of, "9")
    assert (ran.code, ran.err) == (1, "sentinel-uksouth: prices checked 10 days ago, more than 9\n")
    assert "5.38 USD" in ran.out
    ran = plans(capsys, "list", *as_of, "9")
    assert (ran.code, ran.err) == (1, "sentinel-uksouth: prices checked 10 days ago, more than 9\n")


# ------------------------------------------------------------------ show


@pytest.mark.parametrize("id_", shipped_plans())
def test_show_tells_everything_and_from_where(id_: str, capsys: Capture) -> None:
    plan = find_plan(id_)
    ran = plans(capsys, "show", id_, "--as-of", AS_OF, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    valid(ran, "plan")
    assert all(one["holds"] for one in ran.json["examples"])
    assert len(ran.json["examples"]) == len(plan.examples)
    assert {one["source"] for one in ran.json["prices"]} <= plan.sources.keys()
    text = " ".join(plans(capsys, "show", id_, "--as-of", AS_OF).out.split())
    for source in plan.sources.values():
        assert source.url.replace("-", "") in text.replace("- ", "").replace("-", "")
        assert str(source.read) in text


def test_show_of_an_open_price_says_what_is_missing_and_whom_to_ask(capsys: Capture) -> None:
    text = " ".join(plans(capsys, "show", "qradar").out.split())
    assert "eps (Events per second): no price per EPS and year is known" in text
    assert "Ask IBM or the reseller for the price of an EPS and year" in text
    assert "Excess events are buffered, not billed." in text


def test_show_prints_dated_prices_rules_streams_and_grants(capsys: Capture) -> None:
    out = plans(capsys, "show", "sentinel-uksouth").out
    assert re.search(
        r"^commitment\.50 .* 201\.5625 +calendar day +2026-08-06 +2027-03-31 +price-api$", out, re.MULTILINE
    )
    assert re.search(r"^commitment\.lock_days +31 +days a tier must be kept", out, re.MULTILINE)
    assert re.search(r"^Stream OfficeActivity:\nfree to ingest\.", out, re.MULTILINE)
    assert "0.005 GB a day per licensed user" in out
    assert re.search(r"12093\.75 +12093\.75 +yes$", out, re.MULTILINE)
    rows = plans(capsys, "show", "sentinel-uksouth", "--format", "csv").rows
    assert [row["amount"] for row in rows if row["place"] == "analytics"] == ["5.38"]


def test_show_of_an_unknown_plan(capsys: Capture) -> None:
    refused(plans(capsys, "show", "sentinel-eastu"), 3, "no plan is called", "Did you mean 'sentinel-eastus'?")


# ------------------------------------------------------------------ check


def test_check_works_the_examples_of_a_sound_file(tmp_path: Path, capsys: Capture) -> None:
    path = mine(tmp_path)
    ran = plans(capsys, "check", path, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    valid(ran, "plans-check")
    (one,) = ran.json["files"]
    assert (one["plan"], one["sound"], one["problems"]) == ("small", True, [])
    assert [(e["expected"], e["found"], e["holds"]) for e in one["examples"]] == [("4.00", "4.00", True)]
    assert "sound. small" in plans(capsys, "check", path).out


def test_check_tells_every_problem_of_every_file(tmp_path: Path, capsys: Capture) -> None:
    bad = mine(tmp_path, GOOD.replace('currency = "USD"', 'currency = "USX"').replace("region", "regoin"), "bad.toml")
    ran = plans(capsys, "check", bad, mine(tmp_path), tmp_path / "none.toml", "--format", "json")
    assert ran.code == 3
    assert ran.err == f"error: refused: {bad}, {tmp_path / 'none.toml'}\n"
    valid(ran, "plans-check")
    first, second, third = ran.json["files"]
    assert {one["place"] for one in first["problems"]} == {"currency", "region", "regoin"}
    assert (second["sound"], third["problems"][0]["found"]) == (True, "cannot be read (No such file or directory)")
    table = plans(capsys, "check", bad).out
    assert "refused: 3 problems" in table
    assert "* currency: 'USX' is not a currency" in table
    rows = plans(capsys, "check", bad, "--format", "csv").rows
    assert [row["row"] for row in rows] == ["problem"] * 3
    assert plans(capsys, "check", bad, "--format", "markdown").code == 3


def test_check_refuses_an_example_that_does_not_hold_or_cannot_be_billed(tmp_path: Path, capsys: Capture) -> None:
    wrong = mine(tmp_path, GOOD.replace('expected = "4.00"', 'expected = "4.01"'))
    ran = plans(capsys, "check", wrong)
    assert ran.code == 3
    assert "It is made of flat: 4.00. Either a price" in " ".join(ran.out.split())
    assert re.search(r"examples\[0\]\.expected: .* comes to 4\.00; expected 4\.01", " ".join(ran.out.split()))
    day = re.sub(r"first_day *= *\S+", "first_day = 2001-01-01", GOOD)
    ran = plans(capsys, "check", mine(tmp_path, day))
    assert ran.code == 3
    assert "examples[0]: the example cannot be billed: small meters." in " ".join(ran.out.split())


def test_check_refuses_two_files_with_one_id(tmp_path: Path, capsys: Capture) -> None:
    one, two = mine(tmp_path), mine(tmp_path, name="two.toml")
    ran = plans(capsys, "check", one, two, "--format", "json")
    assert ran.code == 3
    assert [file["sound"] for file in ran.json["files"]] == [True, False]
    assert ran.json["files"][1]["problems"][0]["found"] == f"'small' is also the id of {one}"


# ------------------------------------------------------------------ price


def test_price_of_a_steady_volume(capsys: Capture) -> None:
    usage = ("--gb-per-day", "120", "--from", "2027-04-01", "--days", "30", "--commitment", "best")
    ran = plans(capsys, "price", "sentinel-uksouth", *usage, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    valid(ran, "price")
    # 30 days of 1.2 tiers at 370.
    assert (ran.json["total"], ran.json["currency"], ran.json["commitment"]) == ("13320.00", "USD", "100")
    (line,) = ran.json["charges"]
    assert (line["quantity"], line["unit"], line["unit_price"], line["amount"]) == ("36", "tier-day", "370", "13320")
    assert (ran.json["from"], ran.json["to"], ran.json["days"]) == ("2027-04-01", "2027-04-30", 30)
    for form in FORMATS:
        assert re.search(r"13,?320(\.00)?", plans(capsys, "price", "sentinel-uksouth", *usage, "--format", form).out)


def test_price_from_the_first_of_next_month_for_a_year(capsys: Capture) -> None:
    found = plans(capsys, "price", "sentinel-eastus", "--gb-per-day", "1", "--as-of", AS_OF, "--format", "json").json
    assert (found["from"], found["to"], found["days"]) == ("2026-12-01", "2027-11-30", 365)
    assert found["total"] == str(365 * Decimal("4.30"))
    assert list(found["months"].values())[:3] == ["133.3", "133.3", "120.4"]
    february = ("--from", "2027-01-31", "--months", "1", "--format", "json")
    assert plans(capsys, "price", "sentinel-eastus", "--gb-per-day", "1", *february).json["to"] == "2027-02-27"


def test_price_on_the_customers_terms(capsys: Capture) -> None:
    ran = plans(
        capsys, "price", "sentinel-eastus", "--gb-per-day", "CloudAppEvents=10", "--gb-per-day", "OfficeActivity=50",
        "--grant-gb-per-day", "2.5", "--discount-percent", "10", "--from", "2027-01-04", "--days", "1",
        "--format", "json",
    )  # fmt: skip
    assert ran.json["total_unrounded"] == "29.025"  # 7.5 GB at 4.30, less a tenth
    assert ran.json["gb"] == {"CloudAppEvents": "10", "OfficeActivity": "50"}
    assert ran.json["warnings"] == []
    kept = plans(capsys, "price", "sentinel-eastus", "--gb-per-day", "10", "--from", "2027-01-01", "--days", "365",
                 "--retention-days", "365", "--format", "json")  # fmt: skip
    assert kept.json["total"] == "16935.00"


def test_a_grant_that_covers_nothing_is_told(capsys: Capture) -> None:
    ran = plans(capsys, "price", "sentinel-eastus", "--gb-per-day", "10", "--grant-gb-per-day", "5", "--format", "csv")
    assert ran.err.startswith("warning: The grant m365-e5 covers none of the streams priced (usage)")
    assert "see below" not in ran.out


def test_price_of_counts_and_events(capsys: Capture) -> None:
    month = ("--gb-per-day", "10", "--from", "2027-04-01", "--months", "1", "--format", "json")
    ran = plans(capsys, "price", "datadog-logs", *month, "--events-per-day", "1000000")
    assert ran.json["total"] == "106.50"
    ran = plans(capsys, "price", "datadog-logs", *month, "--events-per-day", "1000000", "--count",
                "committed_million_events=30")  # fmt: skip
    assert ran.json["total"] == "81.00"  # 30.00 for the GB, 30 million at 1.70
    # An open price is asked for before the count that is of no use without it.
    refused(plans(capsys, "price", "exabeam", *month), 4, "exabeam meters.", "leaves this price open", "--plan")
    refused(plans(capsys, "price", "exabeam", *month, "--users", "40"), 4, "leaves this price open", "--plan")
    refused(
        plans(capsys, "price", "exabeam", *month, "--count", "user=40"), 3, "'user' is no count of exabeam", "users"
    )
    refused(plans(capsys, "price", "qradar", *month, "--peak-events-per-second", "50"), 4, "qradar meters.eps")
    refused(plans(capsys, "price", "qradar", *month, "--count", "eps=500"), 4, "leaves this price open")


#: A meter whose count must be stated, and the head of an example that holds whatever the prices.
USERS = """[meters.users]
model = "per_count"
title = "Users"
count = "users"
unit = "user"
per = "year"
source = "list"
prices = [{ from = 2026-01-01, amount = 1, source = "list" }]

"""
EXAMPLE = """[[examples]]
title = "The fee"
source = "list"
first_day = 2027-04-01
days = 30
gb_per_day = { logs = [1] }
expected = "19.00"

"""


def test_what_is_not_given_is_asked_for_by_its_option(tmp_path: Path, capsys: Capture) -> None:
    month = ("--gb-per-day", "10", "--from", "2027-04-01", "--months", "1")
    refused(plans(capsys, "price", "datadog-logs", *month), 3, "charges by events a day", "--events-per-day N")
    users = mine(tmp_path, GOOD.replace("[[examples]]", USERS + "[[examples]]", 1), "users.toml")
    refused(plans(capsys, "price", users, *month), 3, "charges by 'users' (Users)", "--count users=N", "take it from")
    text = (Path(pricing.__file__).parent / "plans" / "qradar.toml").read_text(encoding="utf-8")
    quoted = 'prices = [{ from = 2026-11-23, amount = 3, source = "limits" }]\n\n[[examples]]\ntitle = "500 EPS"\n'
    quoted += 'source = "limits"\nfirst_day = 2027-01-01\ndays = 365\ngb_per_day = { a = [1] }\n'
    quoted += 'peak_events_per_second = { a = [500] }\nexpected = "1500.00"'
    path = mine(tmp_path, re.sub(r"prices *= \[\]", quoted, text))
    assert plans(capsys, "check", path).code == 0
    refused(plans(capsys, "price", path, *month), 3, "the peak events per second", "--peak-events-per-second N")
    assert plans(capsys, "price", path, *month, "--peak-events-per-second", "500").code == 0


def test_what_is_held_is_told_in_words_and_stays_a_product_for_machines(capsys: Capture) -> None:
    usage = ("splunk-cloud-ingest", "--gb-per-day", "20", "--from", "2027-01-01")
    assert re.search(r"^capacity +20 +GB/day for 30 of 365 days +1518\.00 +2,495\.34 ",
                     plans(capsys, "price", *usage, "--days", "30").out, re.MULTILINE)  # fmt: skip
    assert " 20  GB/day for 1 year " in plans(capsys, "price", *usage, "--days", "365").out
    # 2028 has 366 days: two years, and 40 x 1518 is the amount.
    assert re.search(r" 40  GB/day-years: 20 for 2 years +1518\.00 +60,720\.00 ",
                     plans(capsys, "price", *usage, "--days", "731").out)  # fmt: skip
    told = " ".join(plans(capsys, "price", *usage, "--days", "30").out.split())
    assert "that part of the month or year: 20 × 1518.00 × 30/365 = 2,495.34." in told
    assert "that part of" not in plans(capsys, "price", *usage, "--days", "731").out
    (line,) = plans(capsys, "price", *usage, "--days", "30", "--format", "json").json["charges"]
    assert (line["unit"], line["unit_price"]) == ("GB/day-year", "1518")
    assert Decimal(line["quantity"]) == pytest.approx(Decimal(600) / 365)


def test_fees_and_users_of_a_part_of_a_month_are_told_in_words(tmp_path: Path, capsys: Capture) -> None:
    fee = '[meters.fee]\nmodel = "fee"\ntitle = "Platform"\nper = "month"\n'
    fee += 'prices = [{ from = 2026-01-01, amount = 19, source = "list" }]\n\n'
    source = next(iter(load_plan(mine(tmp_path)).sources))
    path = mine(tmp_path, GOOD.replace("[meters.", fee.replace('"list"', f'"{source}"') + "[meters.", 1))
    usage = ("--gb-per-day", "1", "--from", "2027-04-01")
    for days, words in (("15", " 1  fee for 15 of 30 days "), ("30", " 1  fee for 1 month "), ("61", " 2  fee-months "),
                        ("45", " 1  fee for 1 month and 15 of 31 days ")):  # fmt: skip
        assert words in plans(capsys, "price", path, *usage, "--days", days).out
    # 19 × (1 + 15/31) = 28.19; 365 days are 12 months: 12 × 19 = 228.
    out = plans(capsys, "price", path, *usage, "--days", "45").out
    assert "1 × 19.00 × (1 + 15/31) = 28.19." in " ".join(out.split())
    out = plans(capsys, "price", path, *usage, "--months", "12").out
    assert re.search(r"^fee +12  fee-months +19\.00 +228\.00 ", out, re.MULTILINE)
    # From the middle of one month to that of the next: 16 of 30 days and 10 of 31.
    out = plans(capsys, "price", path, *usage[:2], "--from", "2027-04-15", "--days", "26").out
    assert "1 × 19.00 × (16/30 + 10/31) = 16.26." in " ".join(out.split())


def test_a_source_of_both_the_price_and_the_rule_is_named_once(tmp_path: Path, capsys: Capture) -> None:
    readme = (Path(pricing.__file__).parent / "README.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in readme.split("```toml\n")[1:]]
    both = blocks[5][blocks[5].index("[meters.dearer]") :]
    banded = blocks[1][: blocks[1].index("[meters.indexed]")]
    text = re.sub(r'^(ingest|of)( +)= "ingest"', r'\1\2= "banded"', blocks[0], flags=re.MULTILINE)
    path = mine(tmp_path, re.sub(r"\[\[examples\]\].*", EXAMPLE, text, flags=re.DOTALL) + banded + both)
    # The same allowance on both sides: 60 GB in are 10 past the free 50; 12000 GB read count as 120, 70 past it.
    asked = ("--gb-per-day", "2", "--from", "2027-04-01", "--days", "30", "--format", "json")
    by_ingest = plans(capsys, "price", path, *asked).json
    read = ("--count", "queried_gb_per_month=12000")
    by_query = plans(capsys, "price", path, *asked, *read).json
    assert (by_ingest["total"], by_query["total"]) == ("23.00", "47.00")  # 19 + 10 × 0.40, 19 + 70 × 0.40
    assert [one["sources"] for one in by_query["charges"] if one["meter"] == "queried"] == [["list"], ["list"]]


def test_what_queries_read_is_told_in_the_unit_that_is_priced(capsys: Capture) -> None:
    asked = ("--gb-per-day", "1", "--from", "2027-04-01", "--days", "30", "--format", "json")
    counted = ("--count", "queries_per_month=100000", "--count", "mb_per_query=3")
    charges = plans(capsys, "price", "s3-athena", *asked, *counted).json["charges"]
    assert [(one["quantity"], one["unit"]) for one in charges if one["meter"] == "queries"] == [("1", "TB")]
    assert "5.00  TB read " in plans(capsys, "show", "s3-athena").out


def test_floors_and_old_lists_are_told(capsys: Capture) -> None:
    usage = ("--gb-per-day", "10", "--from", "2027-04-01", "--days", "30")
    assert "At least 33.00 USD" in plans(capsys, "price", "elastic-serverless-security", *usage).out
    assert plans(capsys, "price", "elastic-serverless-security", *usage, "--format", "json").json["at_least"]
    found = plans(capsys, "price", "sentinel-uksouth", *usage, "--as-of", "2027-06-01", "--format", "json").json
    assert found["warnings"] == ["The prices of sentinel-uksouth were checked on 2026-08-06, 299 days ago."]


def test_a_charge_by_user_does_not_pretend_to_follow_the_volume(tmp_path: Path, capsys: Capture) -> None:
    text = (Path(pricing.__file__).parent / "plans" / "exabeam.toml").read_text(encoding="utf-8")
    quoted = 'prices = [{ from = 2026-11-23, amount = 100, source = "model" }]\n\n[[examples]]\ntitle = "one user"\n'
    quoted += 'source = "model"\nfirst_day = 2027-01-01\ndays = 365\ngb_per_day = { a = [1] }\n'
    path = mine(tmp_path, text.replace("prices = []", quoted + 'counts = { users = 1 }\nexpected = "100.00"'))
    assert plans(capsys, "check", path).code == 0
    year = ("--users", "40", "--from", "2027-01-01", "--months", "12")
    few, many = (plans(capsys, "price", path, "--gb-per-day", gb, *year, "--format", "json").json for gb in ("1", "90"))
    assert (few["total"], many["total"], few["by_volume"]) == ("4000.00", "4000.00", False)
    out = plans(capsys, "price", path, "--gb-per-day", "1", *year).out
    assert "Charged by user and year: more or fewer events cost the same." in out


def test_storage_that_nobody_asked_for_is_told(capsys: Capture) -> None:
    usage = ("--gb-per-day", "10", "--from", "2027-04-01", "--days", "30", "--format", "json")
    told = plans(capsys, "price", "elastic-serverless-security", *usage).json["warnings"]
    assert told == ["elastic-serverless-security includes no days of storage and none were asked for "
                    "(--retention-days): none are priced."]  # fmt: skip
    kept = plans(capsys, "price", "elastic-serverless-security", *usage, "--retention-days", "30").json
    assert (kept["warnings"], kept["total_unrounded"]) == ([], "35.945")
    assert plans(capsys, "price", "sentinel-eastus", *usage).json["warnings"] == []


def test_gb_become_the_plans_own(capsys: Capture) -> None:
    ran = plans(capsys, "price", "google-cloud-logging", "--gb-per-day", "10.73741824", "--from", "2027-04-01",
                "--days", "30", "--format", "json")  # fmt: skip
    assert ran.json["total"] == "125.00"  # 10 GiB a day, less 50 free


def test_a_day_before_the_first_price(capsys: Capture) -> None:
    ran = plans(capsys, "price", "sentinel-eastus", "--gb-per-day", "1", "--from", "2026-01-01")
    refused(ran, 4, "no price is known on 2026-01-01; the first holds from 2026-09-26")


def test_a_plan_file_is_priced_by_its_path(tmp_path: Path, capsys: Capture) -> None:
    usage = ("--gb-per-day", "2", "--from", "2027-04-01", "--days", "1", "--format", "json")
    assert plans(capsys, "price", mine(tmp_path), *usage).json["total"] == "8.00"
    assert plans(capsys, "price", "small", *usage, "--plans-dir", tmp_path).json["total"] == "8.00"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ([], 2, ["not exactly one of --gb-per-day and --usage"]),
        (["--gb-per-day", "1", "--usage", "x.csv"], 2, ["not exactly one of"]),
        (["--usage", "x.csv", "--from", "2027-01-01"], 2, ["--from beside --usage"]),
        (["--gb-per-day", "1", "--days", "3", "--months", "3"], 2, ["--days beside --months"]),
        (["--gb-per-day", "-1"], 3, ["--gb-per-day: '-1'", "a number of 0 or more"]),
        (["--gb-per-day", "1,5"], 3, ["found '1,5'", "decimal point"]),
        (["--gb-per-day", "nan"], 3, ["found 'nan'"]),
        (["--gb-per-day", "a=1", "--gb-per-day", "a=2"], 3, ["'a' stands twice"]),
        (["--gb-per-day", "a=1", "--events-per-day", "b=2"], 3, ["events of 'b', a stream without GB", "a"]),
        (["--gb-per-day", "1", "--commitment", "150"], 3, ["'150' is not a tier of sentinel-eastus"]),
        (["--gb-per-day", "1", "--discount-percent", "101"], 3, ["a discount of 101%"]),
        (["--gb-per-day", "1", "--discount-percent", "x"], 3, ["--discount-percent: found 'x'"]),
        (["--gb-per-day", "1", "--retention-days", "5000"], 3, ["at most the 730 days"]),
        (["--gb-per-day", "1", "--grant-gb-per-day", "e5=1"], 3, ["'e5' is unknown", "m365-e5"]),
        (["--gb-per-day", "1", "--count", "assets=1"], 3, ["'assets' is no count of sentinel-eastus"]),
        (["--usage", "none.csv"], 3, ["none.csv: cannot be read"]),
    ],
)
def test_what_price_refuses(options: list[str], code: int, words: list[str], capsys: Capture) -> None:
    refused(plans(capsys, "price", "sentinel-eastus", *options), code, *words)


# ------------------------------------------------------------------ usage files

CSV = "day,stream,gb\n2027-01-04,CloudAppEvents,50\n2027-01-05,CloudAppEvents,250\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", CSV),
        ("b.csv", "\ufeff" + CSV.replace("\n", "\r\n")),
        ("c.csv", CSV.replace(",", ";")),
        ("d.csv", "GB\tDay\tStream\n250.0\t2027-01-05T00:00:00Z\tCloudAppEvents\n\n5e1\t2027-01-04\tCloudAppEvents\n"),
        ("e.json", json.dumps([{"day": "2027-01-04", "stream": "CloudAppEvents", "gb": 50},
                               {"day": "2027-01-05", "stream": "CloudAppEvents", "gb": "250"}])),
    ],
)  # fmt: skip
def test_usage_files(name: str, text: str, tmp_path: Path, capsys: Capture) -> None:
    options = ("--usage", mine(tmp_path, text, name), "--commitment", "100", "--format", "json")
    ran = plans(capsys, "price", "sentinel-eastus", *options)
    assert (ran.code, ran.err) == (0, "")
    assert (ran.json["total"], ran.json["from"], ran.json["to"]) == ("1036.00", "2027-01-04", "2027-01-05")


def test_usage_with_events_and_several_streams(tmp_path: Path, capsys: Capture) -> None:
    text = "day,stream,gb,events\n2027-04-01,a,1,2000000\n2027-04-01,b,0,0\n2027-04-02,a,1,2000000\n"
    ran = plans(capsys, "price", "datadog-logs", "--usage", mine(tmp_path, text, "u.csv"), "--format", "json")
    assert ran.json["total"] == "10.40"  # 2 GB at 0.10 and 4 million at 2.55
    assert ran.json["warnings"] == ["b: no row on 1 of 2 days; taken as days without usage."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["no column 'day'"]),
        ("day,gb\n", ["no rows"]),
        ("date,gb\n2027-01-04,1\n", ["line 1: the column 'date' is not known", "day, gb"]),
        ("day,gb,gb\n", ["'gb' stands twice"]),
        ("day\n2027-01-04\n", ["no column 'gb'"]),
        ("day,gb\n2027-01-04,1\n2027-01-06,1\n", ["no row for 1 of 3 days, the first of them 2027-01-05", "0 GB"]),
        ("day,gb\n2027-01-04,1\n2027-01-04,2\n", ["line 3: 2027-01-04 of 'usage' stands at line 2 already"]),
        ("day,gb\n2027-01-04,-1\n04/01/2027,1\n2027-02-30,1\n2027-01-04,\n2027-01-04,1,2\n", [
            "5 bad rows, nothing is priced", "line 2: gb: found '-1'", "line 3: day: found '04/01/2027'",
            "line 4: day: found '2027-02-30'", "line 5: no gb", "line 6: found ['2027-01-04', '1', '2']"]),
        ("day,gb\n" + "x,1\n" * 30, ["30 bad rows", "line 21: day", "and 10 more"]),
        ("day,gb\n2000-01-01,1\n2027-01-04,1\n", ["at most 3660 days"]),
        ('day,gb\n"2027-01-04,1\n', ["bad row"]),
        ("day,gb,events\n2027-01-04,1,5\n2027-01-05,1,\n", ["no events of 'usage' on 1 of its days"]),
        ("day,gb\n2027-01-04,1e400\n", ["found '1e400'"]),
        ("day,gb\n2027-01-04,inf\n", ["found 'inf'"]),
        ("[{]", ["no JSON"]),
        ('{"day": 1}', ["no list"]),
        ("[3]", ["[0]: found 3"]),
        ('[{"day": "2027-01-04", "gb": NaN}]', ["NaN is no number"]),
        ('[{"day": "2027-01-04", "gb": true}]', ["[0]: gb: found True"]),
        ('[{"day": "2027-01-04", "gb": 1, "cost": 3}]', ["[0]: the key 'cost' is not known"]),
        ('[{"day": "2027-01-04", "gb": 1, "stream": 3}]', ["[0]: stream: found 3"]),
        ("[" * 100_000, ["no JSON"]),
    ],
)  # fmt: skip
def test_bad_usage_is_refused_with_its_place(text: str, words: list[str], tmp_path: Path, capsys: Capture) -> None:
    path = mine(tmp_path, text, "usage.csv")
    refused(plans(capsys, "price", "sentinel-eastus", "--usage", path), 3, "usage.csv", *words)


def test_usage_that_is_no_text(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "u.csv"
    path.write_bytes(b"\xff\xfe\x00")
    refused(plans(capsys, "price", "sentinel-eastus", "--usage", path), 3, "not UTF-8 text")


# ------------------------------------------------------------------ refresh


def saved(folder: Path, *pages: str) -> list[str | Path]:
    return [word for n, text in enumerate(pages) for word in ("--response", mine(folder, text, f"page{n}.json"))]


def test_refresh_writes_a_dated_plan_and_shows_what_changed(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = [{**one, "retailPrice": 400} if one["skuName"].startswith("100 ") else one for one in uk_south()]
    options = ("refresh", "sentinel", "--region", "uksouth", "--as-of", "2026-08-06", *saved(tmp_path, page(found)))
    ran = plans(capsys, *options, "--format", "json")
    assert (ran.code, ran.err) == (0, "written: sentinel-uksouth-2026-08-06.toml\n")
    valid(ran, "plans-refresh")
    assert ran.json["compared_with"] == "shipped"
    changed = [one for one in ran.json["changes"] if one["status"] != "same"]
    assert changed == [
        {"place": "commitment.100", "unit": "calendar day", "was": "370", "now": "400", "percent": "8.11",
         "status": "changed"}
    ]  # fmt: skip
    made = load_plan(tmp_path / "sentinel-uksouth-2026-08-06.toml")
    assert made.checked_on.isoformat() == "2026-08-06"
    priced = plans(capsys, "price", "sentinel-uksouth-2026-08-06.toml", "--gb-per-day", "100", "--commitment", "100",
                   "--from", "2027-01-01", "--days", "1", "--format", "json")  # fmt: skip
    assert priced.json["total"] == "400.00"
    # What stands is not overwritten unless it is named.
    before = (tmp_path / "sentinel-uksouth-2026-08-06.toml").read_bytes()
    refused(plans(capsys, *options), 3, "stands already", "--out sentinel-uksouth-2026-08-06.toml")
    assert (tmp_path / "sentinel-uksouth-2026-08-06.toml").read_bytes() == before
    again = plans(capsys, *options, "--out", "sentinel-uksouth-2026-08-06.toml")
    assert again.code == 0
    assert "Compared with sentinel-uksouth-2026-08-06.toml, checked on 2026-08-06." in again.out
    assert re.search(r"^commitment\.100 +400 +400 +\+0\.0% +calendar day +same$", again.out, re.MULTILINE)


def test_refresh_of_a_region_nobody_had(tmp_path: Path, capsys: Capture) -> None:
    pages = saved(tmp_path, page([item("analytics", 6.02, "norwayeast")]))
    for form in FORMATS:
        ran = plans(capsys, "refresh", "sentinel", "--region", "norwayeast", "--out", tmp_path / f"{form}.toml", *pages,
                    "--format", form)  # fmt: skip
        assert ran.code == 0
        assert "6.02" in ran.out
    assert load_plan(tmp_path / "json.toml").region == "norwayeast"
    assert "There is no plan of this region" in plans(
        capsys, "refresh", "sentinel", "--region", "norwayeast", "--out", tmp_path / "x.toml", *pages
    ).out  # fmt: skip


def test_refresh_of_what_is_not_all_there(tmp_path: Path, capsys: Capture) -> None:
    half = page(uk_south(), "https://prices.azure.com/api/retail/prices?$skip=100")
    options = ("refresh", "sentinel", "--region", "uksouth", "--out", tmp_path / "o.toml")
    refused(plans(capsys, *options, *saved(tmp_path, half)), 3, "the last page is not among the saved ones")
    refused(plans(capsys, *options, "--response", tmp_path / "none.json"), 3, "cannot be read")
    refused(plans(capsys, *options, *saved(tmp_path, "<html>")), 3, "page0.json: not JSON")
    refused(plans(capsys, "refresh", "splunk", "--region", "x"), 2, "'splunk'", "expected sentinel")
    refused(plans(capsys, "refresh", "sentinel", "--region", "../x"), 3, "the region as Azure writes it")
    assert not (tmp_path / "o.toml").exists()


def test_what_a_page_says_steers_no_terminal_and_no_spreadsheet(tmp_path: Path, capsys: Capture) -> None:
    odd = item("analytics", 1, meterName="=cmd()\x1b[31m", skuName="new")
    pages = saved(tmp_path, page([*uk_south(), odd]))
    options = ("refresh", "sentinel", "--region", "uksouth", "--out", tmp_path / "o.toml", *pages)
    assert "\x1b" not in plans(capsys, *options).out
    odd = item("analytics", 5.38, location='"]\nid = "x')
    pages = saved(tmp_path, page([odd]))
    assert plans(capsys, *options[:-2], *pages).code == 0
    made = load_plan(tmp_path / "o.toml")
    assert (made.id, made.title) == ("sentinel-uksouth", "Microsoft Sentinel, id x, analytics tier")
