"""How far off the forecast is on the tenant's own sample: parts of it are hidden, forecast from the rest, and compared.

Three parts are hidden in turn:

    mailboxes     a random fold of the mailboxes that emit, as if they did not yet; what they would emit over the
                  sampled days is forecast from the other folds, as joining mailboxes are;
    least_active  the third that the activity report shows least busy, from the busier ones: what joins is usually
                  quieter than what emits already, and here a mean times a head count fails;
    days          what follows the first weeks of the sample, for those that emit; a week at a time.

The spreadsheet beside it takes sampled events ÷ mailboxes that have any ÷ days, times the hidden mailboxes and the
sampled days; of hidden days, the events a day of the first part, times the hidden days.

Hidden mailboxes live the same days as those that stay, so the swing of weeks and the drift are no part of that
interval; of hidden days they are, and so is what chance does to a week. A fold is drawn at random, which joining
mailboxes are not, and classes that no sample shows cannot be hidden: a good backtest is needed, and not enough. Folds
of one sample share their mailboxes, so their errors are not independent.
"""

from __future__ import annotations

from estimator.backtest.run import DRAWS, FOLDS, Backtest, backtest_of, backtest_summary
from estimator.backtest.trials import MAIL_ITEMS, MIN_MAILBOXES, Score, Trial

__all__ = [
    "DRAWS",
    "FOLDS",
    "MAIL_ITEMS",
    "MIN_MAILBOXES",
    "Backtest",
    "Score",
    "Trial",
    "backtest_of",
    "backtest_summary",
]
