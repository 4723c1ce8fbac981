"""Commands that print ratios in one run."""
