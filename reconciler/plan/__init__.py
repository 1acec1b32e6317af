"""DIFF and PLAN: pure; no I/O, no clock, no environment."""
