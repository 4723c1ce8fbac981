"""The shipped plans: one TOML file a price table. How to read and add one: `pricing/README.md`."""
