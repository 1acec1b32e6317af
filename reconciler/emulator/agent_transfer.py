"""Export and import of agents: the operations. The files themselves stand in `agent_files`."""

import re
from dataclasses import dataclass
from typing import Any

from reconciler.emulator import agent_files, agent_records, clock, slugs
from reconciler.emulator.call import Call, Reply, Route
from reconciler.emulator.problems import ProblemError, RejectionError, bad_request, not_found

SLUG = re.compile(r"[a-z0-9-]*")
SEPARATORS = re.compile(r"[\W_]+")
IMPORT_BYTES = 3 * 1024 * 1024
MARKDOWN = "text/markdown; charset=utf-8"
NO_PROMPT = "System prompt is required (provide in front matter or as markdown body)"


@dataclass(frozen=True, slots=True)
class Example:
    """One agent that may be adopted by its name."""

    display_name: str
    description: str
    system_prompt: str
    tags: tuple[str, ...]
    capabilities: tuple[str, ...]


EXAMPLES = {
    "dad-jokes-agent": Example(
        "Dad Jokes Agent",
        "Answers with a joke that makes the room groan.",
        "Answer every message with one short, harmless dad joke.",
        ("example", "fun"),
        ("current_time",),
    )
}


def export(call: Call) -> Reply:
    """GET /v1/agents/{id}/export: Markdown with front matter, to be saved under the agent's name."""
    record = agent_records.by_id(call)
    agent = record.body()
    if agent["status"] == "deleted":
        raise not_found("Agent")
    headers = {"Content-Type": MARKDOWN, "Content-Disposition": f'attachment; filename="{agent["name"]}.md"'}
    return Reply(text=agent_files.written(agent), headers=headers)


def import_agent(call: Call) -> Reply:
    """POST /v1/agents/import: from an example by name, else from the text of the body."""
    example = call.request.args.get("from-example")
    if example is not None:
        return agent_records.entity(call, agent_records.create(call, _adopted(call, example)), 201)
    told = _completed(agent_files.read(_text(call)))
    if "id" not in told:
        return agent_records.entity(call, agent_records.create(call, told), 201)
    record, is_new = agent_records.put(call, told["id"], told)
    return agent_records.entity(call, record, 201 if is_new else 200)


def _text(call: Call) -> str:
    """Read the body, of any type, as text of a bearable size."""
    raw = call.request.get_data()
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise RejectionError(400, f"Request body didn't contain valid UTF-8: {error}") from error
    if len(raw) > IMPORT_BYTES:
        raise bad_request("Input exceeds allowed limits")
    return text


def _completed(told: dict[str, Any]) -> dict[str, Any]:
    """Derive the slug and the display name, each from the other where one is missing; insist on a prompt."""
    shown = told.get("display_name", told.get("name"))
    source = told.get("name", shown)
    if source is None:
        moment = clock.now()
        source = f"agent-{moment[:10].replace('-', '')}-{moment[11:19].replace(':', '')}"
    name = source if SLUG.fullmatch(source) and "name" in told else _slug(source)
    if not told.get("system_prompt"):
        raise bad_request(NO_PROMPT)
    return {**told, "name": name, "display_name": shown}


def _slug(text: str) -> str:
    """Turn a display name into a slug."""
    return SEPARATORS.sub("-", text.lower()).strip("-")


def _adopted(call: Call, name: str) -> dict[str, Any]:
    """Write the create body of an example, under its own name or, where that is taken, with a suffix."""
    example = EXAMPLES.get(name)
    if example is None:
        raise ProblemError(404, f"agent example '{name}' not found", code="not_found")
    return {
        "name": slugs.of_example(call, agent_records.PATH, name),
        "display_name": example.display_name,
        "description": example.description,
        "system_prompt": example.system_prompt,
        "tags": list(example.tags),
        "capabilities": [{"ref": ref, "config": {}} for ref in example.capabilities],
    }


ROUTES = (
    Route("GET", "/v1/agents/<agent>/export", export, "agent.view"),
    Route("POST", "/v1/agents/import", import_agent, "agent.manage"),
)
