"""Reading the Azure Retail Prices API: the traps of what it lists, the plan that comes of it, and the manners."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from pricing import find_plan, parse_plan, run_examples
from pricing.meters import DailyCommitment, price_lists
from pricing.plan import Plan
from pricing.refresh import ENDPOINT, RefreshError, plan_text, queries, read_pages
from pricing.refresh_http import fetch
from tests.pricing.retail_api import SIZES, Item, east_us, item, page, uk_south

READ = date(2026, 8, 6)
Amounts = dict[str, list[tuple[date, date | None, Decimal]]]


def reading(found: list[Item], region: str = "uksouth", read: date = READ) -> Any:
    return read_pages([("page", page(found))], region, read)


def now(found: list[Item], what: str) -> list[str]:
    return [f"{one.amount} from {one.start}" for one in reading(found).prices.get(what, ())]


def amounts(plan: Plan) -> Amounts:
    return {
        f"{id_}.{part}": [(price.start, price.until, price.amount) for price in prices]
        for id_, meter in plan.meters.items()
        for part, prices in price_lists(meter).items()
    }


def test_uk_south_read_on_the_day_of_the_shipped_plan_has_its_prices() -> None:
    made = parse_plan(plan_text(reading(uk_south())))
    assert amounts(made) == amounts(find_plan("sentinel-uksouth"))
    assert len(amounts(made)) >= 14
    assert (made.id, made.region, made.currency, made.checked_on) == ("sentinel-uksouth", "uksouth", "USD", READ)


def test_another_region_has_its_own_prices_and_the_same_rules() -> None:
    text = plan_text(reading(east_us(), "eastus", date(2026, 9, 26)))
    made, shipped = parse_plan(text), find_plan("sentinel-eastus")
    assert not made.reference
    assert made.streams.keys() == shipped.streams.keys()
    assert made.grants["m365-e5"].streams == shipped.grants["m365-e5"].streams
    assert made.commitment is not None
    tiers = made.commitment[1].tiers
    assert [tier.gb_per_day for tier in tiers] == list(SIZES)
    assert shipped.commitment is not None
    assert [t.prices[0].amount for t in tiers] == [t.prices[0].amount for t in shipped.commitment[1].tiers]
    assert (tiers[0].signup_until, tiers[0].prices[0].until) == (date(2026, 12, 31), date(2027, 3, 31))
    assert made.meters["retention"].prices[0].amount == Decimal("0.1")  # type: ignore[union-attr, index]
    # What was read is named with its day, and nothing of the region the rules came from is left.
    assert {price[0] for prices in amounts(made).values() for price in prices} == {date(2026, 9, 26)}
    assert "uksouth" not in text
    assert "UK South" not in text
    assert [result.holds for result in run_examples(made)] == [True, True]


def test_a_price_that_is_not_listed_is_left_out_and_never_taken_from_elsewhere() -> None:
    made = parse_plan(plan_text(reading([item("analytics", 5.59, "westeurope")], "westeurope")))
    assert amounts(made) == {"analytics.": [(READ, None, Decimal("5.59"))]}
    assert not {"lake", "basic"} & made.tiers.keys()
    assert [result.holds for result in run_examples(made)] == [True]


def test_a_new_tier_is_taken_and_one_that_went_is_not() -> None:
    found = [one for one in uk_south() if not one["skuName"].startswith("300 ")]
    made = parse_plan(plan_text(reading([*found, item("commitment.100000", 250000)])))
    meter = made.meters["commitment"]
    assert isinstance(meter, DailyCommitment)
    assert [tier.id for tier in meter.tiers][-1] == "100000"
    assert meter.tier("300") is None


def test_the_promotion_is_an_ordinary_tier_once_its_days_are_over() -> None:
    made = parse_plan(plan_text(reading(uk_south(), read=date(2027, 6, 1))))
    assert made.commitment is not None
    tier = made.commitment[1].tiers[0]
    assert (tier.id, tier.signup_until, tier.prices[0].until) == ("50", None, None)


# ------------------------------------------------------------------ traps


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        # The newest that is effective counts, wherever it stands.
        ([item("analytics", 5.38), item("analytics", 5.2, effectiveStartDate="2022-11-01T00:00:00Z")],
         ["5.38 from 2023-07-01"]),
        ([item("analytics", 5.2, effectiveStartDate="2022-11-01T00:00:00Z"), item("analytics", 5.38)],
         ["5.38 from 2023-07-01"]),
        # One that is announced is a price to come.
        ([item("analytics", 5.38), item("analytics", 6, effectiveStartDate="2027-01-01T00:00:00Z")],
         ["5.38 from 2023-07-01", "6 from 2027-01-01"]),
        # Classic meters, other regions, reservations and names in another case are something else.
        ([item("analytics", 5.38), item("classic_payg", 2.46), item("analytics", 1, "ukwest"),
          item("analytics", 2, type="Reservation"), item("analytics", 3, skuName="Pay-As-You-Go")],
         ["5.38 from 2023-07-01"]),
        ([item("analytics", 5.38), item("analytics", 9, isPrimaryMeterRegion=False)], ["5.38 from 2023-07-01"]),
    ],
)  # fmt: skip
def test_which_price_counts(found: list[Item], expected: list[str]) -> None:
    assert now(found, "analytics") == expected


def test_names_are_case_sensitive() -> None:
    found = [item("analytics", 5.38), item("lake_storage", 0.024, skuName="Data Lake storage")]
    assert now(found, "lake_storage") == []
    assert reading(found).unknown == ("Data lake storage Data Stored",)


def test_an_announced_price_holds_from_its_own_day() -> None:
    found = [item("analytics", 5.38), item("analytics", 6, effectiveStartDate="2027-01-01T00:00:00Z")]
    made = parse_plan(plan_text(reading(found)))
    assert amounts(made)["analytics."] == [(READ, None, Decimal("5.38")), (date(2027, 1, 1), None, Decimal(6))]


def test_retention_is_of_another_service_and_its_free_allowance_is_not_of_this_plan() -> None:
    free = [item("retention", 0, tierMinimumUnits=0), item("retention", 0.13, tierMinimumUnits=5)]
    assert now([item("analytics", 5.38), *free], "retention") == ["0.13 from 2023-07-01"]
    of_sentinel = item("retention", 0.13, serviceName="Sentinel")
    assert now([item("analytics", 5.38), of_sentinel], "retention") == []


def test_what_is_passed_over_is_told() -> None:
    told = reading([*uk_south(), item("analytics", 1, meterName="Something New")])
    assert told.passed_over == (
        "Classic Auxiliary Logs Analysis", "Classic Pay-as-you-go Analysis", "Free Benefit - M365 Defender Analysis",
        "Free Trial Analysis",
    )  # fmt: skip
    assert told.unknown == ("Something New",)


BAD: list[tuple[str | list[Item], str]] = [
    ("<html>", "not JSON"),
    ('{"Items": 3}', "no list 'Items'"),
    ("[" * 5000, "not JSON"),
    ('{"Items": ["x"]}', r"Items\[0\]: found str"),
    ([], "no pay-as-you-go price of Sentinel in 'uksouth'"),
    ([item("analytics", 4.3, "eastus")], "the pages are of eastus"),
    ([item("analytics", 5.0, currencyCode="EUR")], r"Items\[0\]\.currencyCode: .* priced in EUR; expected USD"),
    ([item("analytics", -1)], r"Items\[0\]\.retailPrice: .* expected a number of 0 or more"),
    ([item("analytics", 0, retailPrice="5.38")], "expected a number of 0 or more"),
    ([item("analytics", 0, retailPrice=True)], "expected a number of 0 or more"),
    ([item("analytics", 0, retailPrice=1e300)], "expected a number of 0 or more"),
    ([item("analytics", 5.38, effectiveStartDate="soon")], r"effectiveStartDate: .* expected a date"),
    ([item("analytics", 5.38), item("analytics", 5.4)], "costs 5.38 and 5.4 from 2023-07-01"),
    ([item("analytics", 5.38), item("analytics", 5, tierMinimumUnits=100)], "prices from 0.*100.* units on"),
]


@pytest.mark.parametrize(("found", "words"), BAD)
def test_what_cannot_be_a_price_list_is_refused(found: str | list[Item], words: str) -> None:
    with pytest.raises(RefreshError, match=words):
        read_pages([("page", found if isinstance(found, str) else page(found))], "uksouth", READ)


@pytest.mark.parametrize("region", ["", "uk south", "uksouth' or 1 eq 1", "../etc", "UKSouth"])
def test_no_region_gets_into_the_filter_unread(region: str) -> None:
    with pytest.raises(RefreshError, match="the region as Azure writes it"):
        queries(region)


def test_what_is_asked_for() -> None:
    sentinel, retention = queries("uksouth")
    assert sentinel.startswith(f"{ENDPOINT}?currencyCode='USD'&$filter=serviceName%20eq%20'Sentinel'%20and")
    assert "armRegionName%20eq%20'uksouth'%20and%20priceType%20eq%20'Consumption'" in sentinel
    assert "serviceName%20eq%20'Log%20Analytics'" in retention


# ------------------------------------------------------------------ over the network

FIRST = f"{ENDPOINT}?$filter=x"
Answer = Callable[[Any], Any]


def served(answer: Answer) -> tuple[Any, list[float]]:
    """A client that is answered by a function, and how long it was told to wait."""
    httpx = pytest.importorskip("httpx")
    return httpx.Client(transport=httpx.MockTransport(answer)), []


def test_pages_are_followed_to_the_last() -> None:
    httpx = pytest.importorskip("httpx")
    all_items = uk_south()
    second, third = f"{FIRST}&$skip=10", f"{FIRST}&$skip=20"
    parts = {
        FIRST: page(all_items[:10], second), second: page(all_items[10:20], third), third: page(all_items[20:]),
    }  # fmt: skip
    asked = []

    def answer(request: Any) -> Any:
        asked.append(str(request.url))
        return httpx.Response(200, text=parts[str(request.url)])

    client, waits = served(answer)
    pages = list(fetch([FIRST], client, waits.append))
    assert asked == [FIRST, second, third]
    assert read_pages(pages, "uksouth", READ) == reading(all_items)
    assert waits == []


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/api/retail/prices?$skip=10",
        "http://prices.azure.com/api/retail/prices?$skip=10",
        "https://prices.azure.com.evil.example/api",
        "https://prices.azure.com@evil.example/api",
        "https://user@prices.azure.com/api",
        "https://prices.azure.com:8443/api",
        "//evil.example/api",
        "file:///etc/passwd",
        "https://prices.azure.com\\@evil.example/",
        "/api/retail/prices?$skip=10",
    ],
)
def test_a_next_page_elsewhere_is_refused_and_never_read(link: str) -> None:
    httpx = pytest.importorskip("httpx")
    asked = []

    def answer(request: Any) -> Any:
        asked.append(request)
        return httpx.Response(200, text=page(uk_south(), link))

    client, waits = served(answer)
    with pytest.raises(RefreshError, match="NextPageLink leads to"):
        list(fetch([FIRST], client, waits.append))
    assert len(asked) == 1


def test_a_server_that_is_busy_at_first_is_read_over_a_real_connection() -> None:
    pytest.importorskip("httpx")
    part = uk_south()
    busy = iter([True, False, False])

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here = f"http://127.0.0.1:{self.server.server_address[1]}/api/retail/prices"
            first = "skip" not in self.path
            body = page(part[:9], f"{here}?$skip=9") if first else page(part[9:])
            self.send_response(429 if next(busy) else 200)
            self.send_header("Retry-After", "3")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        waits: list[float] = []
        address = f"http://127.0.0.1:{server.server_address[1]}/api/retail/prices?$filter=x"
        pages = list(fetch([address], sleep=waits.append))
        server.shutdown()
    assert waits == [3.0]
    assert read_pages(pages, "uksouth", READ) == reading(part)


def test_pages_without_end_are_refused() -> None:
    httpx = pytest.importorskip("httpx")
    client, waits = served(lambda request: httpx.Response(200, text=page([], str(request.url))))
    with pytest.raises(RefreshError, match="no end after 1 pages"):
        list(fetch([FIRST], client, waits.append))
    numbers = iter(range(1000))
    client, waits = served(lambda request: httpx.Response(200, text=page([], f"{FIRST}&n={next(numbers)}")))
    with pytest.raises(RefreshError, match="no end after 50 pages"):
        list(fetch([FIRST], client, waits.append))


def test_a_redirect_is_not_followed() -> None:
    httpx = pytest.importorskip("httpx")
    client, waits = served(lambda request: httpx.Response(302, headers={"Location": "https://evil.example/"}))
    with pytest.raises(RefreshError, match=r"answered 302; .* A redirect is not followed"):
        list(fetch([FIRST], client, waits.append))


@pytest.mark.parametrize(
    ("answers", "waited"),
    [
        ([(429, {"Retry-After": "7"})], [7.0]),
        ([(503, {}), (500, {})], [1.0, 2.0]),
        ([(429, {"Retry-After": "86400"})], [60.0]),
        # A date is counted from the answer's own, never from the clock here.
        ([(429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:27:48 GMT"})], [12.0]),
        ([(429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:29:00 GMT"})], [0.0]),
        ([(429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})], [1.0]),
        ([(429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "today"})], [1.0]),
        ([(502, {"Retry-After": "soon"})], [1.0]),
    ],
)
def test_it_waits_as_it_is_told_and_tries_again(answers: list[tuple[int, dict[str, str]]], waited: list[float]) -> None:
    httpx = pytest.importorskip("httpx")
    left = list(answers)

    def answer(request: Any) -> Any:
        if left:
            code, headers = left.pop(0)
            return httpx.Response(code, headers=headers)
        return httpx.Response(200, text=page(uk_south()))

    client, waits = served(answer)
    assert len(list(fetch([FIRST], client, waits.append))) == 1
    assert waits == waited


def test_it_gives_up_in_the_end() -> None:
    httpx = pytest.importorskip("httpx")
    client, waits = served(lambda request: httpx.Response(503))
    with pytest.raises(RefreshError, match=r"answered 503, 4 times.*--response FILE"):
        list(fetch([FIRST], client, waits.append))
    assert waits == [1.0, 2.0, 4.0]
    client, waits = served(lambda request: httpx.Response(403))
    with pytest.raises(RefreshError, match="answered 403; expected 200"):
        list(fetch([FIRST], client, waits.append))
    assert waits == []


def test_offline_says_so() -> None:
    httpx = pytest.importorskip("httpx")

    def answer(request: Any) -> Any:
        raise httpx.ConnectError("no route")

    client, waits = served(answer)
    with pytest.raises(RefreshError, match=r"cannot be reached \(ConnectError\), 4 times.*prices\.azure\.com"):
        list(fetch([FIRST], client, waits.append))


def test_without_httpx_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "httpx", None)
    with pytest.raises(RefreshError, match=r"needs httpx.*siem-estimator\[live\]"):
        list(fetch([FIRST]))
