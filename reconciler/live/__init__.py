"""OBSERVE and APPLY: the only folder that speaks HTTP, and the only one that knows ids."""
