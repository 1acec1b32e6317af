"""Every operation this server knows, as one map."""

from itertools import chain

from werkzeug.routing import Map, Rule

from reconciler.emulator import (
    agent_transfer,
    agent_versions,
    agents,
    apps,
    channels,
    chat_sessions,
    feature_flags,
    harness_examples,
    harnesses,
    identities,
    memories,
    memory_files,
    models,
    orgs,
    sessions,
    unserved,
)

MODULES = (
    orgs,
    feature_flags,
    agents,
    agent_transfer,
    agent_versions,
    memories,
    memory_files,
    apps,
    channels,
    harnesses,
    harness_examples,
    models,
    identities,
    sessions,
    chat_sessions,
    unserved,
)
ROUTES = tuple(chain.from_iterable(module.ROUTES for module in MODULES))
MAP = Map(
    [Rule(route.rule, endpoint=route, methods=[route.method]) for route in ROUTES],
    strict_slashes=True,
    merge_slashes=False,
)
