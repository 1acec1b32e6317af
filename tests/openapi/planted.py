"""Something of everything on the server before a run, its ids as the examples of the file: so calls succeed."""

from collections.abc import Mapping
from typing import Any

from werkzeug.test import Client

from reconciler.emulator import ids

from .published import METHODS

Spec = dict[str, Any]
MESSAGE = "Read this."
FILES = ("list_root", "get_file", "update_file", "download_action", "stat_action", "grep_action")


def plant(app: Any, headers: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Make resources; gives what they are known by: for parameters of a name, of one operation, or of one body."""
    client = Client(app)

    def make(path: str, **body: Any) -> dict[str, Any]:
        response = client.post(path, json=body, headers=dict(headers))
        assert response.status_code in (200, 201), response.text
        made: dict[str, Any] = response.get_json()
        return made

    def read(path: str) -> dict[str, Any]:
        found: dict[str, Any] = client.get(path, headers=dict(headers)).get_json()
        return found

    harness = make("/v1/harnesses", name="planted", system_prompt="Help.")
    model = read("/v1/models")["data"][0]
    agent = make("/v1/agents", name="planted", system_prompt="Help.")
    versions = [make(f"/v1/agents/{agent['id']}/versions", summary=each)["id"] for each in ("First", "Second")]
    one = make("/v1/apps", name="Planted", harness_id=harness["id"], agent_id=agent["id"])
    below = f"/v1/apps/{one['id']}"
    a2a = make(f"{below}/a2a-channels", message=MESSAGE)["channel"]["id"]
    endpoint = make(f"{below}/api-endpoint-channels")["channel"]["id"]
    basic = {"mode": "http_basic", "provider": {"type": "http_basic", "username": "u", "password": "planted"}}
    make(f"{below}/api-endpoint-channels", auth=basic)
    make(f"{below}/channels", channel_type="webhook", channel_config={"token": "planted", "message": MESSAGE})
    source = {"type": "github", "repository": "acme/docs"}
    spare = make("/v1/harnesses", name="spare", system_prompt="Help.")
    files = make("/v1/memories", name="Files")["id"]
    for name in ("planted.txt", "spare.txt"):
        make(f"/v1/memories/{files}/fs/{name}", content=MESSAGE)
    session = make("/v1/sessions", title="Planted", agent_id=agent["id"])
    return {
        "": {
            "org": ids.DEFAULT_ORG,
            "org_id": ids.DEFAULT_ORG,
            "harness_id": harness["id"],
            "default_harness_id": harness["id"],
            "base_harness_id": harness["id"],
            "parent_harness_id": harness["id"],
            "default_model_id": model["id"],
            "provider_id": model["provider_id"],
            "agent_id": agent["id"],
            "version_id": versions[0],
            "from_version_id": versions[0],
            "to_version_id": versions[1],
            "agent_version_id": versions[0],
            "agent_identity_id": make("/v1/agent-identities", name="Planted")["id"],
            "app_id": one["id"],
            "memory_id": make("/v1/memories", name="Planted", source=source)["id"],
            "session_id": session["id"],
            "workspace_id": session["workspace_id"],
        },
        **{operation: {"memory_id": files, "path": "planted.txt"} for operation in FILES},
        "create_file": {"memory_id": files, "path": "notes/new.txt"},
        "delete_file": {"memory_id": files, "path": "spare.txt"},
        "StatRequest": {"path": "/planted.txt"},
        "import_harness": {"from-example": "data-analyst"},
        "get_model": {"id": model["id"]},
        "update_model": {"id": model["id"]},
        "resolve_org": {"id": one["id"]},
        "regenerate_a2a_key": {"channel_id": a2a},
        "regenerate_api_endpoint_key": {"channel_id": endpoint},
        "delete_agent": {"agent_id": make("/v1/agents", name="spare", system_prompt="Help.")["id"]},
        "delete_app": {"app_id": make("/v1/apps", name="Spare", harness_id=harness["id"])["id"]},
        "delete_harness": {"harness_id": spare["id"]},
        "delete_memory": {"memory_id": make("/v1/memories", name="Spare")["id"]},
        "delete_session": {"session_id": make("/v1/sessions", title="Spare")["id"]},
    }


def acquainted(spec: Spec, planted: Mapping[str, Mapping[str, str]]) -> Spec:
    """Give what was planted as the examples of parameters and of members of bodies."""
    for item in spec["paths"].values():
        for operation in [item[method] for method in METHODS if method in item]:
            known = {**planted[""], **planted.get(operation["operationId"], {})}
            for parameter in [one for one in operation.get("parameters", ()) if one["name"] in known]:
                parameter.pop("examples", None)
                parameter["example"] = known[parameter["name"]]
    for name, schema in spec["components"]["schemas"].items():
        known = {**planted[""], **planted.get(name, {})} if name.endswith("Request") else {}
        for member in schema.get("properties", {}).keys() & known.keys():
            schema["properties"][member]["examples"] = [known[member]]
            schema["properties"][member].pop("example", None)
    return spec
