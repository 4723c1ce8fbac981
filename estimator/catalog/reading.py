"""Reads the catalogue files into records. Every key is checked: a missing, mistyped or unknown one is refused by name.

Only the standard library is used, so that importing the catalogue costs next to nothing.
"""

from __future__ import annotations

import csv
import difflib
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar, get_args

from estimator.catalog.records import (
    AUDIT_TIERS,
    Basis,
    Cause,
    Coverage,
    Factor,
    Feed,
    InvestigationUse,
    Licence,
    LicenceSku,
    LogonType,
    MailboxAction,
    Operation,
    PlanMark,
    Prior,
    Priors,
    PublishedRate,
    Retirement,
    ServicePlan,
    Size,
    SizeFit,
    Source,
    Status,
)
from estimator.errors import SiemEstimatorError

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "basis": get_args(Basis),
    "caused_by": get_args(Cause),
    "coverage": get_args(Coverage),
    "licence": get_args(Licence),
    "logon type": get_args(LogonType),
    "status": get_args(Status),
    "audit_tier": AUDIT_TIERS,
}


PLAN_MARKS: tuple[PlanMark, ...] = get_args(PlanMark)


class CatalogueError(SiemEstimatorError):
    """A catalogue file is malformed: our bug, or a slip in an edited copy."""

    exit_code = 70


_K = TypeVar("_K")
_MISSING: Any = object()


class _Reader:
    """One table, taken key by key: each take checks the type, and `done()` refuses what nobody took."""

    def __init__(self, table: Mapping[str, Any], file: Path, place: str, known: Mapping[str, Source] | None) -> None:
        self._table = dict(table)
        self._keys = tuple(table)
        self._file = file
        self._place = place
        self._known = known

    def fail(self, key: str, found: str, expected: str) -> NoReturn:
        raise CatalogueError(
            found, path=self._file.name, place=f"{self._place}.{key}" if self._place else key, expected=expected
        )

    def take(self, key: str, kind: type[_K] | tuple[type[_K], ...], expected: str, default: _K = _MISSING) -> _K:
        value = self._table.pop(key, _MISSING)
        if value is _MISSING:
            if default is _MISSING:
                self.fail(key, f"the key is missing; found {list(self._keys)}", expected)
            return default
        # bool is an int to Python, and never a number here
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fail(key, f"found {value!r}", expected)
        return value

    def has(self, key: str) -> bool:
        return key in self._table

    def text(self, key: str, default: str = _MISSING) -> str:
        value = self.take(key, str, "a text", default)
        if not value and default is _MISSING:
            self.fail(key, "the text is empty", "a text")
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key, "") or None

    def number(self, key: str, default: float = _MISSING) -> float:
        return float(self.take(key, (int, float), "a number", default))

    def positive(self, key: str) -> float:
        value = self.number(key)
        if not 0 < value < math.inf:
            self.fail(key, f"found {value:g}", "a number above 0")
        return value

    def optional_number(self, key: str) -> float | None:
        return self.number(key) if self.has(key) else None

    def integer(self, key: str) -> int:
        return self.take(key, int, "a whole number")

    def flag(self, key: str, default: bool = _MISSING) -> bool:
        return self.take(key, bool, "true or false", default)

    def day(self, key: str) -> date:
        return self.take(key, date, "a date")

    def texts(self, key: str, default: list[Any] = _MISSING) -> tuple[str, ...]:
        values = self.take(key, list, "a list of texts", default)
        if not all(isinstance(value, str) and value for value in values):
            self.fail(key, f"found {values!r}", "a list of texts")
        return tuple(values)

    def integers(self, key: str) -> tuple[int, ...]:
        values = self.take(key, list, "a list of whole numbers")
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            self.fail(key, f"found {values!r}", "a list of whole numbers")
        return tuple(values)

    def choice(self, key: str, of: str, default: str = _MISSING) -> Any:
        """One of the words of `of`; Any, because a Literal cannot be computed."""
        value = self.text(key, default)
        if value not in _CHOICES[of]:
            self.fail(key, f"found {value!r}", " | ".join(_CHOICES[of]))
        return value

    def logon_types(self, key: str, default: list[Any] = _MISSING) -> frozenset[Any]:
        values = self.texts(key, default)
        if unknown := set(values) - set(_CHOICES["logon type"]):
            self.fail(key, f"found {sorted(unknown)}", " | ".join(_CHOICES["logon type"]))
        return frozenset(values)

    def flag_word(self, key: str) -> bool:
        """The word true or false, as CSV has it."""
        value = self.text(key)
        if value not in ("true", "false"):
            self.fail(key, f"found {value!r}", "true or false")
        return value == "true"

    def names(self, key: str, known: Mapping[str, ServicePlan] | None) -> tuple[str, ...]:
        """Names of service plans joined by `+`, as CSV has them; none where the cell is empty."""
        names = tuple(filter(None, self.text(key, "").split("+")))
        if known is not None and (strange := set(names) - {plan.name for plan in known.values()}):
            self.fail(key, f"found {sorted(strange)}", "names of service_plans.toml joined by +")
        return names

    def source(self, key: str = "source") -> str:
        return self._resolve(key, self.text(key))

    def sources(self, key: str = "sources") -> tuple[str, ...]:
        ids = self.texts(key)
        if not ids:
            self.fail(key, "the list is empty", "at least one id of sources.toml")
        return tuple(self._resolve(key, source) for source in ids)

    def _resolve(self, key: str, source: str) -> str:
        if self._known is not None and source not in self._known:
            self.fail(key, f"the source {source!r} is unknown", "an id of sources.toml" + nearest(source, self._known))
        return source

    def table(self, key: str) -> _Reader:
        place = f"{self._place}.{key}" if self._place else key
        return _Reader(self.take(key, dict, "a table"), self._file, place, self._known)

    def optional_table(self, key: str, read: Callable[[_Reader], _K]) -> _K | None:
        return read(self.table(key)) if self.has(key) else None

    def tables(self, key: str, read: Callable[[_Reader], _K], *, optional: bool = False) -> dict[str, _K]:
        """Every sub-table of a table, by name."""
        if optional and not self.has(key):
            return {}
        outer = self.table(key)
        return {name: read(outer.table(name)) for name in outer._keys}

    def words(self, key: str, of: str, *, optional: bool = False) -> Mapping[str, Any]:
        """A table of words of `of`, its keys lower-cased."""
        if optional and not self.has(key):
            return MappingProxyType({})
        outer = self.table(key)
        return MappingProxyType({name.casefold(): outer.choice(name, of) for name in outer._keys})

    @property
    def last(self) -> str:
        return self._place.partition(".")[2]

    def ordered(self, names: Sequence[str], values: Sequence[float]) -> None:
        if list(values) != sorted(values):
            found = ", ".join(f"{name} = {value:g}" for name, value in zip(names, values, strict=True))
            self.fail(names[0], f"found {found}", " <= ".join(names))

    def done(self) -> None:
        for key in self._table:
            self.fail(key, "the key is unknown", "a key the records know; see records.py")


