"""How fast buddy is, against what a user would otherwise write: same shape, same texts, one run."""
