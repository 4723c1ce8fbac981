"""Rows with AuditData: the portal's export, Search-UnifiedAuditLog, what PowerShell, Splunk and Excel made of them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from audit_exports import compact, size
from samples import (
    CMDLET_COLUMNS,
    EVENTS,
    PORTAL_COLUMNS,
    TALLY,
    Row,
    american,
    cmdlet_row,
    only,
    portal_row,
    read,
    table,
    tally,
    workbook,
)

from estimator.audit import reduce
from estimator.errors import AuditExportError

BYTES = sum(map(size, EVENTS))


def portal(*rows: Row, **how: Any) -> str:
    return table(rows, PORTAL_COLUMNS, **how)


def dated(number: int, shown: str, own: str = "") -> Row:
    """A row whose column shows a date, and whose AuditData has another form of it; without `own`, no AuditData."""
    row = portal_row({**EVENTS[2], "Id": f"00000000-0000-4000-8000-{number:012d}", "CreationTime": own})
    return {**row, "CreationDate": shown, **({} if own else {"AuditData": ""})}


def days(text: str, path: Path) -> list[str]:
    result = read(path, text)
    return [str(row["day"].date()) for row in result.table.to_dict("records") for _ in range(row["events"])]


# ------------------------------------------------------------------------------------------------------ columns


@pytest.mark.parametrize("seed", range(3))
def test_columns_come_in_any_order(tmp_path: Path, seed: int) -> None:
    columns = random.Random(seed).sample(CMDLET_COLUMNS, len(CMDLET_COLUMNS))
    path = tmp_path / "c.csv"
    result = read(path, table((cmdlet_row(n, one) for n, one in enumerate(EVENTS)), columns), fast_lane=True)
    assert (tally(result), int(result.table["bytes"].sum())) == (TALLY, BYTES)


def test_audit_data_is_found_whatever_the_case_and_spaces_of_its_name(tmp_path: Path) -> None:
    text = portal(*map(portal_row, EVENTS)).replace("AuditData", " auditdata ", 1)
    assert tally(read(tmp_path / "p.csv", text)) == TALLY


def test_the_portals_second_name_for_administrative_units(tmp_path: Path) -> None:
    columns = [name.replace("UnitsNames", "UnitNames") for name in PORTAL_COLUMNS]
    assert tally(read(tmp_path / "p.csv", table(map(portal_row, EVENTS), columns))) == TALLY


def test_identity_and_result_columns_are_known(tmp_path: Path) -> None:
    result = read(tmp_path / "c.csv", table(cmdlet_row(n, one) for n, one in enumerate(EVENTS, 1)))
    assert result.files[0].result_count == 5
    assert read(tmp_path / "p.csv", portal(*map(portal_row, EVENTS))).files[0].result_count is None


def test_the_same_export_twice_in_one_file_is_counted_once(tmp_path: Path) -> None:
    rows = [cmdlet_row(n, one) for n, one in enumerate(EVENTS)]
    result = read(tmp_path / "c.csv", table([*rows, *rows]))
    assert (result.read, result.distinct, result.duplicates) == (10, 5, 5)
    assert tally(result) == TALLY


# ---------------------------------------------------------------------------------------------- files and encoding


@pytest.mark.parametrize(
    ("encoding", "newline", "last"),
    [
        *(("utf-8", "\n", False), ("utf-8-sig", "\r\n", True), ("utf-16", "\r\n", True)),
        *(("utf-16-le", "\n", False), ("utf-16-be", "\r\n", True)),
    ],
)
def test_encodings_line_ends_and_the_last_line(tmp_path: Path, encoding: str, newline: str, last: bool) -> None:
    text = portal(*map(portal_row, EVENTS), newline=newline)
    path = tmp_path / "p.csv"
    result = read(path, (text if last else text.rstrip("\r\n")).encode(encoding), fast_lane=True)
    assert (tally(result), int(result.table["bytes"].sum())) == (TALLY, BYTES)


def test_a_second_byte_order_mark_before_the_first_row(tmp_path: Path) -> None:
    header, _, rest = portal(*map(portal_row, EVENTS)).partition("\r\n")
    assert tally(read(tmp_path / "p.csv", f"\ufeff{header}\r\n\ufeff{rest}")) == TALLY


@pytest.mark.parametrize(
    ("line", "encoding"),
    [("#TYPE Deserialized.Microsoft.X\r\n", "utf-8-sig"), ('#TYPE "a"\n', "utf-16"), ("sep=,\r\n", "utf-8")],
)
def test_a_line_before_the_header(tmp_path: Path, line: str, encoding: str) -> None:
    path = tmp_path / "p.csv"
    result = read(path, (line + portal(*map(portal_row, EVENTS))).encode(encoding))
    assert (tally(result), result.read) == (TALLY, 5)


def test_line_breaks_in_fields_and_escapes_in_audit_data(tmp_path: Path) -> None:
    # Over several lines, with \/ and \r\n escapes, as one export has it; a note of two lines beside it.
    one = {**EVENTS[0], "ObjectId": "a/b", "Note": "x\r\ny"}
    text = json.dumps(one, indent=2).replace("a/b", "a\\/b").replace("\n", "\r\n")
    row = {**portal_row(one), "AuditData": text, "AssociatedAdminUnits": 'two\r\nlines, "quoted"'}
    result = read(tmp_path / "p.csv", portal(row, portal_row(EVENTS[2])))
    assert (result.read, result.distinct) == (2, 2)
    accessed = result.table[result.table["operation"] == "MailItemsAccessed"]
    assert int(accessed["bytes"].sum()) == size(one)  # without white space and needless escapes


# -------------------------------------------------------------------------------------------------------- dates


def test_day_first_dates_are_told_by_audit_data(tmp_path: Path) -> None:
    # An Australian export: `3/12/2025 7:31:34 AM` stands for AuditData's 2025-12-03.
    rows = [
        *(dated(n, f"{n}/12/2025 7:31:34 AM", f"2025-12-0{n}T07:31:34") for n in (1, 2, 4)),
        dated(9, "3/12/2025 7:31:34 AM"),
    ]
    result = read(tmp_path / "p.csv", portal(*rows))
    assert [str(day.date()) for day in result.table["day"]] == ["2025-12-01", "2025-12-02", "2025-12-03", "2025-12-04"]
    assert (result.rejected, result.files[0].from_columns) == (0, 1)
    assert [finding.code for finding in result.findings if finding.code == "date_order"] == ["date_order"]
    assert result.hours["hour"].tolist() == [7, 7, 7, 7]


def test_month_first_dates_are_told_by_audit_data(tmp_path: Path) -> None:
    rows = [dated(1, "12/1/2025 7:31:34 AM", "2025-12-01T07:31:34"), dated(2, "3/12/2025 7:31:34 PM")]
    result = read(tmp_path / "p.csv", portal(*rows))
    assert [str(day.date()) for day in result.table["day"]] == ["2025-03-12", "2025-12-01"]
    assert result.hours["hour"].tolist() == [19, 7]


@pytest.mark.parametrize(
    ("proof", "day"), [("13/12/2025 1:00:00 AM", "2025-12-03"), ("12/13/2025 1:00:00 AM", "2025-03-12")]
)
def test_a_number_above_twelve_proves_the_order(tmp_path: Path, proof: str, day: str) -> None:
    found = days(portal(dated(1, proof), dated(2, "3/12/2025 7:31:34 AM")), tmp_path / "p.csv")
    assert sorted(found) == sorted(["2025-12-13", day])


def test_dates_that_nothing_settles_are_refused_and_not_guessed(tmp_path: Path) -> None:
    rows = [portal_row(EVENTS[0]), dated(1, "3/12/2025 7:31:34 AM"), dated(2, "5/5/2025 7:31:34 AM")]
    result = read(tmp_path / "p.csv", portal(*rows))
    assert (result.read, result.distinct, result.rejected) == (3, 2, 1)  # 5 May is 5 May either way
    assert "may begin with its day or its month, and nothing in the file settles it" in result.rejects[0].reason


def test_proof_of_both_orders_is_no_proof(tmp_path: Path) -> None:
    rows = [dated(1, "13/1/2025"), dated(2, "1/14/2025"), dated(3, "3/12/2025")]
    result = read(tmp_path / "p.csv", portal(*rows))
    assert [str(day.date()) for day in result.table["day"]] == ["2025-01-13", "2025-01-14"]  # they can be nothing else
    assert [reject.reason for reject in result.rejects] == [
        "the date '3/12/2025' may begin with its day or its month, and the file has dates that prove either of the two"
    ]


@pytest.mark.parametrize(
    ("shown", "day", "hour"),
    [
        ("2026-01-24T06:54:24.0000000Z ", "2026-01-24", 6),
        ("/Date(1618327011162)/", "2021-04-13", 15),
        ("/Date(1618327011162+0200)/", "2021-04-13", 15),
        ("2023-10-10T17:08:65", "2023-10-10", -1),
        ("12/31/2026 11:59:59 PM", "2026-12-31", 23),
        ("12/31/2026 12:00:00 AM", "2026-12-31", 0),
        ("31.12.2026 23:59:59", "2026-12-31", 23),
        ("12/31/2026, 3:05:26.000 PM", "2026-12-31", 15),
        ("12/31/2026 3:05:26\u202fPM", "2026-12-31", 15),
        ("12/31/2026 [REDACTED_IP] AM", "2026-12-31", -1),
    ],
)
def test_dates_beside_an_empty_audit_data(tmp_path: Path, shown: str, day: str, hour: int) -> None:
    result = read(tmp_path / "p.csv", portal(dated(1, shown)))
    assert (str(only(result)["day"].date()), result.hours["hour"].tolist()) == (day, [hour])


@pytest.mark.parametrize("shown", ["", "soon", "2026-13-01T00:00:00", "0001-01-01T00:00:00", "90.00:00:00"])
def test_no_date_is_no_record(tmp_path: Path, shown: str) -> None:
    result = read(tmp_path / "p.csv", portal(portal_row(EVENTS[0]), dated(1, shown)))
    assert (result.distinct, result.rejected) == (1, 1)


def test_audit_datas_own_time_counts_and_not_the_columns(tmp_path: Path) -> None:
    row = {**portal_row(EVENTS[0]), "CreationDate": "2026-03-11T22:31:34.0000000Z "}
    result = read(tmp_path / "p.csv", portal(row, *map(portal_row, EVENTS[1:])))
    assert tally(result) == TALLY
    assert result.files[0].zone == "UTC-9"


# --------------------------------------------------------------------------------------------------- identities


@pytest.mark.parametrize(
    ("user", "subject"),
    [
        ("NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)", ""),
        ("app@sharepoint", ""),
        ("SHAREPOINT\\system", ""),
        ("S-1-5-18", ""),
        ("Certificate", ""),
        ("ServicePrincipal_0c1e8e0a-51ad-4d5c-8f6c-0b8f3a9d2c55", ""),
        ("0c1e8e0a-51ad-4d5c-8f6c-0b8f3a9d2c55", ""),
        ("Not Available", ""),
        ("urn:spo:anon#8f6c0b8f3a9d2c55", ""),
        ("urn:spo:guest#guest@other.example", ""),
        ("AdeleV@M365x816222.OnMicrosoft.example", "adelev@m365x816222.onmicrosoft.example"),
    ],
)
def test_who_is_a_mailbox_and_who_is_not(tmp_path: Path, user: str, subject: str) -> None:
    one = {**EVENTS[2], "UserId": user}
    del one["MailboxOwnerUPN"]
    row = only(read(tmp_path / "p.csv", portal(portal_row(one))))
    assert (row["subject"], row["principal"]) == (subject, user.lower())
    assert row["subject_kind"] == ("mailbox" if subject else "tenant")


def test_spellings_of_one_user_are_one(tmp_path: Path) -> None:
    rows = [portal_row({**EVENTS[2], "Id": str(n), "UserId": user, "MailboxOwnerUPN": user}) for n, user in
            enumerate(["Ann@Contoso.Example", "ann@contoso.example", "ANN@CONTOSO.EXAMPLE"])]  # fmt: skip
    assert only(read(tmp_path / "p.csv", portal(*rows)))["events"] == 3


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Send ", "Send"),
        ("Update StsRefreshTokenValidFrom Timestamp.", "Update StsRefreshTokenValidFrom Timestamp."),
        ("Update application – Certificates and secrets management ", None),
        ("DLPRuleMatch", "DLPRuleMatch"),
        ("DlpRuleMatch", "DlpRuleMatch"),
    ],
)
def test_operations_keep_their_spelling_but_for_spaces_at_the_ends(
    tmp_path: Path, written: str, meant: str | None
) -> None:
    row = only(read(tmp_path / "p.csv", portal(portal_row({**EVENTS[2], "Operation": written}))))
    assert row["operation"] == (written.strip() if meant is None else meant)


# ------------------------------------------------------------------------------ AuditData that is not what it was


@pytest.mark.parametrize("data", ["", "[REDACTED]", "{}", "null", '{"CreationTime":"2026-03', '{"Operation":""}'])
def test_a_row_without_usable_audit_data_is_counted_from_its_other_columns(tmp_path: Path, data: str) -> None:
    rows = [portal_row(EVENTS[0]), {**portal_row(EVENTS[2]), "AuditData": data}]
    result = read(tmp_path / "p.csv", portal(*rows))
    assert (result.distinct, result.rejected) == (2, 0)
    send = result.table[result.table["operation"] == "Send"].iloc[0]
    assert (send["workload"], send["subject"], send["bytes"], send["size_basis"]) == (
        *("Exchange", "ann@contoso.example", 0, "none"),
    )
    assert result.files[0].from_columns == (0 if result.files[0].redacted else 1)  # a redacted file has no sizes at all


def test_the_three_rows_without_audit_data_identity_and_index(tmp_path: Path) -> None:
    bare = {**cmdlet_row(1, EVENTS[2]), "AuditData": "", "Identity": "", "ResultIndex": ""}
    rows = [cmdlet_row(n, one) for n, one in enumerate(EVENTS)]
    # The same in every column: without an Id they are copies of one another.
    result = read(tmp_path / "c.csv", table([*rows, bare, bare, {**bare, "UserIds": "ben@contoso.example"}]))
    assert (result.read, result.distinct, result.duplicates, result.rejected) == (8, 7, 1, 0)


def test_a_workload_is_told_by_record_type_where_the_operation_does_not(tmp_path: Path) -> None:
    rows = [
        {**portal_row({**EVENTS[0], "Id": str(n)}), "AuditData": "", "RecordType": kind, "Operation": "Invented"}
        for n, kind in enumerate([50, "ExchangeItem", "36", "MicrosoftTeams", 15, "no such type"])
    ]
    result = read(tmp_path / "p.csv", portal(portal_row(EVENTS[0]), *rows))
    invented = result.table[result.table["operation"] == "Invented"]
    assert dict(zip(invented["workload"], invented["events"], strict=True)) == {
        "Exchange": 2, "SharePoint": 1, "MicrosoftTeams": 1, "AzureActiveDirectory": 1, "": 1,
    }  # fmt: skip


def test_redacted_sizes_mean_nothing_but_counts_do(tmp_path: Path) -> None:
    rows = [portal_row({**one, "ClientIP": "[REDACTED_IP]"}) for one in EVENTS]
    result = read(tmp_path / "p.csv", portal(*rows))
    assert tally(result) == TALLY
    assert (set(result.table["size_basis"]), int(result.table["bytes"].sum())) == ({"none"}, 0)
    assert result.files[0].redacted


def test_neither_audit_data_nor_other_columns(tmp_path: Path) -> None:
    with pytest.raises(AuditExportError, match="no audit record"):
        reduce([_write(tmp_path / "a.csv", "AuditData\r\n[REDACTED]\r\n{}\r\n")])


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# ------------------------------------------------------------------------------------------------- as JSON


@pytest.mark.parametrize("nested", [False, True])
def test_dates_of_windows_powershells_json(tmp_path: Path, nested: bool) -> None:
    shown: Any = "/Date(1618327011162)/"
    if nested:
        shown = {"value": shown, "DisplayHint": 2, "DateTime": "Tuesday, April 13, 2021 3:16:51 PM"}
    row = {**cmdlet_row(1, EVENTS[2]), "CreationDate": shown, "AuditData": "", "Identity": "another"}
    text = json.dumps([cmdlet_row(n, one) for n, one in enumerate(EVENTS)] + [row], indent=4)
    result = read(tmp_path / "c.json", text.replace("/Date(", "\\/Date(").replace(")/", ")\\/"))
    assert result.rejected == 0
    assert str(result.first) == "2021-04-13"
    assert result.hours.iloc[0]["hour"] == 15


def test_one_row_as_json_is_an_object_and_no_array(tmp_path: Path) -> None:
    result = read(tmp_path / "c.json", json.dumps(cmdlet_row(1, EVENTS[0]), indent=4))
    assert tally(result) == {("2026-03-12", "MailItemsAccessed", "Bind"): 1}


def test_audit_data_as_an_object_counts_its_own_bytes(tmp_path: Path) -> None:
    rows = [{**cmdlet_row(n, one), "AuditData": one} for n, one in enumerate(EVENTS)]
    result = read(tmp_path / "c.json", json.dumps(rows, indent=4, ensure_ascii=False))
    assert (tally(result), int(result.table["bytes"].sum())) == (TALLY, BYTES)


# --------------------------------------------------------------------------------------------------- as XLSX


def sheet(*rows: Row) -> list[list[Any]]:
    return [list(PORTAL_COLUMNS), *(list(row.values()) for row in rows)]


def test_audit_data_cut_at_what_a_cell_holds_is_counted_from_the_other_columns(tmp_path: Path) -> None:
    long = {**EVENTS[0], "Folders": [{"Path": "x" * 40_000}]}
    cut = {**portal_row(long), "AuditData": compact(long)[:32_767]}
    result = read(tmp_path / "p.xlsx", workbook({"Sheet1": sheet(cut, portal_row(EVENTS[2]))}))
    assert (result.distinct, result.rejected, result.files[0].from_columns) == (2, 0, 1)
    row = result.table[result.table["operation"] == "MailItemsAccessed"].iloc[0]
    assert (row["bytes"], row["size_basis"]) == (0, "none")


def test_other_sheets_formulas_and_empty_rows_do_no_harm(tmp_path: Path) -> None:
    rows = sheet(*map(portal_row, EVENTS))
    rows[0].append("Summary")
    for row in rows[1:]:
        row.append("=1+1")
    rows.insert(3, [""] * len(PORTAL_COLUMNS))
    book = workbook({"Redaction Notes": [["Redaction Notes"], ["nothing"]], "Sheet1": rows, "Empty": []})
    result = read(tmp_path / "p.xlsx", book)
    assert (result.read, tally(result)) == (5, TALLY)


def test_several_sheets_of_the_shape_are_all_read(tmp_path: Path) -> None:
    first, second = sheet(*map(portal_row, EVENTS[:2])), sheet(*map(portal_row, EVENTS[2:]))
    result = read(tmp_path / "p.xlsx", workbook({"March": first, "April": [row[::-1] for row in second]}))
    assert (result.read, tally(result)) == (5, TALLY)


def test_excel_dates_are_dates(tmp_path: Path) -> None:
    row = {**portal_row(EVENTS[0]), "AuditData": ""}
    rows = sheet(row, portal_row(EVENTS[2]))
    rows[1][1] = american(EVENTS[0]["CreationTime"])
    result = read(tmp_path / "p.xlsx", workbook({"Sheet1": rows}))
    # 3/12 is told by nothing: the other row's own date is written year first.
    assert (result.distinct, result.rejected) == (1, 1)