def _open(file: Path, known: Mapping[str, Source] | None) -> tuple[_Reader, date]:
    try:
        with file.open("rb") as stream:
            table = tomllib.load(stream)
    except FileNotFoundError:
        raise CatalogueError(
            "the catalogue file is missing", path=file.name, mend="Install the package again."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"not TOML: {error}", path=file.name) from error
    reader = _Reader(table, file, "", known)
    if reader.integer("schema_version") != 1:
        reader.fail("schema_version", f"found {table['schema_version']}", "1")
    return reader, reader.day("checked")


def nearest(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a remark in brackets, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    return f" (nearest: {near[0]!r})" if near else ""


def read_sources(file: Path) -> dict[str, Source]:
    """The sources by id."""

    def one(reader: _Reader) -> Source:
        source = Source(
            reader.last,
            reader.text("title"),
            reader.optional_text("url"),
            reader.day("read"),
            reader.optional_text("dated"),
            reader.optional_text("note"),
        )
        reader.done()
        return source

    reader, _ = _open(file, None)
    found = reader.tables("sources", one)
    reader.done()
    return found


def _size_fit(reader: _Reader) -> SizeFit:
    fit = SizeFit(
        reader.positive("base"), reader.positive("per_item"), reader.choice("basis", "basis"), reader.source()
    )
    reader.done()
    return fit


def _size(reader: _Reader) -> Size:
    size = Size(
        mean=reader.positive("mean"),
        low=reader.positive("low"),
        high=reader.positive("high"),
        n=reader.integer("n"),
        basis=reader.choice("basis", "basis"),
        source=reader.source(),
        range_sources=reader.sources("range_sources") if reader.has("range_sources") else (),
        p50=reader.optional_number("p50"),
        p95=reader.optional_number("p95"),
        fit=reader.optional_table("fit", _size_fit),
        fit_2026=reader.optional_table("fit_2026", _size_fit),
    )
    reader.ordered(("low", "mean", "high"), (size.low, size.mean, size.high))
    reader.done()
    return size


def _published_rate(reader: _Reader) -> PublishedRate:
    rate = PublishedRate(
        reader.positive("low"),
        reader.positive("high"),
        reader.text("unit"),
        reader.choice("basis", "basis"),
        reader.source(),
    )
    reader.ordered(("low", "high"), (rate.low, rate.high))
    reader.done()
    return rate


def _retirement(reader: _Reader) -> Retirement:
    retirement = Retirement(reader.day("on"), reader.text("reason"), reader.source())
    reader.done()
    return retirement


def _investigation_use(reader: _Reader) -> InvestigationUse:
    use = InvestigationUse(reader.text("text"), reader.source())
    reader.done()
    return use


def _mailbox_action(reader: _Reader) -> MailboxAction:
    action = MailboxAction(
        action=reader.text("action"),
        default=reader.logon_types("default"),
        default_before_standard=reader.logon_types("default_before_standard"),
        default_before_premium=reader.logon_types("default_before_premium"),
        optional=reader.logon_types("optional", []),
        group_default=reader.logon_types("group_default", []),
        never_on=frozenset(reader.texts("never_on")),
        unverified_on=frozenset(reader.texts("unverified_on", [])),
        source=reader.source(),
    )
    reader.done()
    return action


def _operation(reader: _Reader) -> Operation:
    licence_before = reader.text("licence_before", "")
    if licence_before and licence_before not in _CHOICES["licence"]:
        reader.fail("licence_before", f"found {licence_before!r}", " | ".join(_CHOICES["licence"]))
    found = Operation(
        id=reader.last,
        aliases=reader.texts("aliases", []),
        record_types=reader.integers("record_types"),
        content_type=reader.text("content_type"),
        newly_available=reader.flag("newly_available"),
        moved_to_standard=reader.flag("moved_to_standard", False),
        on_by_default=reader.flag("on_by_default"),
        status=reader.choice("status", "status"),
        retired=reader.optional_table("retired", _retirement),
        licence=reader.choice("licence", "licence"),
        licence_before=licence_before or None,  # type: ignore[arg-type]  # checked above
        caused_by=reader.choice("caused_by", "caused_by"),
        mailbox_action=reader.optional_table("mailbox_action", _mailbox_action),
        enable_how=reader.optional_text("enable_how"),
        trigger=reader.text("trigger"),
        published_rate=reader.optional_table("published_rate", _published_rate),
        derived_from=reader.optional_text("derived_from"),
        size=reader.optional_table("size", _size),
        size_by_access_type=MappingProxyType(reader.tables("size_by_access_type", _size, optional=True)),
        investigation_use=reader.optional_table("investigation_use", _investigation_use),
        notes=reader.text("notes", ""),
        sources=reader.sources(),
    )
    if not (found.workload and found.name):
        reader.fail("", f"found the key {found.id!r}", "Workload/Operation")
    if (found.status == "retired") is not (found.retired is not None):
        reader.fail(
            "retired", f"status is {found.status!r}", "retired = { on, reason, source } for retired operations only"
        )
    if found.moved_to_standard and not found.newly_available:
        reader.fail("newly_available", "found false with moved_to_standard", "true for what was moved to Standard")
    reader.done()
    return found


@dataclass(frozen=True, slots=True)
class Operations:
    """operations.toml as read: `index` maps every lower-cased key and alias to its operation's id."""

    checked: date
    by_id: dict[str, Operation]
    index: dict[str, str]
    default_size: Size
    default_size_by_workload: dict[str, Size]


def read_operations(file: Path, known: Mapping[str, Source]) -> Operations:
    """The operations; every source they name must be `known`."""
    reader, checked = _open(file, known)
    by_id = reader.tables("operations", _operation)
    index: dict[str, str] = {}
    for found in by_id.values():
        for key in (found.id, *(f"{found.workload}/{alias}" for alias in found.aliases)):
            if index.setdefault(key.casefold(), found.id) != found.id:
                reader.fail(
                    f"operations.{found.id}", f"{key!r} also means {index[key.casefold()]!r}", "one meaning a key"
                )
    default = reader.table("size_default")
    by_workload = default.tables("workloads", _size) if default.has("workloads") else {}
    found_sizes = {name.casefold(): size for name, size in by_workload.items()}
    operations_ = Operations(checked, by_id, index, _size(default), found_sizes)
    reader.done()
    return operations_


def _factor(reader: _Reader) -> Factor:
    factor = Factor(
        reader.positive("low"),
        reader.positive("mode"),
        reader.positive("high"),
        reader.choice("basis", "basis"),
        reader.source(),
    )
    reader.ordered(("low", "mode", "high"), (factor.low, factor.mode, factor.high))
    reader.done()
    return factor


def _feed(reader: _Reader) -> Feed:
    found = Feed(
        id=reader.last,
        title=reader.text("title"),
        siem=reader.text("siem"),
        stream=reader.text("stream"),
        coverage_by_workload=reader.words("coverage", "coverage"),
        coverage_by_operation=reader.words("operations", "coverage", optional=True),
        coverage_other=reader.choice("coverage_other", "coverage"),
        size_factor=_factor(reader.table("size_factor")),
        dedupes=reader.flag("dedupes"),
        delivery_factor=_factor(reader.table("delivery_factor")),
        same_records_as=reader.texts("same_records_as"),
        requires=reader.texts("requires"),
        notes=reader.text("notes"),
        sources=reader.sources(),
    )
    reader.done()
    return found


def read_feeds(file: Path, known: Mapping[str, Source]) -> dict[str, Feed]:
    """The feeds by id; every source they name must be `known`."""
    reader, _ = _open(file, known)
    found = reader.tables("feeds", _feed)
    reader.done()
    for one in found.values():
        if unknown := set(one.same_records_as) - set(found):
            reader.fail(f"feeds.{one.id}.same_records_as", f"found {sorted(unknown)}", f"ids among {list(found)}")
    return found


def _prior(reader: _Reader) -> Prior:
    prior = Prior(
        reader.positive("value"),
        reader.text("unit"),
        reader.choice("basis", "basis"),
        reader.source(),
        reader.text("meaning"),
        reader.optional_number("low"),
        reader.optional_number("high"),
    )
    if prior.low is not None and prior.high is not None:
        reader.ordered(("low", "value", "high"), (prior.low, prior.value, prior.high))
    elif prior.low is not None or prior.high is not None:
        reader.fail("low", "only one of low and high is there", "both or neither")
    reader.done()
    return prior


def read_priors(file: Path, known: Mapping[str, Source]) -> Priors:
    """The priors, exactly the attributes of `Priors`."""
    reader, _ = _open(file, known)
    found = reader.tables("priors", _prior)
    reader.done()
    names = {field.name for field in fields(Priors)}
    if found.keys() != names:
        reader.fail(
            "priors",
            f"missing {sorted(names - found.keys())}, unknown {sorted(found.keys() - names)}",
            "the attributes of Priors, each once",
        )
    return Priors(**found)


_LICENCE_COLUMNS = [
    "sku_guid",
    "sku_part_number",
    "product_name",
    "audit_tier",
    "premium_addon",
    "sentinel_grant",
    "audit_plans",
    "source",
    "grant_source",
    "date",
    "note",
]


def read_licences(
    file: Path, known: Mapping[str, Source], plans: Mapping[str, ServicePlan] | None = None
) -> dict[str, LicenceSku]:
    """The licence SKUs by GUID; every plan they name must be among `plans` (`read_plan_marks`), where given."""
    found: dict[str, LicenceSku] = {}
    with file.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, strict=True)
        if rows.fieldnames != _LICENCE_COLUMNS:
            raise CatalogueError(
                f"the columns are {rows.fieldnames}", path=file.name, place=1, expected=str(_LICENCE_COLUMNS)
            )
        for row in rows:
            reader = _Reader(row, file, str(rows.line_num), known)
            guid = reader.text("sku_guid")
            addon, grant = reader.flag_word("premium_addon"), reader.flag_word("sentinel_grant")
            grant_source = reader.source("grant_source") if grant else reader.text("grant_source", "")
            if grant_source and not grant:
                reader.fail("grant_source", f"found {grant_source!r}", "nothing where sentinel_grant is false")
            day = reader.text("date")
            try:
                dated = date.fromisoformat(day)
            except ValueError:
                reader.fail("date", f"found {day!r}", "a date such as 2025-12-30")
            sku = LicenceSku(
                guid,
                reader.text("sku_part_number"),
                reader.text("product_name"),
                reader.choice("audit_tier", "audit_tier"),
                addon,
                grant,
                reader.names("audit_plans", plans),
                reader.source(),
                grant_source,
                dated,
                reader.text("note", ""),
            )
            reader.done()
            if guid != guid.lower() or guid in found:
                reader.fail("sku_guid", f"found {guid!r}", "each SKU GUID once, in lower case")
            found[guid] = sku
    return found


def read_plan_marks(file: Path, known: Mapping[str, Source]) -> dict[str, ServicePlan]:
    """The service plans that decide an audit tier, each by its lower-cased name and by its GUID."""
    reader, _ = _open(file, known)
    reader.source()
    found: dict[str, ServicePlan] = {}
    for marks in PLAN_MARKS:
        plans = reader.table(marks)
        for name in plans._keys:
            plan = ServicePlan(name, plans.text(name).casefold(), marks)
            found[name.casefold()] = found[plan.guid] = plan
    reader.done()
    return found
