"""Readiness: which mailbox emits which operation today, will emit it, or is blocked, and why.

`rules.py` is what the settings say, `sample.py` what the sample shows, `judge.py` the verdict from both, `mends.py`
what there is to be mended, `tenant.py` the verb.
"""

from estimator.readiness.judge import STATES, Readiness, judge, will_emit

__all__ = ["STATES", "Readiness", "judge", "will_emit"]
