"""GET /v1/capabilities: what is built in, and what an organization shares, as what an agent can be given."""

import uuid
from typing import Any

from reconciler.emulator import authored, links
from reconciler.emulator.call import Call, Reply, Route

PATH = "capabilities"
BUILT_IN = {
    "agent_handoff": "Agent Handoff",
    "bashkit_shell": "Bash",
    "current_time": "Current Time",
    "memory": "Memory",
    "session_file_system": "Session File System",
    "session_storage": "Session Storage",
    "skills": "Skills",
    "web_fetch": "Web Fetch",
    "web_search": "Web Search",
}
"""Those that pages of the API name. A write takes others too: which there are differs from build to build."""


def listing(call: Call) -> Reply:
    """List them in pages: what is built in by id, then servers and skills that are active."""
    limit, offset = call.page()
    words = call.window().search
    found = [
        one for one in _everything(call) if all(word in f"{one['name']} {one['description']}".lower() for word in words)
    ]
    query = call.request.args.to_dict()
    page = links.page(f"{call.base}/v1/{PATH}", query, offset=offset, limit=limit, total=len(found))
    data = [{**one, **links.urls(call.base, PATH, one["id"])} for one in found[offset : offset + limit]]
    return Reply(value={"data": data, **page})


def _everything(call: Call) -> list[dict[str, Any]]:
    own = [_one(id_, name, risk="high" if id_ in authored.HIGH_RISK else "low") for id_, name in BUILT_IN.items()]
    for collection, prefix, flag in (("mcp-servers", "mcp", "is_mcp"), ("skills", "skill", "is_skill")):
        for record in call.store.everything(call.org, collection):
            body = record.body()
            if body["status"] == "active":
                ref = f"{prefix}:{uuid.UUID(record.id.partition('_')[2])}"
                own.append({**_one(ref, body["name"]), flag: True})
    return own


def _one(id_: str, name: str, *, risk: str = "low") -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "description": f"{name}, for agents and harnesses",
        "status": "available",
        "risk_level": risk,
    }


ROUTES = (Route("GET", f"/v1/{PATH}", listing, "capability.view"),)
