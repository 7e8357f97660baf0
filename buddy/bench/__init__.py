"""How fast buddy is, against what a user would otherwise write: same weights, same texts, one run."""
