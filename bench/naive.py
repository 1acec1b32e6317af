"""The obvious way to plan with the same packages: safe_load, pages one after the other, DeepDiff for each pair."""

import os
import sys
from pathlib import Path
from typing import Any

import httpx
import yaml
from deepdiff import DeepDiff

REFERENCES = {"harness": "harness_id", "default_model": "default_model_id"}


def main() -> None:
    folder, url, org = sys.argv[1:4]
    desired = {}
    for path in sorted(Path(folder).rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document["kind"] == "Agent":
                desired[document["metadata"]["name"]] = document["spec"]
    headers = {"Authorization": f"Bearer {os.environ['EVERRUNS_API_KEY']}", "X-Org-Id": org}
    with httpx.Client(base_url=url, headers=headers) as client:
        models = client.get("/v1/models").json()["data"]
        harnesses = client.get("/v1/harnesses").json()["data"]
        names = {m["id"]: m["model_id"] for m in models} | {h["id"]: h["name"] for h in harnesses}
        live: dict[str, Any] = {}
        total = 1
        while len(live) < total:
            page = client.get("/v1/agents", params={"limit": 100, "offset": len(live)}).json()
            live |= {agent["name"]: agent for agent in page["data"]}
            total = page["total"]
    changed = [
        name
        for name, spec in desired.items()
        if DeepDiff(as_manifest(live.get(name, {}), spec, names), spec, ignore_order=True)
    ]
    print(f"{len(desired)} agents, {len(changed)} changed")
    sys.exit(1 if changed else 0)


def as_manifest(agent: dict[str, Any], spec: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Spell the declared fields of a live agent as its manifest does."""
    found = {key: agent.get(key) for key in spec}
    found |= {key: names.get(agent.get(theirs, ""), "") for key, theirs in REFERENCES.items() if key in spec}
    found["capabilities"] = [{k: v for k, v in item.items() if v} for item in agent.get("capabilities", [])]
    found["mcpServers"] = {k: {"url": v["url"]} for k, v in agent.get("mcpServers", {}).items()}
    return found


if __name__ == "__main__":
    main()
