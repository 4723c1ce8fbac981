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

from pydantic import Field, Strict, ValidationError, ValidationInfo, field_validator

from pricing.errors import PlanError, PlanFileError, TermsError
from pricing.meters import DailyCommitment, IngestionMeter, Meter, counts_of, is_open
from pricing.meters.together import fit_together
from pricing.money import CURRENCIES
from pricing.prices import Names, Slug, Table, Text, nearest, refuse
from pricing.problems import problems_of
from pricing.repricing import reprice
from pricing.tables import Confidence, Credit, Example, Grant, Minimum, Pipeline, Source, StorageTier, Stream

__all__ = [
    "Confidence",
    "Credit",
    "Example",
    "Grant",
    "Minimum",
    "Pipeline",
    "Plan",
    "Source",
    "StorageTier",
    "Stream",
    "find_plan",
    "load_plan",
    "parse_plan",
    "reprice",
    "shipped_plans",
]

#: What stands between a stream and the tier it is in: "CloudAppEvents@lake".
_AT = "@"


class Plan(Table):
    """One price table. Read it with `load_plan`, which checks every reference in the file."""

    schema_version: Literal[1]
    id: Slug
    title: Text
    siem: Slug = Field(description="which SIEM's feeds it prices: 'sentinel', 'splunk', …")
    region: Text
    currency: str = Field(description="ISO 4217")
    gb_bytes: Annotated[int, Field(gt=0)] = Field(1_000_000_000, description="bytes of a GB as the plan counts them")
    size_basis: Literal["raw", "_raw", "billed", "enriched"] = Field(description="which bytes the SIEM counts")
    checked_on: date = Field(description="day the prices were last compared with their sources")
    ingest: IngestionMeter = Field(description="the main meter: what a stream goes to unless [streams] says otherwise")
    ingest_also: Annotated[tuple[IngestionMeter, ...], Strict(False)] = Field(
        default=(), description="further meters that each charge the streams of `ingest` too"
    )
    included_retention_days: Annotated[int, Field(ge=0)] = Field(
        description="days from ingestion on that cost nothing further to keep"
    )
    reference: bool = Field(default=False, description="taken where the SIEM is known and no plan is named")
    notes: Annotated[tuple[Text, ...], Strict(False)] = ()
    sources: dict[Slug, Source] = Field(min_length=1)
    streams: dict[Text, Stream] = Field(default_factory=dict)
    meters: dict[Slug, Meter] = Field(min_length=1)
    tiers: dict[Slug, StorageTier] = Field(default_factory=dict)
    grants: dict[Slug, Grant] = Field(default_factory=dict)
    credit: Credit | None = None
    minimum: Minimum | None = None
    pipeline: Pipeline | None = None
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
        fit_together(meters, info.data.get("included_retention_days", 0))
        return meters

    @field_validator("examples")
    @classmethod
    def _some(cls, examples: tuple[Example, ...], info: ValidationInfo) -> tuple[Example, ...]:
        # A plan whose price is left open has nothing to work an example with.
        credit = info.data.get("credit")
        left_open = any(is_open(meter) for meter in info.data.get("meters", {}).values())
        if not examples and not left_open and (credit is None or credit.prices):
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

    def in_its_gb(self, text: str) -> str:
        """A unit or a note with the plan's own GB: where it bills 2^30 bytes, that is a GiB."""
        return re.sub(r"\bGB\b", "GiB", text) if self.gb_bytes == 2**30 else text

    @property
    def at_least(self) -> bool:
        """Whether some price is a floor ("as low as"), so that bills are "at least"."""
        return any(meter.at_least for meter in self.meters.values())

    @property
    def counts(self) -> dict[str, bool]:
        """The counts the plan asks the customer for, and whether each must be stated."""
        asked: dict[str, bool] = {}
        for meter in self.meters.values():
            for name, needed in counts_of(meter).items():
                asked[name] = needed or asked.get(name, False)
        return asked

    def tier_of(self, stream: str) -> tuple[str, str | None]:
        """A stream's own name, and the tier it is in: ("CloudAppEvents", "lake"), or ("CloudAppEvents", None).

        Raises:
            TermsError: the plan has no such tier, or the tier does not take the stream.
        """
        base, at, tier_id = stream.rpartition(_AT)
        if not at:
            return stream, None
        if tier_id not in self.tiers:
            listed = ", ".join(sorted(self.tiers)) or "it has none"
            raise TermsError(
                f"'{tier_id}' is unknown",
                place=stream,
                expected=f"a tier of {self.id}: {listed}",
                mend=nearest(tier_id, self.tiers),
            )
        tier = self.tiers[tier_id]
        if base in tier.refused:
            raise TermsError(f"{base} cannot be sent to the tier {tier_id}", place=stream, mend=tier.refused[base])
        if tier.streams and base not in tier.streams:
            raise TermsError(
                f"{base} cannot be sent to the tier {tier_id}",
                place=stream,
                expected=f"one of {', '.join(tier.streams)}",
            )
        return base, tier_id

    def ingestion_meters(self, stream: str) -> tuple[str, ...]:
        """The ids of the meters that each charge the ingestion of `stream`; empty where it is free.

        Raises:
            TermsError: as `tier_of`.
        """
        _, tier_id = self.tier_of(stream)
        if tier_id is not None:
            return self.tiers[tier_id].ingest
        treated = self.streams.get(stream)
        if treated is None:
            return (self.ingest, *self.ingest_also)
        return () if treated.ingest == "free" else (treated.ingest,)

    def ingestion_meter(self, stream: str) -> str | None:
        """The id of the first meter that charges the ingestion of `stream`; None where it is free."""
        return next(iter(self.ingestion_meters(stream)), None)


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
        tiers=frozenset(tables("tiers")),
        credit="credit" in data,
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
