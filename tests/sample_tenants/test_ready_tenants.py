"""The committed town and manufacturer: what was planted is what their files say, and the generator makes them again."""

import csv
import dataclasses
import gzip
import hashlib
import io
import json
import tomllib
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from sample_tenants.generator import PRESETS
from sample_tenants.generator.__main__ import make

ROOT = Path(__file__).parents[2] / "sample_tenants"
README = (ROOT / "README.md").read_text(encoding="utf-8")
NEW = ("MailItemsAccessed", "Send", "SearchQueryInitiatedExchange", "AttachmentAccess", "Create")
READY = ("town", "manufacturer")


def table(path):
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def told(name):
    return json.loads((ROOT / f"{name}.truth.json").read_text(encoding="utf-8"))


def contents(folder, name):
    """What is in a tenant's files, and beside them; of gzip files what is in those, for zlib builds differ."""
    paths = [p for p in (folder / name).iterdir() if p.is_file() and p.suffix != ".toml"]
    paths += folder.glob(f"{name}.*")
    return {
        p.name: hashlib.sha256(gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes()).hexdigest()
        for p in paths
    }


@pytest.fixture(scope="module")
def records():
    parts = [table(path) for path in sorted((ROOT / "town").glob("audit_*.csv.gz"))]
    assert all(len(part) < 50_000 for part in parts)
    return [row for part in parts for row in part]


@pytest.fixture(scope="module")
def boxes():
    return {b["UserPrincipalName"]: b for b in json.loads((ROOT / "town" / "mailboxes.json").read_text())}


@pytest.fixture(scope="module")
def counts():
    return table(ROOT / "manufacturer" / "counts.csv.gz")


def readme_table(heading, column="operation"):
    """The rows of the first table with a column of this name below a heading of the README."""
    lines = README.split(f"\n{heading}\n", 1)[1].split("\n## ")[0].splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {column} |"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start + 2 :]]
    end = next(n for n, row in enumerate(rows) if len(row) < 2)
    return {row[0]: int(row[1].replace(",", "")) for row in rows[:end]}


def test_readme_tells_the_towns_truth():
    added = {r["operation"].split("/")[1]: r["added"]["events"] for r in told("town")["horizon"]}
    programs = [r["added"]["events"] for r in told("town")["mail_items_accessed"] if r["principal"] == "application"]

    table = readme_table("## town")
    assert len(table) == 4
    assert table == {name: added[name] for name in table}
    assert f"{sum(programs):,} are theirs" in README


def test_readme_tells_the_manufacturers_truth_by_waves():
    """The scenario's waves, added up from the truth by department."""
    with (ROOT / "manufacturer" / "scenario.toml").open("rb") as file:
        changes = tomllib.load(file)["changes"]
    waves = {d: change["from"].month - 1 for change in changes for d in change["where"]["department"]}
    added = Counter()
    for row in told("manufacturer")["added_by_department"]:
        if row["department"] in waves and row["licence"] == "SPE_E3":
            added[row["operation"].split("/")[1]] += sum(row["events"][waves[row["department"]] :])
    hidden = [r["events"] for r in told("manufacturer")["hidden"] if r["cause"] == "bypassed_application"]

    assert len(changes) == 3
    assert set(waves) == set(PRESETS["manufacturer"].departments)
    assert readme_table("## manufacturer") == added
    assert f"{sum(hidden):,}" in README


def test_readme_tells_what_stands_against_mail_items_accessed():
    states = told("manufacturer")["planted"]["states"]["Exchange/MailItemsAccessed"]
    table = readme_table("## manufacturer", "planted")

    # The first cause of each cell is what the table goes by.
    assert sorted(table.values()) == sorted(Counter(first_causes(states)).values())
    assert sum(table.values()) == 3000


def first_causes(states):
    return [told.split("+")[0] for told, n in states.items() for _ in range(n)]


