"""How figures are shown: digits, rounding, intervals."""

import pytest

from estimator.forecast import Spread
from estimator.report.figures import interval, is_saving, money, money_interval, money_of, significant, turned


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"), (12345.6, "12,300"), (999.6, "1,000"), (99.95, "100"), (1.0, "1.00"), (0.01234, "0.0123"),
        (0.0009999, "0.00100"), (250_499, "250,000"), (-1234, "-1,230"),
    ],
)  # fmt: skip
def test_three_significant_digits(value: float, shown: str) -> None:
    assert significant(value) == shown


@pytest.mark.parametrize(
    ("value", "width", "shown"),
    [
        (0, None, "0"), (0.004, None, "<0.01"), (-0.004, None, ">-0.01"), (0.585, None, "0.59"),
        (99.994, None, "99.99"), (10246.5, None, "10,247"), (55.55, 20, "56"), (10246.5, 0, "10,246.50"),
        (55.55, 3, "55.55"),
        (-0.2, None, "-0.20"), (10246.499999999998, None, "10,247"), (0.584999999999, None, "0.59"),
    ],
)  # fmt: skip
def test_money_is_rounded_half_up_and_no_finer_than_its_interval(value: float, width: float | None, shown: str) -> None:
    assert money(value, width) == shown


def test_all_figures_of_one_spread_have_the_same_digits() -> None:
    wide = Spread(50.04, 40.06, 49.5, 62.7)

    assert (money_of(wide), money_interval(wide)) == ("50", "40 – 63")


def test_an_interval_of_one_value_is_shown_once() -> None:
    assert interval(Spread(5, 5, 5, 5)) == "5.00"
    assert money_interval(Spread(0, 0, 0, 0)) == "0"


def test_what_is_saved_is_an_amount_above_nothing() -> None:
    saved = Spread(-12.0, -15.0, -12.5, -9.0)
    assert is_saving(saved)
    assert turned(saved) == Spread(12.0, 9.0, 12.5, 15.0)
    assert not is_saving(Spread(-1.0, -5.0, -1.0, 2.0))  # as likely a cost
    assert not is_saving(Spread(0.0, 0.0, 0.0, 0.0))
