"""Reading plan files: what is refused, in which words, and what the shipped ones hold."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

import pricing
from pricing.errors import NoPriceError, PlanError, PlanFileError
from pricing.examples import run_examples
from pricing.meters import Flat, Meter, is_open, price_lists
from pricing.meters.common import MODELS
from pricing.money import CURRENCIES
from pricing.plan import Plan, find_plan, load_plan, parse_plan, shipped_plans
from pricing.prices import Price, in_force, price_on
from pricing.problems import FORMS, problems_of
from pricing.schema import plan_schema
from tests.pricing.helpers import GOOD

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad_plans").glob("*.toml"))


def says(path: Path) -> list[str]:
    return re.findall(r"^# says: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_plan_the_bad_ones_are_made_from_is_good() -> None:
    assert load_plan(HERE / "good_plan.toml").id == "small"


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_plan_is_refused_in_words_that_help(path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        load_plan(path)
    message = str(caught.value)
    assert caught.value.exit_code == 3
    assert message.startswith(str(path))
    assert says(path)
    for words in says(path):
        assert words in message
    assert "pydantic" not in message


@pytest.mark.parametrize(
    "path", [p for p in BAD if p.stem not in ("not_toml", "key_twice")], ids=lambda path: path.stem
)
def test_one_mistake_makes_one_problem(path: Path) -> None:
    with pytest.raises(PlanFileError) as caught:
        load_plan(path)
    # A file without sources has as many dangling references as it has prices.
    assert len(caught.value.problems) == 1 or path.stem == "no_sources"


def test_all_problems_of_a_file_are_reported_together() -> None:
    text = (
        GOOD.replace("amount = 4.00", "amount = -4")
        .replace('currency = "USD"', 'currency = "US"\nregoin = "x"')
        .replace("max_days = 730", 'max_days = "730"')
        .replace('id = "200"', 'id = "100"')
        .replace("unit_gb_per_day = 1\n", "")
    )
    with pytest.raises(PlanFileError) as caught:
        parse_plan(text, "mine.toml")
    assert {problem.place for problem in caught.value.problems} == {
        "currency",
        "regoin",
        "meters.flat.prices[0].amount",
        "meters.kept.max_days",
        "meters.tiers.tiers",
        "meters.capacity.unit_gb_per_day",
    }
    assert str(caught.value).startswith("mine.toml: 6 problems\n  ")
    assert str(caught.value).count("\n") == 6


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read"):
        load_plan(tmp_path / "absent.toml")
    with pytest.raises(PlanError, match="cannot be read"):
        load_plan(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe9"')
    with pytest.raises(PlanError, match="not UTF-8"):
        load_plan(tmp_path / "latin.toml")


def test_numbers_of_absurd_length_are_refused_quickly() -> None:
    for amount in ("1e-999999", "1e99999999999999999999", "0." + "1" * 500):
        with pytest.raises(PlanError):
            parse_plan(GOOD.replace("amount = 4.00", f"amount = {amount}"))


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ('id = "small"', 'id = "Small plan"', "id: found 'Small plan'; expected small letters, digits, dashes, dots"),
        ("[meters.kept]", '[meters."Kept GB"]', "meters.Kept GB: found 'Kept GB'; expected small letters, digits"),
        ("https://example.com/list", "ftp://a", "url: found 'ftp://a'; expected an address: https://…, or urn:…"),
        ('title = "A small plan"', 'title = " "', "title: found ' '; expected some text"),
        ('title = "A small plan"', 'title = ""', "title: found ''; expected some text"),
    ],
)
def test_a_text_of_another_form_is_refused_in_words(good: str, bad: str, said: str) -> None:
    with pytest.raises(PlanFileError) as caught:
        parse_plan(GOOD.replace(good, bad, 1))
    assert said in str(caught.value)


def patterns(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {value for key, value in node.items() if key == "pattern" and isinstance(value, str)}
        return own.union(*map(patterns, node.values()))
    return set().union(*map(patterns, node)) if isinstance(node, list) else set()


def test_no_pattern_of_the_format_is_shown_as_it_stands() -> None:
    # The schema keeps the pattern of every text, those of ids that are keys too.
    assert patterns(plan_schema()) == set(FORMS)


def test_a_plan_cannot_be_built_around_the_checks() -> None:
    with pytest.raises((RuntimeError, ValidationError)):
        Plan.model_validate({"sources": {}, "ingest": "flat"})


def test_prices_are_exact_decimals() -> None:
    flat = load_plan(HERE / "good_plan.toml").meters["flat"]
    assert isinstance(flat, Flat)
    assert flat.prices[0].amount == Decimal("4.00")
    assert str(flat.prices[0].amount) == "4.00"


def test_the_latest_price_counts() -> None:
    plan = parse_plan(
        GOOD.replace(
            'prices = [{ from = 2026-01-01, amount = 4.00, source = "list" }]',
            """prices = [
                { from = 2026-01-01, amount = 4.00, source = "list" },
                { from = 2026-06-01, until = 2026-08-31, amount = 5.00, source = "list" },
            ]""",
        )
    )
    prices = plan.meters["flat"].prices
    amounts = {day: price.amount for day in map(date.fromisoformat, DAYS) if (price := in_force(prices, day))}
    assert [str(amount) for amount in amounts.values()] == ["4.00", "4.00", "5.00", "5.00"]
    with pytest.raises(NoPriceError, match="no price is known on 2025-12-31; the first holds from 2026-01-01") as early:
        price_on(prices, date(2025, 12, 31), "small meters.flat")
    assert early.value.exit_code == 4
    with pytest.raises(NoPriceError, match="no price is in force on 2026-09-01"):
        price_on(prices, date(2026, 9, 1), "small meters.flat")
    with pytest.raises(NoPriceError, match="leaves this price open"):
        price_on((), date(2026, 9, 1), "small meters.flat")


DAYS = ["2025-12-31", "2026-01-01", "2026-05-31", "2026-06-01", "2026-08-31", "2026-09-01"]


def test_an_open_price_needs_no_example() -> None:
    text = GOOD[: GOOD.index("[[examples]]")].replace(
        'prices = [{ from = 2026-01-01, amount = 4.00, source = "list" }]', "prices = []"
    )
    assert parse_plan(text).examples == ()


def test_plans_are_found_by_id_and_by_path(tmp_path: Path) -> None:
    assert find_plan("sentinel-eastus").region == "eastus"
    assert find_plan(HERE / "good_plan.toml").id == "small"
    assert find_plan(str(HERE / "good_plan.toml")).id == "small"
    (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8")
    assert find_plan("small", [tmp_path]).title == "A small plan"


def test_a_corrected_copy_wins_over_the_shipped_plan(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD.replace('id = "small"', 'id = "sentinel-eastus"'), encoding="utf-8")
    assert find_plan("sentinel-eastus", [tmp_path]).region == "nowhere"
    assert find_plan("sentinel-eastus").region == "eastus"


def test_an_unknown_id_lists_what_there_is() -> None:
    with pytest.raises(PlanError, match="no plan is called 'sentinel-eastsu'") as caught:
        find_plan("sentinel-eastsu")
    assert caught.value.exit_code == 3
    assert "splunk-cloud-ingest" in str(caught.value)
    assert "Did you mean 'sentinel-eastus'?" in str(caught.value)


def test_a_folder_of_plans_holds_each_id_once(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(PlanError, match=r"'small' is also the id of a\.toml"):
        find_plan("small", [tmp_path])
    with pytest.raises(PlanError, match="no such folder"):
        find_plan("small", [tmp_path / "absent"])


@pytest.mark.parametrize("plan", shipped_plans().values(), ids=lambda plan: plan.id)
def test_shipped_plans_rest_on_sources_fit_to_ship(plan: Plan) -> None:
    used = [price.source for meter in plan.meters.values() for price in prices_of(meter)]
    assert used or any(is_open(meter) for meter in plan.meters.values())
    assert {plan.sources[source].confidence for source in used} <= {"A", "B", "C"}
    assert plan.currency in CURRENCIES
    for meter in plan.meters.values():
        for price in prices_of(meter):
            # A price holds from the day it was read: what stood there before is not known.
            assert price.start == plan.sources[price.source].read


@pytest.mark.parametrize("plan", shipped_plans().values(), ids=lambda plan: plan.id)
def test_shipped_plans_lie_in_a_file_of_their_name(plan: Plan) -> None:
    assert load_plan(Path(pricing.__file__).parent / "plans" / f"{plan.id}.toml") == plan


def test_a_siem_has_one_reference_plan_at_the_most() -> None:
    siems = [plan.siem for plan in shipped_plans().values() if plan.reference]
    assert sorted(siems) == sorted(set(siems))


def prices_of(meter: Meter) -> list[Price]:
    return [price for prices in price_lists(meter).values() for price in prices]


def test_every_shipped_price() -> None:
    # A snapshot, so that a price edit shows its whole effect; checked against the price facts of 2026-11-23.
    seen = {
        plan.id: {
            meter_id: " ".join(format(price.amount.normalize(), "f") for price in prices_of(meter))
            for meter_id, meter in plan.meters.items()
        }
        for plan in map(find_plan, ("sentinel-eastus", "sentinel-uksouth", "splunk-cloud-ingest"))
    }
    assert seen == {
        "sentinel-eastus": {
            "analytics": "4.3",
            "commitment": "161.25 296 548 800 1037.33 1265 2480 4800 11550 22240 53450 102600",
            "basic": "1",
            "lake_ingestion": "0.05",
            "lake_processing": "0.1",
            "lake_storage": "0.026",
            "long_term": "0.026",
            "retention": "0.1",
        },
        "sentinel-uksouth": {
            "analytics": "5.38",
            "commitment": "201.5625 370 685 1000 1296.66 1581.25 3100 6000 14437.5 27800 66812.5 128250",
            "basic": "1.13",
            "lake_ingestion": "0.0625",
            "lake_processing": "0.125",
            "lake_storage": "0.024",
            "long_term": "0.024",
            "lake_query": "0.00625",
            "graph_build": "3.75",
            "graph_query": "3.75",
            "insights": "0.1875",
            "retention": "0.13",
        },
        "splunk-cloud-ingest": {
            "capacity": "2049.3 1745.7 1518 1265 1012 974.05 851 822.25 793.5 764.75",
        },
    }


def test_larger_sentinel_tiers_cost_less_a_gigabyte() -> None:
    for plan_id in ("sentinel-eastus", "sentinel-uksouth"):
        plan = find_plan(plan_id)
        assert plan.commitment is not None
        assert " ".join(str(tier.gb_per_day) for tier in plan.commitment[1].tiers) == SIZES
        # The 50 GB promotion is a price of its own; from 100 GB on the rate falls with every step.
        rates = [tier.prices[0].amount / tier.gb_per_day for tier in plan.commitment[1].tiers[1:]]
        assert rates == sorted(rates, reverse=True)
        promotion = plan.commitment[1].tiers[0]
        assert promotion.signup_until == date(2026, 12, 31)
        assert promotion.prices[0].until == date(2027, 3, 31)


SIZES = "50 100 200 300 400 500 1000 2000 5000 10000 25000 50000"


def test_the_e5_grant_is_for_cloudappevents_and_not_for_officeactivity() -> None:
    grant = find_plan("sentinel-eastus").grants["m365-e5"]
    assert grant.gb_per_day(500) == Decimal("2.5")
    assert "CloudAppEvents" in grant.streams
    assert "OfficeActivity" not in grant.streams


def test_importing_the_package_is_light() -> None:
    code = "import sys, pricing; print(sorted({'pydantic', 'numpy', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_public_names_all_load() -> None:
    assert [name for name in pricing.__all__ if getattr(pricing, name).__name__ != name] == []
    assert set(pricing.__all__) == set(pricing._HOME)
    with pytest.raises(AttributeError, match="no attribute 'bil'"):
        pricing.bil  # noqa: B018


def test_the_readme_example_prints_what_it_says(capsys) -> None:
    readme = (Path(pricing.__file__).parent / "README.md").read_text(encoding="utf-8")
    code = readme.split("```python\n")[1].split("```")[0]
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip() == re.search(r"# ([\d.]+)$", code.strip())[1]


def test_the_plan_the_readme_walks_through_is_good_and_its_examples_hold() -> None:
    readme = (Path(pricing.__file__).parent / "README.md").read_text(encoding="utf-8")
    plan = parse_plan(readme.split("```toml\n")[1].split("```")[0], "README.md")
    results = run_examples(plan)
    assert len(results) == 2
    assert all(result.holds for result in results), results


def test_every_snippet_of_the_readme_is_a_plan_with_the_head_it_names() -> None:
    # The shapes are shown as tables below a common head; together they must load.
    readme = (Path(pricing.__file__).parent / "README.md").read_text(encoding="utf-8")
    snippets = [block.split("```")[0] for block in readme.split("```toml\n")[2:]]
    assert len(snippets) == 5
    loaded = parse_plan(readme.split("```toml\n")[1].split("```")[0] + "\n".join(snippets), "README.md")
    assert {meter.model for meter in loaded.meters.values()} == set(MODELS)


def test_the_readme_names_every_key_and_model() -> None:
    readme = (Path(pricing.__file__).parent / "README.md").read_text(encoding="utf-8")
    schema = Plan.model_json_schema()
    keys = {key for table in (schema, *schema["$defs"].values()) for key in table["properties"]}
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", readme)] == []


def test_problems_are_told_of_other_files_of_tagged_tables_too() -> None:
    # Scenario files are read with the same words; their changes are told apart by `kind`.
    class Enable(BaseModel):
        kind: Literal["enable"]
        operations: list[str]

    class Connect(BaseModel):
        kind: Literal["connect"]
        feed: str

    class File(BaseModel):
        changes: list[Annotated[Enable | Connect, Field(discriminator="kind")]]

    with pytest.raises(ValidationError) as caught:
        File.model_validate({"changes": [{"kind": "enabel"}, {}, {"kind": "connect", "feed": 3}]})
    assert [str(problem) for problem in problems_of(caught.value, File)] == [
        "changes[0].kind: 'enabel' is not a known kind; expected one of enable, connect. Did you mean 'enable'?",
        "changes[1].kind: the key is missing; expected one of enable, connect.",
        "changes[2].feed: found 3; expected text in quotes.",
    ]
