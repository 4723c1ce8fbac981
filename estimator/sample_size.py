"""How many mailboxes of which classes to sample, and for how many days, for a forecast of a wished precision.

The precision of a sample is that of the forecast it would give: half of P10-P90 of the added events of an operation, as
a share of their mean. A sample that does not exist yet is made up from the fitted spread, and forecast with the same
predictor that `estimate` uses; so whatever widens an interval there widens it here. With J the mailboxes that would
join, mu_i their forecast rates, n_c random ones of each class c sampled for D days:

    sampled     y_i = mu_i x gamma(scatter phi about activity) x gamma(what D days leave to chance), i in the sample;
    forecast    fit(all sampled, today's and these) over the rest of J, plus the sampled ones themselves, known;
    tenant      x lognormal(sqrt(week^2 7/D + day^2/weekdays + drift^2 + week^2 / weeks of the horizon));
    n_c         in proportion to the class's share of the added events, five at least where it has 1 % of them.

phi is measured about the forecast of the mailboxes that emit today, and held at a prior as `learnt` holds it. Without a
sample it is the prior alone, for mailboxes whose activity tells little: a plan made blind asks for more. Programs touch
sampled mailboxes as they do today's. The smallest number is found by halving; more sampled mailboxes are always those
of before and others.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from estimator import catalog
from estimator.draws import Draws
from estimator.errors import UsageError
from estimator.files import write_whole
from estimator.findings import Finding, distinct
from estimator.folder import read_folder
from estimator.rates import Holidays, fit_rates
from estimator.sampling import HORIZON, Option, Planner, Stratum
from estimator.scenarios import scenarios_of
from estimator.tenant import Tenant, read_tenant, stop_at_errors
from estimator.true_counts import of_folder

SCHEMA = "siem-estimator/sample-size/1"
MAIL_ITEMS = "Exchange/MailItemsAccessed"
DRAWS = 200

#: Lengths of sample that are tried: whole weeks, for a weekday and a weekend day weigh differently.
DAYS = (7, 14, 28)
#: The length that is advised where it reaches; else a longer one.
_PREFERRED = 14

#: 1.28 standard deviations are the half of P10-P90.
_Z = 1.2816

Status = Literal["reached", "reachable", "not_reachable", "nobody_joins"]


@dataclass(frozen=True)
class SampleSize:
    """How much to sample.

    Attributes:
        tenant: the folder as it was read.
        as_of: the day of the advice.
        draws: of each made-up sample.
        operation: whose added events are to be forecast.
        within: the wished half of P10-P90, as a share of the mean.
        sampled_today: mailboxes that emit the operation in the sample there is.
        half_width_today: without any more sample.
        best: the half width with all joining mailboxes sampled for the longest time.
        options: each length of sample.
        advice: the option to take; None where none is needed or none reaches.
        strata: the classes, with what to sample of each under the advice.
        findings: what is doubtful.
    """

    tenant: Tenant
    as_of: dt.date
    draws: Draws
    operation: str
    within: float
    sampled_today: int
    half_width_today: float
    best: float
    options: list[Option]
    advice: Option | None
    strata: list[Stratum]
    findings: list[Finding] = field(default_factory=list)

    @property
    def joining(self) -> int:
        """Mailboxes that would join."""
        return sum(len(stratum.at) for stratum in self.strata)

    @property
    def status(self) -> Status:
        """Whether more sample is needed, and whether it helps."""
        if not self.joining:
            return "nobody_joins"
        if self.half_width_today <= self.within:
            return "reached"
        return "reachable" if self.advice is not None else "not_reachable"

    @property
    def refused(self) -> bool:
        """Whether some file of the folder was refused."""
        return any(finding.severity == "error" for finding in self.findings)

    def mailboxes(self) -> Iterator[tuple[str, str]]:
        """Class and name of each mailbox to sample: a random draw of each class."""
        names = self.tenant.inventory.mailboxes["mailbox"].to_numpy()
        for stratum in self.strata:
            for name in sorted(str(names[at]) for at in stratum.at[: stratum.sample]):
                yield stratum.name, name

    def write_list(self, path: Path) -> None:
        """Write the mailboxes to sample as CSV. It names mailboxes.

        Raises:
            OutputError: the file cannot be written.
        """
        from estimator.report.layout import no_formula

        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["audit_tier", "kind", "UserPrincipalName"])
        for klass, name in self.mailboxes():
            tier, _, kind = klass.partition(" ")
            writer.writerow([tier, kind, no_formula(name)])
        write_whole(path, out.getvalue().encode())

    def to_json(self) -> dict[str, Any]:
        """The JSON contract `siem-estimator/sample-size/1`; shares of 1, unrounded; names no mailbox."""
        return {
            "schema": SCHEMA,
            "version": version("siem-estimator"),
            "seed": self.draws.seed,
            "draws": self.draws.count,
            "as_of": self.as_of.isoformat(),
            "operation": self.operation,
            "within": self.within,
            "status": self.status,
            "joining": self.joining,
            "sampled_today": self.sampled_today,
            "half_width_today": self.half_width_today if self.joining else None,
            "best_half_width": self.best if self.joining else None,
            "days": self.advice and self.advice.days,
            "mailboxes": self.advice and self.advice.mailboxes,
            "half_width": self.advice and self.advice.half_width,
            "classes": [
                {"class": s.name, "joining": len(s.at), "share_of_added": s.share, "sample": s.sample}
                for s in self.strata
            ],
            "options": [{"days": o.days, "mailboxes": o.mailboxes, "half_width": o.half_width} for o in self.options],
            "not_bought": [{"code": code, "half_width": width, "why": why} for code, width, why in not_bought()],
            "inputs": self.tenant.inputs(),
            "findings": [finding.to_json() for finding in self.findings],
        }


def sample_size_of(
    tenant: Path | str,
    *,
    within: float,
    operation: str = MAIL_ITEMS,
    as_of: dt.date,
    days: Sequence[int] = DAYS,
    draws: int = DRAWS,
    seed: int = 0,
    memory: str = "1GB",
    true_counts: Mapping[str | None, int] | None = None,
    strict: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> SampleSize:
    """Say how many mailboxes of which classes to sample for how many days.

    Args:
        tenant: the folder that holds the exports; an audit sample may be among them.
        within: the wished half of P10-P90 of the added events, as a share of their mean: 0.2 is 20 %.
        operation: whose.
        as_of: the day, echoed in the result.
        days: lengths of sample to try, in whole weeks.
        draws: of each made-up sample.
        seed: of every random number, those that choose mailboxes included.
        memory: DuckDB's memory limit while it reads the audit sample.
        true_counts: the portal's total of audit exports that were cut, by file below the folder.
        strict: whether a file that is refused stops the run.
        progress: told what is being done.

    Raises:
        UsageError: nothing gives a rate of the operation.
        SiemEstimatorError: an input cannot be used; its class and text say which and how to mend it.
    """
    root = Path(tenant)
    folder = read_folder(root)
    if strict:
        stop_at_errors(folder.findings(), root)
    if true_counts:
        of_folder(true_counts, folder)
    stories = [story for _, story in scenarios_of(folder, ()) if story.country]
    holidays = Holidays(stories[0].country, stories[0].subdivision) if stories else Holidays()
    found = read_tenant(folder, memory=memory, true_counts=true_counts, strict=strict, progress=progress)
    drawn = Draws(draws, seed)
    progress("fitting rates")
    model = fit_rates(found.reduction, found.inventory, found.readiness, holidays, drawn, None, found.broken_days)
    plan = Planner(model, found.readiness, operation, drawn)
    progress("making up samples")
    options, today, best = [], 0.0, 0.0
    advice: Option | None = None
    if len(plan.joining):
        today = plan.as_it_stands()
        best = plan.half_width(len(plan.joining), max(days))
        if today > within:
            options = [plan.smallest(within, length) for length in days]
            reach = [option for option in options if option.mailboxes is not None]
            advice = min(reach, key=lambda option: (option.days != _PREFERRED, option.days < _PREFERRED), default=None)
    strata = plan.allotted(advice.mailboxes or 0) if advice else plan.strata
    findings = [*found.findings, *model.findings]
    return SampleSize(
        found, as_of, drawn, operation, within, plan.sampled_today, today, best, options, advice, strata,
        distinct(findings),
    )  # fmt: skip


def not_bought() -> list[tuple[str, float, str]]:
    """What no sample narrows: a code, the half width it alone would leave, and why."""
    priors = catalog.priors()
    horizon = priors.week_swing_log_sd.value / float(np.sqrt(HORIZON / 7))
    return [
        ("drift", _Z * priors.drift_log_sd.value, "lasting change of the tenant between the sample and the horizon"),
        ("weeks_to_come", _Z * horizon, "the swing of the weeks of the horizon itself"),
        (
            "class_ratio",
            _Z * priors.class_ratio_log_sd_sampled.value,
            "how far one class may lie from the curve though it is sampled; with several classes it averages down",
        ),
        (
            "record_size",
            _Z * priors.size_shift_log_sd.value,
            "of GB only: the size of the joining mailboxes' records, and what a feed makes of it; billed bytes of the "
            "SIEM settle that, not more sample",
        ),
    ]


def share_of(text: str) -> float:
    """`20%` or `20` as 0.2.

    Raises:
        UsageError: it is no percentage from 1 to 100.
    """
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = float("nan")
    if not 1 <= value <= 100:
        raise UsageError(
            f"--within {text} is no precision", place="--within", expected="a percentage from 1 to 100, such as 20%"
        )
    return value / 100


__all__ = ["Option", "SampleSize", "Stratum", "sample_size_of", "share_of"]
