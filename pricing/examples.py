"""Run the worked examples a plan carries: the check of a plan file that its arithmetic is the vendor's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from pricing.bill import Terms, Usage, bill
from pricing.money import round_half_up
from pricing.plan import Example, Plan


@dataclass(frozen=True)
class ExampleResult:
    """What an example should come to, and what it does, at the precision its source prints.

    Attributes:
        title: of the example.
        expected: the total its source prints.
        found: the total that was computed.
        by_meter: what each meter charged of it, unrounded, in the order of the bill; one that is not there had nothing
            to charge.
    """

    title: str
    expected: Decimal
    found: Decimal
    by_meter: Mapping[str, Decimal]

    @property
    def holds(self) -> bool:
        """Whether the two agree."""
        return self.expected == self.found


def run_examples(plan: Plan) -> list[ExampleResult]:
    """Every worked example of a plan, in the order of the file."""
    return [run_example(plan, example) for example in plan.examples]


def run_example(plan: Plan, example: Example) -> ExampleResult:
    """Bill one worked example and round it half up to the decimals of what is expected."""
    usage = Usage(
        [example.first_day + timedelta(days=i) for i in range(example.days)],
        _repeated(example.gb_per_day, example.days),
        {stream: [float(gb) for gb in values] for stream, values in example.earlier_gb_per_day.items()},
        _repeated(example.events_per_day, example.days),
        _repeated(example.peak_events_per_second, example.days),
    )
    terms = Terms(
        commitment=example.commitment,
        retention_days=example.retention_days,
        discount_percent=example.discount_percent,
        grant_gb_per_day=example.grant_gb_per_day,
        billed_free_streams=frozenset(example.billed_free_streams),
        total_retention_days=example.total_retention_days,
        counts=example.counts,
    )
    expected = Decimal(example.expected)
    _, _, decimals = example.expected.partition(".")
    made = bill(plan, usage, terms)
    return ExampleResult(example.title, expected, round_half_up(made.total, len(decimals)), made.by_meter())


def _repeated(series: Mapping[str, Sequence[Decimal]], days: int) -> dict[str, list[float]]:
    """Each list repeated until the days are full."""
    return {stream: [float(values[i % len(values)]) for i in range(days)] for stream, values in series.items()}
