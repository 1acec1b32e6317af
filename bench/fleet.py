"""Make a fleet of N agents of a realistic size (about 1.5 KB each) as manifests, the same on every run."""

from __future__ import annotations

import random
from pathlib import Path

HEAD = "apiVersion: everruns.reconciler/v1\nkind: "
WORDS = (
    "customer order refund policy answer politely escalate summarise ticket language tone never promise always check "
    "account warranty shipping status evidence cite source confirm before closing hand over human colleague when unsure"
).split()


def write_fleet(folder: Path, count: int) -> None:
    """Write one organization and `count` agents, one file each, a hundred files a folder."""
    random_ = random.Random(count)
    folder.mkdir(parents=True)
    organization = f"{HEAD}Organization\nmetadata:\n  name: bench\nspec:\n  name: Bench\n"
    (folder / "organization.yaml").write_text(organization)
    for number in range(count):
        place = folder / f"agents-{number // 100:03d}"
        place.mkdir(exist_ok=True)
        (place / f"agent-{number:05d}.yaml").write_text(_agent(number, random_))


def _agent(number: int, random_: random.Random) -> str:
    prompt = "\n".join("    " + " ".join(random_.choices(WORDS, k=7)) for _ in range(11))
    return f"""{HEAD}Agent
metadata:
  name: agent-{number:05d}
spec:
  display_name: Agent {number}
  description: {" ".join(random_.choices(WORDS, k=6))}
  system_prompt: |-
{prompt}
  harness: generic
  default_model: claude-sonnet-4-5
  capabilities:
    - ref: current_time
    - ref: web_fetch
      config:
        timeout_ms: {random_.randrange(1000, 60000)}
    - ref: todo_list
      config: {{limit: {random_.randrange(5, 50)}}}
  tags: [bench, team-{number % 17}, tier-{number % 3}]
  tools:
    - type: client_side
      name: open_ticket
      description: Open a ticket
      parameters: {{type: object, properties: {{title: {{type: string}}}}}}
  mcpServers:
    crm:
      url: https://crm.example.com/mcp/{number % 9}
  network_access:
    allowed: [crm.example.com, "*.bench.example"]
  max_iterations: {random_.randrange(5, 40)}
  parallel_tool_calls: true
"""
