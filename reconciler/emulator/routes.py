"""Every operation this server knows, as one map; the path is chosen before the method, a fixed one first."""

from itertools import chain

from werkzeug.routing import Map, PathConverter, Rule

from reconciler.emulator import (
    agent_transfer,
    agent_versions,
    agents,
    apps,
    capabilities,
    channels,
    chat_sessions,
    feature_flags,
    harness_examples,
    harnesses,
    identities,
    memories,
    memory_files,
    models,
    offered,
    orgs,
    providers,
    sessions,
    unserved,
)
from reconciler.emulator.call import Route


class Rest(PathConverter):
    """Whatever is left of a path, with slashes of its own in front and line feeds too."""

    regex = "(?s:.+?)"
    part_isolating = False


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
    providers,
    offered,
    capabilities,
    identities,
    sessions,
    chat_sessions,
    unserved,
)
ROUTES = tuple(chain.from_iterable(module.ROUTES for module in MODULES))
RULES: dict[str, dict[str, Route]] = {}
for _route in ROUTES:
    RULES.setdefault(_route.rule, {}).setdefault(_route.method, _route)
MAP = Map(
    [Rule(rule, endpoint=rule) for rule in RULES], strict_slashes=True, merge_slashes=False, converters={"path": Rest}
)
