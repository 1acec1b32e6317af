"""Declarative GitOps for the Everruns agent platform; start reading at `reconcile.py`."""

__version__ = "0.1.0"
