"""Plan files: one price table a file, typed, dated and sourced.

`load_plan` reads a file, `find_plan` finds one by id or path, `shipped_plans` lists those in the package. The format is
described field by field in `pricing/README.md`; whatever a file gets wrong is reported together in one `PlanError`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict, ValidationError, ValidationInfo, field_validator

from pricing.errors import PlanError, PlanFileError
from pricing.meters import (
    RESERVED_METERS,
    DailyCommitment,
    IngestionMeter,
    Meter,
    Retention,
    ingestion_meters,
    is_open,
)
from pricing.money import CURRENCIES
from pricing.prices import (
    Amount,
    FreeStream,
    GrantId,
    Names,
    Positive,
    Slug,
    SourceId,
    Table,
    Text,
    names,
    nearest,
    refer,
    refuse,
)
from pricing.problems import problems_of

#: How sure a source is: A the vendor's own page, B the vendor's prices transcribed with a date, C a reseller's or
#: government filing, D a third party's estimate (never shipped as a price), E arithmetic on A to C.
Confidence = Literal["A", "B", "C", "D", "E"]


class Source(Table):
    """Where a figure or a rule was read."""

    title: Text
    url: Annotated[str, Field(pattern=r"^(https?://|urn:)\S+$")]
    read: date = Field(description="day it was read, or filed where the filing carries a date")
    confidence: Confidence
    note: Text | None = None


def _free_or_meter(value: str, info: ValidationInfo) -> str:
    return refer(value, ["free", *ingestion_meters(info)], "'free' or an ingestion meter")


class Stream(Table):
    """A stream the plan treats in a way of its own; all others go to the plan's `ingest` meter."""

    ingest: Annotated[str, AfterValidator(_free_or_meter)] = Field(description="'free', or the id of a meter")
    why: Text = Field(description="the explanation the bill carries")
    source: SourceId


