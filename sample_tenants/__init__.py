"""Ready-made tenants, their scenarios, and the seeded generator that made them with a known truth."""