def test_all_three_are_small():
    files = [p for p in ROOT.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc", ".md")]

    assert {"law_firm", "town", "manufacturer"} <= {p.relative_to(ROOT).parts[0] for p in files}
    assert sum(p.stat().st_size for p in files) < 15_000_000


@pytest.mark.parametrize("name", READY)
def test_counts_of_causes_are_those_of_the_lists(name):
    planted, lists = told(name)["planted"], table(ROOT / f"{name}.planted.csv")

    assert planted["lists"] == f"{name}.planted.csv"
    assert set(planted["states"]) == {f"Exchange/{operation}" for operation in NEW}
    for operation in NEW:
        assert Counter(row[operation] for row in lists) == planted["states"][f"Exchange/{operation}"]
    assert planted["mailboxes"] == len(lists) == PRESETS[name].mailboxes


@pytest.mark.parametrize("name", READY)
def test_truth_covers_2027(name):
    document = told(name)

    assert sorted({row["month"] for row in document["months"]}) == [f"2027-{m:02d}" for m in range(1, 13)]
    for row in document["added_by_department"]:
        assert len(row["events"]) == len(row["bytes"]) == 12


@pytest.mark.slow
@pytest.mark.parametrize("name", READY)
def test_committed_files_are_what_the_generator_makes(name, tmp_path):
    make(PRESETS[name], tmp_path / name)

    assert contents(tmp_path, name) == contents(ROOT, name)


@pytest.mark.parametrize("name", READY)
def test_smaller_one_of_the_kind_is_the_same_twice(name, tmp_path):
    preset = PRESETS[name]
    spec = dataclasses.replace(
        preset,
        mailboxes=preset.mailboxes // (2 if name == "town" else 10),
        forecast_months=1,
        groups=2,
        inactive=2,
        rooms=2,
        equipment=1,
        unlicensed=2,
        unreadable=min(preset.unreadable, 2),
        bypassed_owners=min(preset.bypassed_owners, 2),
        searching=min(preset.searching, 4),
        customised_sets=dict.fromkeys(preset.customised_sets, 3),
        applications=tuple(dataclasses.replace(a, mailboxes=min(a.mailboxes, 4)) for a in preset.applications),
    )
    make(spec, tmp_path / "one" / name)
    make(spec, tmp_path / "two" / name)

    assert contents(tmp_path / "one", name) == contents(tmp_path / "two", name)
    assert len(contents(tmp_path / "one", name)) > 6


class TestTown:
    def test_mailboxes_and_licences_are_those_planted(self, boxes):
        planted = told("town")["planted"]
        kinds = Counter("inactive" if b["IsInactiveMailbox"] else b["RecipientTypeDetails"] for b in boxes.values())
        licences = Counter(row["Licenses"] for row in table(ROOT / "town" / "active_users.csv"))

        assert kinds == planted["kinds"]
        assert licences["Microsoft 365 Business Premium"] == planted["licences"]["SPB"]
        assert licences["Microsoft 365 F3"] == planted["licences"]["SPE_F1"]

    def test_states_are_those_of_the_sets(self, boxes):
        for row in table(ROOT / "town.planted.csv"):
            box = boxes[row["mailbox"]]
            if row["Send"] in ("on", "managed_set_of_2023", "customised_owner_set"):
                assert ("Send" in box["AuditOwner"]) == (row["Send"] == "on")
                assert ("Owner" in box["DefaultAuditSet"]) == (row["Send"] != "customised_owner_set")

    def test_one_application_makes_a_large_share(self, records):
        planted = told("town")["planted"]
        principals = Counter(row["UserId"] for row in records)
        (program,) = planted["applications"]

        assert len(records) == planted["sampled_events"]
        assert principals.most_common(1)[0] == (program["principal"], program["sampled_events"])
        assert 0.25 < program["sampled_events"] / len(records) < 0.4  # measured on a real town: 0.28
        polled = {
            json.loads(row["AuditData"])["MailboxOwnerUPN"] for row in records if row["UserId"] == program["principal"]
        }
        assert 0 < len(polled) <= program["mailboxes"] == 4

    def test_people_open_mail_as_people_do(self, records, boxes):
        """30 to 40 records a user and working day is Microsoft 365's published average; pilots are busier."""
        emitting = {row["mailbox"] for row in table(ROOT / "town.planted.csv") if row["MailItemsAccessed"] == "on"}
        pilots = {upn for upn in emitting if boxes[upn]["RecipientTypeDetails"] == "UserMailbox"}
        opened = sum(
            row["Operation"] == "MailItemsAccessed" and row["UserId"] in pilots and "@" in row["UserId"]
            for row in records
        )

        assert 25 < opened / len(pilots) / 10 < 60


class TestManufacturer:
    def test_sample_is_of_two_weeks_and_counts_what_was_planted(self, counts):
        spec, planted = PRESETS["manufacturer"], told("manufacturer")["planted"]
        days = {row["day"] for row in counts}

        assert days == {(spec.sample_start + timedelta(days=n)).isoformat() for n in range(14)}
        assert sum(int(row["events"]) for row in counts) == planted["sampled_events"]

    def test_nothing_of_a_bypassed_account_is_counted(self, counts):
        planted = told("manufacturer")["planted"]
        listed = {
            r["Identity"] for r in table(ROOT / "manufacturer" / "bypass.csv") if r["AuditBypassEnabled"] == "True"
        }
        bypassed = {*planted["bypassed_mailbox_accounts"], *planted["bypassed_accounts_without_mailbox"]}

        assert len(bypassed) == 7 + 2
        assert {upn.split("@")[0] for upn in bypassed} == listed
        assert not [r for r in counts if r["workload"] == "Exchange" and r["principal"] in bypassed]
        hidden = Counter()
        for row in told("manufacturer")["hidden"]:
            hidden[row["account"]] += row["events"]
        assert {a for a in hidden if a} == bypassed
        # What is hidden is no trifle: two programs do more than a third of what the log shows of mail opened.
        shown = next(r for r in told("manufacturer")["horizon"] if r["operation"] == "Exchange/MailItemsAccessed")
        assert sum(n for a, n in hidden.items() if a.startswith("svc-")) > shown["already"]["events"] / 3

    def test_applications_do_what_was_planted(self, counts):
        for program in told("manufacturer")["planted"]["applications"]:
            rows = [r for r in counts if r["principal"] == program["principal"]]
            events = sum(int(r["events"]) for r in rows)
            touched = {r["subject"] for r in rows}
            assert events == program["sampled_events"]
            assert len(touched) <= program["mailboxes"]
            assert events == pytest.approx(len(touched) * 14 * program["records_per_mailbox_day"], rel=0.05)
        backup = told("manufacturer")["planted"]["applications"][0]
        assert backup["mailboxes"] == 0.1 * PRESETS["manufacturer"].mailboxes

    def test_states_are_those_of_the_files(self):
        folder = ROOT / "manufacturer"
        boxes = {b["UserPrincipalName"]: b for b in table(folder / "mailboxes.csv")}
        bypassed = {r["Identity"] for r in table(folder / "bypass.csv") if r["AuditBypassEnabled"] == "True"}
        users = json.loads((folder / "users.json").read_text())["value"]
        licensed = {u["userPrincipalName"] for u in users if u["assignedLicenses"]}
        unlicensed = {u["userPrincipalName"] for u in users} - licensed
        lists = table(ROOT / "manufacturer.planted.csv")
        kinds = {row["mailbox"]: row["kind"] for row in lists}
        count = Counter()
        for row in lists:
            box, causes = boxes[row["mailbox"]], row["MailItemsAccessed"].split("+")
            count.update(causes)
            assert ("bypassed_owner" in causes) == (box["Alias"] in bypassed)
            assert ("no_licence" in causes) == (kinds[row["mailbox"]] == "UserMailbox" and row["mailbox"] in unlicensed)
            if row["shown_shortened"] == "True":
                assert box["AuditOwner"].endswith("...}")
            elif {"customised_owner_set", "managed_set_of_2023"} & set(causes):
                assert "MailItemsAccessed" not in box["AuditOwner"]
                assert ("Owner" in box["DefaultAuditSet"]) == ("managed_set_of_2023" in causes)
            elif "on" in causes:
                assert "MailItemsAccessed" in box["AuditOwner"]
        spec = PRESETS["manufacturer"]
        assert count["no_licence"] == spec.unlicensed
        assert count["bypassed_owner"] == spec.bypassed_owners + 1  # and the archive's own mailbox
        assert count["inactive"] == spec.inactive

    def test_totals_are_those_of_the_users(self):
        users = json.loads((ROOT / "manufacturer" / "users.json").read_text())["value"]
        units = Counter(one["skuId"] for user in users for one in user["assignedLicenses"])
        totals = {r["SkuId"]: int(r["ConsumedUnits"]) for r in table(ROOT / "manufacturer" / "sku_totals.csv")}

        assert totals == units
        assert {
            r["SkuPartNumber"]: int(r["ConsumedUnits"]) for r in table(ROOT / "manufacturer" / "sku_totals.csv")
        } == (told("manufacturer")["planted"]["licences"])
