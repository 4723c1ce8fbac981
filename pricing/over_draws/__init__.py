"""The arithmetic of a bill over many draws at once, in float64, one module a kind of meter.

Every function gives (M, N) or (M, 1) money at list price. `pricing.draws` puts them together; `pricing.exact` referees.
"""