class Grant(Table):
    """Ingestion that is not charged: pooled per day, taken before tiers, for the named streams only."""

    title: Text
    per: Text = Field(description="what it is counted by: 'licensed user'")
    gb_per_day_each: Positive = Field(description="GB a day for each of them, in the plan's own GB")
    streams: Annotated[tuple[str, ...], Strict(False), Field(min_length=1)]
    source: SourceId
    note: Text | None = None

    def gb_per_day(self, count: int) -> Decimal:
        """The whole pool of `count` licences, in GB a day; what remains of it is for the caller to say."""
        return self.gb_per_day_each * count

    @field_validator("streams")
    @classmethod
    def _none_is_free(cls, streams: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if free := names(info).free_streams.intersection(streams):
            raise refuse(f"the grant covers '{min(free)}', which is free to ingest", "streams that are charged")
        return streams


class Example(Table):
    """Usage whose total is known; the tests run it at the precision `expected` is printed with."""

    title: Text
    source: SourceId
    first_day: date
    days: Annotated[int, Field(ge=1, le=3660)]
    gb_per_day: dict[str, Annotated[tuple[Amount, ...], Strict(False), Field(min_length=1)]] = Field(
        min_length=1, description="GB day by day for each stream, repeated until the days are full"
    )
    commitment: Text = "none"
    retention_days: Annotated[int, Field(ge=0)] | None = None
    discount_percent: Annotated[Amount, Field(le=100)] = Decimal(0)
    grant_gb_per_day: dict[GrantId, Amount] = Field(default_factory=dict)
    billed_free_streams: Annotated[tuple[FreeStream, ...], Strict(False)] = ()
    expected: str = Field(description="the total as its source prints it")

    @field_validator("expected")
    @classmethod
    def _is_a_number(cls, text: str) -> str:
        if not re.fullmatch(r"\d{1,12}(\.\d{1,12})?", text):
            raise refuse(f"'{text}'", 'an amount in quotes, such as "822.00"')
        return text


class Plan(Table):
    """One price table. Read it with `load_plan`, which checks every reference in the file."""

    schema_version: Literal[1]
    id: Slug
    title: Text
    siem: Slug = Field(description="which SIEM's feeds it prices: 'sentinel', 'splunk', …")
    region: Text
    currency: str = Field(description="ISO 4217")
    gb_bytes: Annotated[int, Field(gt=0)] = 1_000_000_000
    size_basis: Literal["raw", "_raw", "billed", "enriched"] = Field(description="which bytes the SIEM counts")
    checked_on: date = Field(description="day the prices were last compared with their sources")
    ingest: IngestionMeter = Field(description="the main meter: what a stream goes to unless [streams] says otherwise")
    included_retention_days: Annotated[int, Field(ge=0)]
    reference: bool = Field(default=False, description="taken where the SIEM is known and no plan is named")
    notes: Annotated[tuple[Text, ...], Strict(False)] = ()
    sources: dict[Slug, Source] = Field(min_length=1)
    streams: dict[Text, Stream] = Field(default_factory=dict)
    meters: dict[Slug, Meter] = Field(min_length=1)
    grants: dict[Slug, Grant] = Field(default_factory=dict)
    examples: Annotated[tuple[Example, ...], Strict(False)] = Field(default=(), validate_default=True)

    @field_validator("currency")
    @classmethod
    def _is_a_currency(cls, code: str) -> str:
        if code not in CURRENCIES:
            raise refuse(f"'{code}' is not a currency", "an ISO 4217 code such as 'USD'")
        return code

    @field_validator("meters")
    @classmethod
    def _fit_together(cls, meters: dict[str, Meter], info: ValidationInfo) -> dict[str, Meter]:
        if taken := RESERVED_METERS.intersection(meters):
            raise refuse(f"a meter is called '{min(taken)}'", "another id", "The word means something else on a bill.")
        if sum(isinstance(meter, DailyCommitment) for meter in meters.values()) > 1:
            raise refuse("two meters are daily commitments", "one at the most")
        retention = [meter for meter in meters.values() if isinstance(meter, Retention)]
        kept = [meter.of for meter in retention]
        if twice := {of for of in kept if kept.count(of) > 1}:
            raise refuse(f"two meters charge the retention of '{min(twice)}'", "one at the most")
        included = info.data.get("included_retention_days", 0)
        for meter in retention:
            if meter.max_days <= included:
                raise refuse(
                    f"at most {meter.max_days} days are sold, and {included} are included",
                    "'max_days' above 'included_retention_days'",
                )
        return meters

    @field_validator("examples")
    @classmethod
    def _some(cls, examples: tuple[Example, ...], info: ValidationInfo) -> tuple[Example, ...]:
        # A plan whose price is left open has nothing to work an example with.
        if not examples and not any(is_open(meter) for meter in info.data.get("meters", {}).values()):
            raise refuse("no worked example", "at least one [[examples]], with the total its source prints")
        return examples

    @property
    def commitment(self) -> tuple[str, DailyCommitment] | None:
        """The commitment meter with its id, if the plan has one."""
        found = ((id_, meter) for id_, meter in self.meters.items() if isinstance(meter, DailyCommitment))
        return next(found, None)

    @property
    def free_streams(self) -> frozenset[str]:
        """The streams this plan does not charge for ingesting."""
        return frozenset(name for name, stream in self.streams.items() if stream.ingest == "free")

    def ingestion_meter(self, stream: str) -> str | None:
        """The id of the meter that charges the ingestion of `stream`; None where it is free."""
        treated = self.streams.get(stream)
        if treated is None:
            return self.ingest
        return None if treated.ingest == "free" else treated.ingest


def _names_in(data: Mapping[str, Any]) -> Names:
    """What the raw file defines, read before anything in it is known to be well-formed."""

    def tables(key: str) -> dict[str, dict[str, Any]]:
        found = data.get(key)
        return {k: v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}

    return Names(
        sources=frozenset(tables("sources")),
        meters={id_: str(meter.get("model")) for id_, meter in tables("meters").items()},
        grants=frozenset(tables("grants")),
        free_streams=frozenset(name for name, stream in tables("streams").items() if stream.get("ingest") == "free"),
    )


def parse_plan(text: str, path: Path | str = "<text>") -> Plan:
    """A plan from the text of its file.

    Args:
        text: TOML.
        path: what to call the file in errors.

    Raises:
        PlanError: with every problem of the text, each with its place, what was found, expected, and how to mend it.
    """
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        raise PlanFileError(
            path, [PlanError(f"not TOML: {error}", place=place and place[1], mend="See https://toml.io.")]
        ) from None
    except InvalidOperation:
        raise PlanFileError(path, [PlanError("a number is too large or too long to be a price")]) from None
    try:
        return Plan.model_validate(data, context=_names_in(data))
    except ValidationError as error:
        raise PlanFileError(path, problems_of(error, Plan)) from None


def load_plan(path: Path | str) -> Plan:
    """The plan in a file.

    Raises:
        PlanError: the file cannot be read, or with every problem in it.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise PlanFileError(path, [PlanError("not UTF-8 text", expected="a plan file in TOML")]) from None
    except OSError as error:
        raise PlanFileError(
            path, [PlanError(f"cannot be read ({error.strerror})", expected="a plan file in TOML")]
        ) from None
    return parse_plan(text, path)


@cache
def _shipped() -> Mapping[str, Plan]:
    files = sorted(
        (file for file in resources.files("pricing.plans").iterdir() if file.name.endswith(".toml")),
        key=lambda file: file.name,
    )
    plans = [parse_plan(file.read_text(encoding="utf-8"), f"pricing/plans/{file.name}") for file in files]
    return {plan.id: plan for plan in plans}


def shipped_plans() -> dict[str, Plan]:
    """The plans that come with the package, by id, in alphabetical order."""
    return dict(_shipped())


def _plans_in(folder: Path) -> dict[str, Plan]:
    if not folder.is_dir():
        raise PlanError("no such folder", path=folder, expected="a folder of plan files")
    plans: dict[str, Plan] = {}
    files: dict[str, Path] = {}
    for file in sorted(folder.glob("*.toml")):
        plan = load_plan(file)
        if plan.id in plans:
            raise PlanError(
                f"'{plan.id}' is also the id of {files[plan.id].name}", path=file, place="id", expected="each id once"
            )
        plans[plan.id], files[plan.id] = plan, file
    return plans


def find_plan(id_or_path: str | Path, extra_dirs: Iterable[Path | str] = ()) -> Plan:
    """A plan by its id, or by the path of its file.

    Args:
        id_or_path: a path if it ends in `.toml` or names a folder; otherwise an id.
        extra_dirs: folders of plan files looked through before the shipped ones, so that a corrected copy wins.

    Raises:
        PlanError: no plan has that id (the message lists those that exist), or a file on the way cannot be used.
    """
    if isinstance(id_or_path, Path) or id_or_path.endswith(".toml") or "/" in id_or_path or "\\" in id_or_path:
        return load_plan(id_or_path)
    known: dict[str, Plan] = {}
    for folder in extra_dirs:
        known = _plans_in(Path(folder)) | known
    known = shipped_plans() | known
    if id_or_path not in known:
        raise PlanError(
            f"no plan is called '{id_or_path}'",
            expected=f"one of {', '.join(sorted(known))}, or the path of a plan file",
            mend=nearest(id_or_path, known),
        )
    return known[id_or_path]
