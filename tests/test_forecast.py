"""The forecast: calendars by hand, additivity, what is already flowing and what is added."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from estimator import catalog, tables
from estimator.draws import Draws
from estimator.forecast import Forecast, Spread
from estimator.inventory import Inventory
from estimator.rates import Holidays, RateModel, fit_rates
from estimator.readiness import judge
from estimator.scenario import Connect, Enable, FeedState, Scenario, enabled

MAIL_ITEMS = "Exchange/MailItemsAccessed"
FILES = "SharePoint/FileAccessed"
ON = "ApplyRecord,MailItemsAccessed,Send"
OFF = "ApplyRecord"
WEEKDAYS = pd.bdate_range("2026-09-14", "2026-09-18", unit="us")


def inventory(emitting: int, joining: int) -> Inventory:
    n = emitting + joining
    sets = [ON] * emitting + [OFF] * joining
    boxes = pd.DataFrame(
        {
            "mailbox": [f"u{i:03}@x.example" for i in range(n)],
            "kind": "user",
            "audit_tier": "standard",
            "audit_enabled": True,
            "default_audit_set": "admin,delegate,owner",
            "audit_admin": sets,
            "audit_delegate": sets,
            "audit_owner": sets,
            "bypassed": False,
            "department": ["Finance" if i % 2 else "Legal" for i in range(n)],
        }
    )
    activity = pd.DataFrame(
        {
            "mailbox": boxes["mailbox"],
            "sends": 100.0,
            "receives": 400.0,
            "reads": 200.0,
            "period_days": 30,
            "period_end": pd.Timestamp("2026-09-27").as_unit("us"),
        }
    )
    return Inventory(boxes, activity, 0, {}, [])


def sample(emitting: int, per_day: int, size: int = 2000) -> pd.DataFrame:
    """Monday to Friday; each emitting mailbox has `per_day` records a day of `size` bytes; two sites are read too."""
    rows = [
        (day, f"u{i:03}@x.example", "mailbox", f"u{i:03}@x.example", "Exchange", "MailItemsAccessed", per_day)
        for day in WEEKDAYS
        for i in range(emitting)
    ]
    rows += [
        (day, f"https://x.example/{site}", "site", "u000@x.example", "SharePoint", "FileAccessed", 7)
        for day in WEEKDAYS
        for site in "ab"
    ]
    frame = pd.DataFrame(
        rows, columns=["day", "subject", "subject_kind", "principal", "workload", "operation", "events"]
    )
    return frame.assign(
        access_type="", app_id="", throttled=False, raw_events=frame["events"], items=frame["events"],
        bytes=frame["events"] * size, size_basis="auditdata", weight=1.0,
    ).astype({"day": "datetime64[us]"})[tables.REDUCTION.names]  # fmt: skip


def story(**changes: object) -> Scenario:
    base: dict[str, object] = {
        "schema_version": 1,
        "id": "s",
        "title": "S",
        "start": dt.date(2026, 10, 1),
        "months": 2,
        "feeds": (FeedState(id="raw-management-api", connected=True),),
        "changes": (Enable(kind="enable", operations=(MAIL_ITEMS,)),),
    }
    return Scenario(**{**base, **changes})  # type: ignore[arg-type]


def forecast(scenario: Scenario, emitting: int = 40, joining: int = 60, per_day: int = 10) -> Forecast:
    tenant, seen = inventory(emitting, joining), sample(emitting, per_day)
    verdicts = judge(tenant, seen)
    model = fit_rates(seen, tenant, verdicts, Holidays(scenario.country), Draws(2000, 0))
    return Forecast(scenario, model, verdicts, enabled(scenario, tenant.mailboxes, "s"))


def horizon(result: Forecast, flow: str, operation: str = MAIL_ITEMS, feed: str = "raw-management-api") -> Spread:
    (found,) = [
        v.events for v in result.volumes(monthly=False)
        if (v.flow, v.operation, v.feed) == (flow, operation, feed)
    ]  # fmt: skip
    return found


def weekday_equivalents(first: str, last: str) -> float:
    """Weekdays plus weekend days at the published weights: the sample has no weekend."""
    days = pd.date_range(first, last)
    priors = catalog.priors()
    return float(
        (days.day_of_week < 5).sum()
        + (days.day_of_week == 5).sum() * priors.saturday_factor.value
        + (days.day_of_week == 6).sum() * priors.sunday_factor.value
    )


def test_what_flows_already_is_the_samples_own_rate_on_the_calendar() -> None:
    already = horizon(forecast(story()), "already")

    assert already.mean == pytest.approx(40 * 10 * weekday_equivalents("2026-10-01", "2026-11-30"), rel=0.02)


def test_what_is_added_is_the_learnt_rate_of_the_joining_mailboxes() -> None:
    """Sixty as busy as the forty: ten a weekday each."""
    without_shrinking = 60 * 10 * weekday_equivalents("2026-10-01", "2026-11-30")

    added = horizon(forecast(story()), "added")

    # The published 35 a day pulls up a little.
    assert without_shrinking * 0.97 < added.mean < without_shrinking * 1.1
    assert added.p10 < added.p50 < added.p90


def test_months_add_up_to_the_horizon() -> None:
    result = forecast(story())
    monthly = [v for v in result.volumes(monthly=True) if (v.operation, v.flow) == (MAIL_ITEMS, "added")]

    assert [v.month for v in monthly] == ["2026-10", "2026-11"]
    assert sum(v.events.mean for v in monthly) == pytest.approx(horizon(result, "added").mean)


def test_an_operation_enabled_in_mid_month_adds_nothing_before() -> None:
    later = (Enable(kind="enable", operations=(MAIL_ITEMS,), **{"from": dt.date(2026, 11, 16)}),)
    result = forecast(story(changes=later))
    october, november = (
        v.events for v in result.volumes(monthly=True) if (v.operation, v.flow) == (MAIL_ITEMS, "added")
    )

    assert october == Spread(0.0, 0.0, 0.0, 0.0)
    # 16-30 November: Monday to Monday, eleven weekdays and two weekends.
    whole = horizon(forecast(story()), "added").mean
    share = weekday_equivalents("2026-11-16", "2026-11-30") / weekday_equivalents("2026-10-01", "2026-11-30")
    assert november.mean == pytest.approx(whole * share, rel=0.01)


def test_two_waves_equal_all_at_once_draw_by_draw() -> None:
    waves = tuple(
        Enable(kind="enable", operations=(MAIL_ITEMS,), where={"department": (name,)}) for name in ("Finance", "Legal")
    )

    together = forecast(story()).events(MAIL_ITEMS, "added", "raw-management-api")
    in_waves = forecast(story(changes=waves)).events(MAIL_ITEMS, "added", "raw-management-api")

    assert in_waves == pytest.approx(together)


def test_connecting_a_feed_adds_all_it_carries_and_nothing_was_flowing() -> None:
    feeds = (FeedState(id="sentinel-cloudappevents", connected=False),)
    connect = Connect(kind="connect", feed="sentinel-cloudappevents")
    both = (Enable(kind="enable", operations=(MAIL_ITEMS,)), connect)

    result = forecast(story(feeds=feeds, changes=both))

    flows = {(v.operation, v.flow) for v in result.volumes(monthly=False)}
    assert {(MAIL_ITEMS, "added"), (FILES, "added")} <= flows
    assert not any(flow == "already" for _, flow in flows)
    alone = forecast(story())
    whole = horizon(alone, "already").mean + horizon(alone, "added").mean
    assert horizon(result, "added", feed="sentinel-cloudappevents").mean == pytest.approx(whole)
    assert horizon(result, "added", FILES, "sentinel-cloudappevents").mean == pytest.approx(
        14 * weekday_equivalents("2026-10-01", "2026-11-30"), rel=0.03
    )


def test_a_feed_connected_later_carries_nothing_before() -> None:
    feeds = (FeedState(id="sentinel-cloudappevents", connected=False),)
    connect = Connect(kind="connect", feed="sentinel-cloudappevents", **{"from": dt.date(2026, 11, 1)})
    result = forecast(story(feeds=feeds, changes=(connect,)))
    months = {v.month: v.events.mean for v in result.volumes(monthly=True) if v.operation == FILES}

    assert months["2026-10"] == 0
    assert months["2026-11"] > 0


def test_gb_is_events_times_record_times_the_feeds_factor() -> None:
    feeds = (FeedState(id="sentinel-cloudappevents", connected=True),)
    result = forecast(story(feeds=feeds))
    (volume,) = [v for v in result.volumes(monthly=False) if (v.operation, v.flow) == (MAIL_ITEMS, "already")]
    factor = catalog.feed("sentinel-cloudappevents").size_factor

    assert volume.gb.mean == pytest.approx(volume.events.mean * 2000 * factor.mean / 1e9, rel=0.02)


def test_daily_bytes_are_the_same_bytes_as_the_monthly_gb() -> None:
    result = forecast(story())
    (use,) = result.uses
    daily = result.daily(use, connected=True)
    gb = [v.gb.mean for v in result.volumes(monthly=False)]

    assert (daily.without + daily.added).sum(axis=0).mean() / 1e9 == pytest.approx(sum(gb))
    assert daily.added.shape == (61, 2000)


def test_copies_the_api_delivers_count_as_bytes_and_never_as_events() -> None:
    tenant, seen = inventory(40, 60), sample(40, 10)
    verdicts = judge(tenant, seen)

    def gb_and_events(copies: float | None) -> tuple[float, float]:
        model = fit_rates(seen, tenant, verdicts, Holidays(), Draws(500, 0), copies)
        result = Forecast(story(), model, verdicts, enabled(story(), tenant.mailboxes, "s"))
        (v,) = [v for v in result.volumes(monthly=False) if (v.operation, v.flow) == (MAIL_ITEMS, "already")]
        return v.gb.mean, v.events.mean

    once_gb, once_events = gb_and_events(None)
    twice_gb, twice_events = gb_and_events(2.0)

    assert twice_events == once_events
    assert twice_gb == pytest.approx(2 * once_gb)


def test_overlapping_portal_exports_deliver_no_copies() -> None:
    """The same records in two exports are counted once, in events and in GB."""
    tenant, seen = inventory(40, 60), sample(40, 10)
    twice = seen.assign(raw_events=seen["events"] * 2)
    verdicts = judge(tenant, seen)
    once, overlapping = (
        fit_rates(frame, tenant, verdicts, Holidays(), Draws(500, 0)).operations[MAIL_ITEMS] for frame in (seen, twice)
    )

    assert (once.flowing.people == overlapping.flowing.people).all()
    assert (once.bytes == overlapping.bytes).all()


def test_an_operation_nobody_knows_a_rate_of_is_listed_and_not_zero() -> None:
    search = Enable(kind="enable", operations=("Exchange/SearchQueryInitiatedExchange",))
    result = forecast(story(changes=(search,)))

    assert result.not_known == ["Exchange/SearchQueryInitiatedExchange"]
    assert not any(v.operation == "Exchange/SearchQueryInitiatedExchange" for v in result.volumes(monthly=False))


def test_operations_a_feed_may_or_may_not_carry_are_told_and_not_dropped() -> None:
    tenant, seen = inventory(40, 60), sample(40, 10)
    logins = seen[seen["subject_kind"] == "site"].assign(workload="AzureActiveDirectory", operation="UserLoggedIn")
    seen = pd.concat([seen, logins], ignore_index=True)
    verdicts = judge(tenant, seen)
    model = fit_rates(seen, tenant, verdicts, Holidays(), Draws(500, 0))
    cloud = story(feeds=(FeedState(id="sentinel-cloudappevents", connected=True),))
    result = Forecast(cloud, model, verdicts, enabled(cloud, tenant.mailboxes, "s"))

    (finding,) = [f for f in result.findings if f.code == "coverage_unknown"]
    assert "AzureActiveDirectory/UserLoggedIn" in finding.message


def test_retired_operations_are_known_to_be_zero() -> None:
    stream = Enable(kind="enable", operations=("MicrosoftStream/StreamInvokeGetVideo",))

    assert forecast(story(changes=(stream,))).not_known == []


def test_both_sentinel_feeds_connected_is_double_ingestion() -> None:
    feeds = (
        FeedState(id="sentinel-officeactivity", connected=True),
        FeedState(id="sentinel-cloudappevents", connected=False),
    )
    one = forecast(story(feeds=feeds))
    two = forecast(story(feeds=feeds, changes=(Connect(kind="connect", feed="sentinel-cloudappevents"),)))

    assert "double_ingestion" not in {f.code for f in one.findings}
    assert [f.code for f in two.findings].count("double_ingestion") == 1


def test_customised_sets_that_join_are_told_with_their_share() -> None:
    tenant, seen = inventory(40, 60), sample(40, 10)
    tenant.mailboxes.loc[40:45, "default_audit_set"] = "admin,delegate"
    verdicts = judge(tenant, seen)
    model = fit_rates(seen, tenant, verdicts, Holidays(), Draws(500, 0))
    result = Forecast(story(), model, verdicts, enabled(story(), tenant.mailboxes, "s"))

    (finding,) = [f for f in result.findings if f.code == "customised_sets_join"]
    assert "6 of 60 joining mailboxes, 10.0%" in finding.message


def test_without_a_sample_the_forecast_is_published_and_wide() -> None:
    tenant = inventory(0, 100)
    verdicts = judge(tenant, None)
    model = fit_rates(None, tenant, verdicts, Holidays(), Draws(2000, 0))
    result = Forecast(story(), model, verdicts, enabled(story(), tenant.mailboxes, "s"))
    (volume,) = [v for v in result.volumes(monthly=False) if v.flow == "added"]

    assert volume.basis == "published"
    # 100 x 35 a working day; the drawn swing and drift of a tenant nobody sampled have mean one.
    expected = 3500 * weekday_equivalents("2026-10-01", "2026-11-30")
    assert volume.events.mean == pytest.approx(expected, rel=0.05)
    assert volume.events.p90 / volume.events.p10 > 3


def test_mailboxes_no_sample_covers_are_split_by_a_stated_share() -> None:
    tenant, seen = inventory(50, 50), sample(40, 10)  # ten emitting ones are not in the sample
    verdicts = judge(tenant, seen[seen["subject_kind"] == "mailbox"])
    states = verdicts.of(MAIL_ITEMS)["state"].value_counts()

    assert states.to_dict() == {"blocked": 50, "emitting": 40, "unknown": 10}
    model = fit_rates(seen, tenant, verdicts, Holidays(), Draws(2000, 0))
    rates = model.operations[MAIL_ITEMS]
    low, mode, high = (catalog.priors().unknown_emitting_share.low, 0.9, 1.0)
    assert low is not None
    share = (low + mode + high) / 3
    assert rates.flowing_basis == "partly_measured"
    assert rates.flowing.people.mean() == pytest.approx(400 + 10 * 10 * share, rel=0.03)


def model_of(days: pd.DataFrame) -> RateModel:
    tenant = inventory(40, 0)
    return fit_rates(days, tenant, judge(tenant, days), Holidays(), Draws(4000, 0))


def test_the_noise_of_the_sampled_days_is_that_of_the_days_and_not_of_the_mailboxes() -> None:
    """Days of one mailbox vary by a Poisson here; mailboxes differ a hundredfold and must not widen what flows."""
    dice = np.random.default_rng(2)
    seen = sample(40, 1)
    boxes = seen["subject_kind"] == "mailbox"
    scale = {f"u{i:03}@x.example": 10 ** (i / 20) for i in range(40)}
    seen.loc[boxes, "events"] = dice.poisson(seen.loc[boxes, "subject"].map(scale)).astype("int64")
    flowing = model_of(seen).operations[MAIL_ITEMS].flowing.people
    total = seen.loc[boxes, "events"].sum()

    priors = catalog.priors()
    week, days = priors.week_swing_log_sd.value / np.sqrt(5 / 7), priors.common_day_log_sd.value / np.sqrt(5)
    tenant_wide = np.sqrt(week**2 + days**2 + priors.drift_log_sd.value**2)
    assert flowing.std() / flowing.mean() == pytest.approx(np.hypot(tenant_wide, 1 / np.sqrt(total)), rel=0.1)


def test_one_sampled_day_is_less_certain_than_five() -> None:
    five = sample(40, 100)
    one = five[five["day"] == five["day"].min()]

    def spread(frame: pd.DataFrame) -> float:
        people = model_of(frame).operations[MAIL_ITEMS].flowing.people
        return float(people.std() / people.mean())

    assert spread(one) > 1.7 * spread(five)


def test_a_sample_of_one_operation_is_told() -> None:
    seen = sample(40, 10)
    codes = {finding.code for finding in model_of(seen[seen["operation"] == "MailItemsAccessed"]).findings}

    assert "sample_few_operations" in codes


def test_a_service_account_with_a_users_name_is_told_and_not_named() -> None:
    seen = sample(40, 10)
    poller = seen[(seen["subject_kind"] == "mailbox") & seen["subject"].isin(["u001@x.example", "u002@x.example",
                                                                              "u003@x.example"])]  # fmt: skip
    poller = poller.assign(principal="svc-backup@x.example", events=900)
    (finding,) = [f for f in model_of(pd.concat([seen, poller])).findings if f.code == "heavy_principal"]

    assert "svc-backup" not in finding.message
    assert "87%" in finding.message  # 3 x 900 of 3 x 900 + 40 x 10 a day


def test_what_a_filtered_sample_leaves_out_is_not_known_on_a_new_feed() -> None:
    tenant, seen = inventory(40, 60), sample(40, 10)
    only = seen[seen["operation"] == "MailItemsAccessed"]
    connect = story(
        feeds=(FeedState(id="sentinel-cloudappevents", connected=False),),
        changes=(Connect(kind="connect", feed="sentinel-cloudappevents"),),
    )

    def not_known(frame: pd.DataFrame) -> list[str]:
        verdicts = judge(tenant, frame)
        model = fit_rates(frame, tenant, verdicts, Holidays(), Draws(500, 0))
        return Forecast(connect, model, verdicts, []).not_known

    everything = pd.concat([seen, seen.assign(operation="Update"), seen.assign(operation="SendAs")])
    assert "Exchange/ApplyRecord" in not_known(only)
    assert "Exchange/ApplyRecord" not in not_known(everything)
