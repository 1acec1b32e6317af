"""How many examples the laws take: some in every test run, thousands with `LAWS=long`; each failure can be repeated.

The quick ones are the same in every run. The long ones are those of `--hypothesis-seed`, which `make laws` chooses and
shows, and what fails prints a `@reproduce_failure` blob beside it.
"""

import os

from hypothesis import HealthCheck, Phase, settings

IS_LONG = os.environ.get("LAWS") == "long"
MORE = 25
"""How many times as many examples the long profile takes."""
PATIENCE = 6 * 3600 if IS_LONG else 120

law = settings(
    max_examples=40 * MORE if IS_LONG else 40,
    deadline=None,
    derandomize=not IS_LONG,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    phases=[Phase.generate],  # to shrink a fleet takes longer than a test may
)
