"""Every operation this server knows, as one map; the path is chosen before the method, a fixed one first."""

from itertools import chain

from werkzeug.routing import Map, Rule

from reconciler.emulator import (
    agent_versions,
    agents,
    apps,
    channels,
    feature_flags,
    harnesses,
    identities,
    memories,
    models,
    orgs,
    unserved,
)
from reconciler.emulator.call import Route

MODULES = (
    orgs,
    feature_flags,
    agents,
    agent_versions,
    memories,
    apps,
    channels,
    harnesses,
    models,
    identities,
    unserved,
)
ROUTES = tuple(chain.from_iterable(module.ROUTES for module in MODULES))
RULES: dict[str, dict[str, Route]] = {}
for _route in ROUTES:
    RULES.setdefault(_route.rule, {}).setdefault(_route.method, _route)
MAP = Map([Rule(rule, endpoint=rule) for rule in RULES], strict_slashes=True, merge_slashes=False)
