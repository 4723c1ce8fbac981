"""The generator: same spec, same bytes; who emits what; truth that adds up; and figures like those of a real tenant."""

import csv
import dataclasses
import gzip
import json
from datetime import UTC, date, datetime

import numpy as np
import pytest

from sample_tenants.generator import Application, TenantSpec, generate, truth, write
from sample_tenants.generator.binds import bind_records
from sample_tenants.generator.dice import Dice
from sample_tenants.generator.files import rows
from sample_tenants.generator.operations import BIND, CREATE, NEWLY_AVAILABLE, OPERATIONS, SEND, SYNC
from sample_tenants.generator.records import AuditWriter
from sample_tenants.generator.sizes import SizeLaw
from sample_tenants.generator.tenant import future

NEW = {OPERATIONS[op].key for op in NEWLY_AVAILABLE}
SMALL = TenantSpec(
    seed=5,
    mailboxes=60,
    rooms=1,
    pilots=0.2,
    customised=0.1,
    applications=(Application(share=0.4, records_per_day=12.0),),
)


@pytest.fixture(scope="module")
def small():
    return generate(SMALL)


@pytest.fixture(scope="module")
def answer(small):
    return truth(small)


@pytest.fixture(scope="module")
def folder(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("small")
    write(small, path)
    return path


@pytest.fixture(scope="module")
def audit(folder):
    return read_audit(folder)


@pytest.fixture(scope="module")
def large():
    return generate(TenantSpec(seed=3, mailboxes=600))


@pytest.fixture(scope="module")
def working_days(large):
    """Rates by operation and mailbox on working days, opened by working and by weekend day, messages by Bind record."""
    holidays = {date(2026, 10, 12), date(2026, 11, 11), date(2026, 11, 26)}
    counts = np.zeros((len(OPERATIONS), len(large.mailboxes)))
    days, weekend, items = {}, {}, []
    for events in future(large):
        if not len(events):
            continue
        local = datetime.fromtimestamp(int(np.median(events.time)), UTC).date()
        opened = int((events.operation <= SYNC).sum())
        if local.weekday() >= 5:
            weekend[local] = opened
        elif local not in holidays:
            days[local] = opened
            np.add.at(counts, (events.operation, events.mailbox), 1)
            items.append(events.items[events.operation == BIND])
    return counts / len(days), days, weekend, np.concatenate(items)


def read_audit(folder):
    csv.field_size_limit(10**8)
    with gzip.open(folder / "audit.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return [(row, json.loads(row["AuditData"])) for row in csv.DictReader(file)]


def read_table(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def total(document, flow, keys=None):
    found = [row[flow] for row in document["horizon"] if keys is None or row["operation"] in keys]
    return sum(r["events"] for r in found), sum(r["bytes"] for r in found)


def test_same_spec_gives_same_bytes(small, folder, answer, tmp_path):
    again = generate(SMALL)
    write(again, tmp_path)

    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert answer == truth(again)
    assert answer == truth(small)  # asking does not change a tenant


def test_another_seed_gives_another_tenant(small):
    other = generate(dataclasses.replace(SMALL, seed=6))

    assert other.mailboxes.upn != small.mailboxes.upn
    assert len(other.sample) != len(small.sample)


def test_dice_are_the_same_everywhere():
    """The raw stream is NumPy's promise; a change here means every committed tenant changes."""
    assert Dice(7, 1).below(np.full(8, 1000)).tolist() == [770, 111, 189, 159, 431, 501, 992, 306]


def test_files_have_the_headers_of_real_exports(folder):
    mailboxes, activity = folder / "mailboxes.csv", folder / "email_activity.csv"
    lines = gzip.decompress((folder / "audit.csv.gz").read_bytes()).split(b"\r\n")

    assert mailboxes.read_bytes().startswith(b"\xef\xbb\xbfUserPrincipalName,DisplayName,PrimarySmtpAddress,Recipient")
    assert activity.read_bytes().startswith(b"\xef\xbb\xbfReport Refresh Date,User Principal Name,")
    assert (folder / "licences.csv").read_bytes().startswith(b"UserPrincipalName,SkuPartNumber\r\n")
    assert lines[0].startswith(b"RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits,")
    assert lines[-1] == b""


def test_audit_columns_agree_with_audit_data(audit):
    for row, data in audit:
        assert row["RecordId"] == data["Id"]
        assert row["CreationDate"] == data["CreationTime"] + ".0000000Z"
        assert (row["Operation"], row["UserId"]) == (data["Operation"], data["UserId"])
        assert int(row["RecordType"]) == data["RecordType"]
    assert len({row["RecordId"] for row, _ in audit}) == len(audit)


def test_sample_covers_its_days_and_no_others(audit):
    days = {data["CreationTime"][:10] for _, data in audit}

    assert min(days) == "2026-09-14"
    assert max(days) == "2026-09-27"
    assert len(days) == 14


def test_only_those_emit_who_are_set_to(folder, audit):
    """A mailbox whose audit lists do not name an operation shows none of it."""
    lists = {row["UserPrincipalName"]: row for row in read_table(folder / "mailboxes.csv")}
    seen = set()
    for _, data in audit:
        if data["Workload"] != "Exchange":
            continue
        box = lists[data["MailboxOwnerUPN"]]
        allowed = box["AuditOwner"] if data["LogonType"] == 0 else box["AuditOwner"] + "," + box["AuditDelegate"]
        assert data["Operation"] in allowed.split(",")
        seen.add((data["Operation"], data["MailboxOwnerUPN"]))
    emitting = {upn for upn, row in lists.items() if "MailItemsAccessed" in row["AuditOwner"]}

    assert {upn for op, upn in seen if op == "MailItemsAccessed"} <= emitting
    assert len({upn for op, upn in seen if op == "MailItemsAccessed"}) > 0.8 * len(emitting)
    # The others are covered all the same: most of them show other Exchange events.
    others = {upn for upn, row in lists.items() if upn not in emitting and row["RecipientTypeDetails"] != "RoomMailbox"}
    assert len(others & {upn for _, upn in seen}) > 0.6 * len(others)


def test_planted_settings_are_in_the_inventories(small, folder):
    boxes = small.mailboxes
    licences = {row["UserPrincipalName"]: row["SkuPartNumber"] for row in read_table(folder / "licences.csv")}
    activity = {row["User Principal Name"] for row in read_table(folder / "email_activity.csv")}
    for n, row in enumerate(read_table(folder / "mailboxes.csv")):
        upn = row["UserPrincipalName"]
        assert ("Send" in row["AuditOwner"].split(",")) == boxes.emitting[n]
        assert (row["DefaultAuditSet"] == "Admin,Delegate") == boxes.customised[n]
        assert (row["AuditOwner"] == "Update,HardDelete") == boxes.customised[n]
        assert (upn in licences) == (upn in activity) == (row["RecipientTypeDetails"] == "UserMailbox")
        assert (row["Department"] != "") == (row["RecipientTypeDetails"] == "UserMailbox")
        assert licences.get(upn) != "SPE_E5" or boxes.emitting[n]
    pilots = [n for n, sku in enumerate(boxes.sku) if sku == "SPE_E3" and boxes.emitting[n]]

    assert len(pilots) == round(0.2 * boxes.sku.count("SPE_E3"))
    assert boxes.customised.sum() > 0


def test_rooms_do_nothing(small):
    room = small.mailboxes.kind.index("RoomMailbox")

    assert not (small.sample.mailbox == room).any()


def test_sizes_are_those_of_the_records(small):
    """Truth weighs records without writing them; in the sample both can be done."""
    writer = AuditWriter(SMALL.seed, SMALL.domain)
    length = np.array([len(upn) for upn in small.mailboxes.upn])
    sample = small.sample
    user = np.array([len(small.user(p)) for p in sample.principal.tolist()])

    law = SizeLaw(writer)(sample, user, length[sample.mailbox])

    assert law.tolist() == [len(writer(row).encode()) for row in rows(small)]


def test_record_sizes_are_those_of_2026():
    """Bind: about 1,400 bytes and 350 a message; Sync and Send between the measured 1,300 and half as much again."""
    law = SizeLaw(AuditWriter(1, "contoso.example"))
    names = 2 * len("first.last@contoso.example")
    item = law.items[BIND, 2] - law.items[BIND, 1]

    assert item == pytest.approx(350, abs=15)
    assert law.base[BIND] + names - item == pytest.approx(1400, abs=50)
    assert 1300 < law.base[SYNC] + names < 1700
    assert 1300 < law.base[SEND] + names < 1950


def test_truth_is_additive(small, answer):
    """What is emitted already and what would be added are together what everybody would emit."""
    boxes = small.mailboxes
    everyone = dataclasses.replace(boxes, emitting=boxes.audited, customised=np.zeros(len(boxes), dtype=bool))
    whole = truth(dataclasses.replace(small, mailboxes=everyone))

    assert total(whole, "added") == (0, 0)
    for key in NEW:
        parts = [total(answer, flow, {key}) for flow in ("already", "added")]
        assert total(whole, "already", {key}) == tuple(map(sum, zip(*parts, strict=True)))
    assert total(answer, "added", NEW) == total(answer, "added")
    assert total(answer, "added")[0] > 0


@pytest.mark.parametrize("flow", ["already", "added"])
def test_truth_months_add_up_to_the_horizon(answer, flow):
    for row in answer["horizon"]:
        months = [m[flow] for m in answer["months"] if m["operation"] == row["operation"]]
        assert len(months) == SMALL.forecast_months
        for unit in ("events", "bytes"):
            assert sum(m[unit] for m in months) == row[flow][unit]
    access = answer["mail_items_accessed"]
    assert sum(r[flow]["events"] for r in access) == total(answer, flow, {"Exchange/MailItemsAccessed"})[0]


def test_truth_by_class_adds_up(answer):
    for key in NEW:
        classes = [row for row in answer["added_by_class"] if row["operation"] == key]
        assert (sum(c["events"] for c in classes), sum(c["bytes"] for c in classes)) == total(answer, "added", {key})


def test_truth_weighs_short_records_when_asked(small, answer, tmp_path):
    write(small, tmp_path, counts_only=True)
    short = truth(small, counts_only=True)
    fields = {"Id", "CreationTime", "Operation", "Workload", "RecordType", "UserId"}

    assert [r["already"]["events"] for r in short["horizon"]] == [r["already"]["events"] for r in answer["horizon"]]
    assert 4 * total(short, "added")[1] < total(answer, "added")[1]
    assert all(set(data) - {"MailboxOwnerUPN", "OperationProperties"} == fields for _, data in read_audit(tmp_path))


def test_applications_are_steady_and_act_by_guid(small, audit):
    program = small.user(-1)
    touched = {}
    for _, data in audit:
        if data["UserId"] == program:
            touched.setdefault(data["MailboxOwnerUPN"], []).append(data["CreationTime"][:10])
            assert data["ClientAppId"] == program != data["MailboxOwnerUPN"]
    assert "@" not in program
    assert len(touched) > 3
    for days in touched.values():
        assert len(days) / 14 == pytest.approx(12.0, rel=0.1)
        assert len(set(days)) == 14


def test_the_same_people_whatever_they_are_licensed_for(small):
    other = generate(dataclasses.replace(SMALL, pilots=0.0, bias="strong"))

    assert other.mailboxes.upn == small.mailboxes.upn
    assert (other.report.sent == small.report.sent).all()


def test_bias_makes_the_emitting_ones_busier():
    def excess(bias):
        spec = TenantSpec(seed=11, mailboxes=400, licences={"SPE_E3": 0.8, "SPE_E5": 0.2}, bias=bias, shared=0.0)
        boxes = generate(spec).mailboxes
        arriving = boxes.habits["arriving"]
        return arriving[boxes.emitting].mean() / arriving[~boxes.emitting].mean()

    none, mild, strong = (excess(bias) for bias in ("none", "mild", "strong"))

    assert 0.5 < none < 1.6
    assert none < mild < strong
    assert strong > 3


def test_weekends_are_about_a_fifth_of_a_weekday(working_days):
    _, days, weekend, _ = working_days

    assert 0.17 < np.mean(list(weekend.values())) / np.mean(list(days.values())) < 0.27


def test_mailboxes_differ_as_real_ones_do(working_days):
    """Measured on a real tenant: median 10, mean 40, log-sd 1.8, the busiest 5 of 56 carry half."""
    rate = working_days[0][[BIND, SYNC]].sum(axis=0)
    seen = rate[rate > 0]
    busiest = np.sort(rate)[::-1]

    assert 6 < np.median(seen) < 15
    assert 25 < seen.mean() < 50
    assert 1.6 < np.log(seen).std() < 2.0
    assert 0.40 < busiest[: round(len(rate) * 5 / 56)].sum() / rate.sum() < 0.62


def test_sending_goes_with_opening(large, working_days):
    """Measured: log-correlation 0.78, and 20 to 37 opened for each sent; here people alone, who send more."""
    counts = working_days[0][:, large.mailboxes.person] * 9
    opened, sent = counts[[BIND, SYNC]].sum(axis=0), counts[SEND]

    assert 0.70 < np.corrcoef(np.log1p(opened), np.log1p(sent))[0, 1] < 0.88
    assert 9 < opened.sum() / sent.sum() < 30


def test_records_hold_messages_as_real_ones_do(working_days):
    """Measured: 3.56 messages a Bind record, median 2; 4 to 8 % of the records are Sync."""
    counts, _, _, items = working_days

    assert 2.9 < items.mean() < 4.2
    assert np.median(items) == 2
    assert 0.04 < counts[SYNC].sum() / counts[[BIND, SYNC]].sum() < 0.08


def test_weeks_swing_but_weekdays_are_alike(working_days):
    days = np.array(list(working_days[1].values()))

    assert 0.03 < days.std() / days.mean() < 0.15


def test_report_counts_what_the_log_would_show(large):
    """For those who emit, Send records of the sampled fortnight are about 14 thirtieths of the report's Send Count."""
    sample, boxes = large.sample, large.mailboxes
    sent = np.bincount(sample.mailbox[sample.operation == SEND], minlength=len(boxes))
    known = boxes.emitting & boxes.person

    assert sent[~boxes.emitting].sum() == 0
    assert sent[known].sum() / large.report.sent[known].sum() == pytest.approx(14 / 30, rel=0.15)


def test_delegates_neither_send_nor_create_as_owner(small):
    for events in (small.sample, next(iter(future(small)))):
        owner_only = (events.operation == SEND) | (events.operation == CREATE)
        assert (events.principal[owner_only] == events.mailbox[owner_only]).all()


class TestBinds:
    """Two-minute windows and the suppression of repeats, as documented."""

    def make(self, *binds):
        columns = [np.array(column, dtype=np.int64) for column in zip(*binds, strict=True)]
        first, items = bind_records(*columns)
        return first.tolist(), items.tolist()

    def test_one_window_makes_one_record(self):
        assert self.make((1, 0, 10, 100, 1), (1, 0, 119, 101, 2)) == ([0], [3])

    def test_the_next_window_makes_another(self):
        assert self.make((1, 0, 119, 100, 1), (1, 0, 120, 101, 1)) == ([0, 1], [1, 1])

    def test_another_folder_or_session_makes_another(self):
        assert self.make((1, 0, 5, 100, 1), (1, 1, 5, 101, 1), (2, 0, 5, 100, 1)) == ([0, 1, 2], [1, 1, 1])

    def test_a_repeat_within_the_hour_is_dropped(self):
        assert self.make((1, 0, 0, 100, 1), (1, 0, 3599, 100, 1)) == ([0], [1])
        assert self.make((1, 0, 0, 100, 1), (1, 0, 3600, 100, 1)) == ([0, 1], [1, 1])

    def test_nothing_makes_nothing(self):
        nothing = np.zeros(0, dtype=np.int64)
        assert [len(column) for column in bind_records(*[nothing] * 5)] == [0, 0]


class TestSpec:
    def test_shares_must_sum_to_one(self):
        with pytest.raises(ValueError, match=r"licences: shares sum to 0\.5"):
            TenantSpec(licences={"SPE_E3": 0.5})

    def test_forecast_must_follow_the_report(self):
        with pytest.raises(ValueError, match="forecast_start: 2026-09-01"):
            TenantSpec(forecast_start=date(2026, 9, 1))

    def test_months_cross_the_year(self):
        spec = TenantSpec(forecast_start=date(2026, 12, 1), forecast_months=3)

        assert spec.months == ["2026-12", "2027-01", "2027-02"]
        assert spec.forecast_end == date(2027, 3, 1)
