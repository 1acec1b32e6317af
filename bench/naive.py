"""The obvious way to plan with the same packages: safe_load, pages one after the other, DeepDiff for each pair."""

import os
import sys
from pathlib import Path

import httpx
import yaml
from deepdiff import DeepDiff

FIELDS = ("display_name", "description", "system_prompt", "capabilities", "tags", "max_iterations")


def main() -> None:
    folder, url, org = sys.argv[1:4]
    desired = {}
    for path in sorted(Path(folder).rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document["kind"] == "Agent":
                desired[document["metadata"]["name"]] = document["spec"]
    headers = {"Authorization": f"Bearer {os.environ['EVERRUNS_API_KEY']}", "X-Org-Id": org}
    live = {}
    with httpx.Client(base_url=url, headers=headers) as client:
        offset = 0
        while True:
            page = client.get("/v1/agents", params={"limit": 100, "offset": offset}).json()
            live |= {agent["name"]: agent for agent in page["data"]}
            offset += 100
            if offset >= page["total"]:
                break
    changed = [
        name
        for name, spec in desired.items()
        if DeepDiff({k: live.get(name, {}).get(k) for k in FIELDS}, {k: spec.get(k) for k in FIELDS})
    ]
    print(f"{len(desired)} agents, {len(changed)} changed")
    sys.exit(1 if changed else 0)


if __name__ == "__main__":
    main()
