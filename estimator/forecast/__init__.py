"""The forecast: rates x scenario x calendar → draws of daily bytes per stream, spreads of events and GB per month.

`forecast.py` puts it together from `parts` (levels, and when each flows) on a `horizon` (days, their weights, growth);
`volumes` is what it says, `findings` what is doubtful about it.
"""

from estimator.forecast.forecast import Forecast
from estimator.forecast.volumes import BYTES_PER_GB, DailyBytes, FeedUse, Flow, Spread, Total, Volume

__all__ = ["BYTES_PER_GB", "DailyBytes", "FeedUse", "Flow", "Forecast", "Spread", "Total", "Volume"]
