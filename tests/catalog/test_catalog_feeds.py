from __future__ import annotations

import pytest

from estimator import catalog
from estimator.catalog import Feed
from estimator.errors import ScenarioError, UsageError

FEEDS = catalog.feeds()


def test_the_feeds_of_the_design() -> None:
    assert {key: (one.siem, one.stream) for key, one in FEEDS.items()} == {
        "sentinel-officeactivity": ("sentinel", "OfficeActivity"),
        "sentinel-cloudappevents": ("sentinel", "CloudAppEvents"),
        "splunk-o365": ("splunk", "o365:management:activity"),
        "elastic-o365": ("elastic", "o365.audit"),
        "raw-management-api": ("raw", "raw"),
    }
    assert {key: (one.size_factor.low, one.size_factor.mode, one.size_factor.high) for key, one in FEEDS.items()} == {
        "sentinel-officeactivity": (0.6, 1.0, 1.4),
        "sentinel-cloudappevents": (1.5, 1.8, 2.2),
        "splunk-o365": (1.0, 1.0, 1.0),
        "elastic-o365": (2.0, 2.5, 3.0),
        "raw-management-api": (1.0, 1.0, 1.0),
    }
    assert {one.size_factor.basis for one in FEEDS.values()} == {"assumed"}
    assert [key for key, one in FEEDS.items() if one.dedupes] == ["elastic-o365"]


@pytest.mark.parametrize("one", FEEDS.values(), ids=FEEDS)
def test_every_figure_has_basis_and_source(one: Feed) -> None:
    known = catalog.sources()
    for factor in (one.size_factor, one.delivery_factor):
        assert factor.source in known
        assert factor.basis in ("published", "assumed")
        assert 0 < factor.low <= factor.mode <= factor.high
        assert factor.low <= factor.mean <= factor.high
    assert set(one.sources) <= known.keys()
    assert one.delivery_factor.low >= 1


@pytest.mark.parametrize(
    ("feed", "key", "coverage"),
    [
        ("sentinel-officeactivity", "Exchange/MailItemsAccessed", "yes"),
        ("sentinel-officeactivity", "OneDrive/FileAccessed", "yes"),
        ("sentinel-officeactivity", "MicrosoftTeams/MessageSent", "unverified"),
        ("sentinel-officeactivity", "Yammer/ThreadViewed", "no"),
        ("sentinel-officeactivity", "Copilot/CopilotInteraction", "no"),
        ("sentinel-officeactivity", "AzureActiveDirectory/UserLoggedIn", "no"),
        ("sentinel-cloudappevents", "Exchange/MailItemsAccessed", "yes"),
        ("sentinel-cloudappevents", "Yammer/MessageUpdated", "unverified"),
        ("sentinel-cloudappevents", "MicrosoftTeams/MessageUpdated", "unverified"),
        ("sentinel-cloudappevents", "MicrosoftTeams/MessageReadReceiptReceived", "yes"),
        ("sentinel-cloudappevents", "Copilot/CopilotInteraction", "unknown"),
        ("splunk-o365", "Copilot/CopilotInteraction", "yes"),
        ("elastic-o365", "Whatever/Else", "yes"),
        ("raw-management-api", "MicrosoftStream/StreamInvokeGetVideo", "yes"),
    ],
)
def test_coverage(feed: str, key: str, coverage: str) -> None:
    one, (workload, _, operation) = catalog.feed(feed), key.partition("/")
    assert one.coverage(workload, operation) == coverage
    assert one.coverage(workload.upper(), operation.lower()) == coverage
    assert one.carries(workload, operation) == (coverage in ("yes", "unverified"))


def test_the_two_sentinel_tables_are_two_copies() -> None:
    assert catalog.feed("sentinel-cloudappevents").same_records_as == ("sentinel-officeactivity",)
    assert all(key in FEEDS[other].same_records_as for key, one in FEEDS.items() for other in one.same_records_as)
    assert any("Defender XDR" in text for text in catalog.feed("sentinel-cloudappevents").requires)


def test_unknown_feed_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="nearest: 'sentinel-cloudappevents'") as caught:
        catalog.feed("sentinel-cloudapevents")
    assert caught.value.exit_code == 2
    with pytest.raises(ScenarioError, match=r"^wave\.toml:feeds\.0\.id: the feed 'qradar' is unknown") as refused:
        catalog.feed("qradar", path="wave.toml", place="feeds.0.id")
    assert refused.value.exit_code == 3
