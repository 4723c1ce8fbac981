"""The exact arithmetic of a bill, in Decimal, one module a kind of meter. `pricing.bill` puts it together."""
