"""Every operation this server knows, as one map."""

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
    memory_files,
    models,
    orgs,
    unserved,
)

MODULES = (
    orgs,
    feature_flags,
    agents,
    agent_versions,
    memories,
    memory_files,
    apps,
    channels,
    harnesses,
    models,
    identities,
    unserved,
)
ROUTES = tuple(chain.from_iterable(module.ROUTES for module in MODULES))
MAP = Map(
    [Rule(route.rule, endpoint=route, methods=[route.method]) for route in ROUTES],
    strict_slashes=True,
    merge_slashes=False,
)
