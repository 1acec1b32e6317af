"""Keys that would overwrite one another: each variable of a file is for one channel."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from reconciler.errors import Fault
from reconciler.kinds.key_to import EnvFile
from reconciler.resource import Desired


def contested_variables(desired: Iterable[Desired]) -> Iterator[Fault]:
    """Yield a fault for each channel whose key would take the line of another's."""
    taken: dict[tuple[str, str], Desired] = {}
    for one in desired:
        if not isinstance(one.key_to, EnvFile):
            continue
        place = os.path.realpath(one.key_to.path), one.key_to.variable
        first = taken.setdefault(place, one)
        if first is not one:
            message = f"the key of {first.address} goes to {one.key_to.variable} of this file already"
            hint = "give one another variable: key_to: {env_file: ..., variable: NAME}"
            yield Fault(message, one.source, (*one.path, "key_to"), hint=hint, on_value=True)
