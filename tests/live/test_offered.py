"""What an organization offers its agents, and who serves it: looked up, and doubted when it is withheld."""

from uuid import UUID

import pytest

from reconciler.errors import ManifestError

from ..test_import import settled  # noqa: TID252 - tests are found by path, there is no package to name

FORBIDDEN = (403, {"title": "Forbidden", "status": 403, "detail": "Access denied"})
MISSING = (404, b"")
LISTS = ["GET /v1/mcp-servers", "GET /v1/skills", "GET /v1/providers"]


def asked(world) -> list[str]:
    """Give the lists of what is offered that were asked for."""
    return [sent.line for sent in world.sent if sent.line in LISTS]


def server(world, name: str) -> str:
    """Make a shared MCP server and give the capability that it is."""
    made = world.post("/v1/mcp-servers", name=name, url="https://mcp.example.com/v1")
    return f"mcp:{UUID(made['id'].partition('_')[2])}"


def faults(world) -> list[tuple[str, str | None, tuple[str | int, ...]]]:
    """Give what a plan says against the manifests."""
    with pytest.raises(ManifestError) as raised:
        world.plan()
    return [(one.message, one.hint, one.path) for one in raised.value.faults]


def test_listed_once_and_only_where_named(world):
    """Ten agents that name shared servers are one list; who names none asks for none."""
    ref = server(world, "crm")
    world.agent("plain", capabilities=[{"ref": "web_fetch"}])
    world.plan()
    assert asked(world) == []
    for number in range(10):
        world.agent(f"agent-{number}", capabilities=[{"ref": "mcp:crm" if number % 2 else ref}])
    world.forget()
    world.converge()
    assert world.plan().is_empty
    world.forget()
    assert world.plan().is_empty
    assert asked(world) == LISTS[:1]


def test_what_is_not_offered_is_told_with_what_is(world):
    """A name that is nearly right is told the right one, another what there is."""
    server(world, "crm")
    server(world, "tracker")
    world.agent("triage", capabilities=[{"ref": "mcp:trackr"}, {"ref": "mcp:billing"}, {"ref": "skill:pdf"}])
    where = [("spec", "capabilities", index, "ref") for index in range(3)]
    assert faults(world) == [
        ('no MCP server is called "trackr"', "did you mean tracker?", where[0]),
        ('no MCP server is called "billing"', "known: crm, tracker", where[1]),
        ('no skill is called "pdf"', "there are no skills yet", where[2]),
    ]


def test_what_is_archived_is_not_offered(world):
    """A server that is archived or deleted is told as that, and no other is guessed."""
    server(world, "crm")

    def archive(page):
        page["data"][0]["status"] = "archived"
        return page

    world.meddler.edit("GET", "/v1/mcp-servers", archive, times=None)
    world.agent("triage", capabilities=[{"ref": "mcp:crm"}])
    ((message, hint, _),) = faults(world)
    assert message == 'MCP server "crm" is archived or disabled'
    assert hint


def test_two_of_one_name(world):
    """Of two servers of one name neither is meant; its UUID says which."""
    first = server(world, "crm")
    server(world, "crm")
    world.agent("triage", capabilities=[{"ref": "mcp:crm"}])
    ((message, hint, _),) = faults(world)
    assert message.startswith('2 MCP servers are called "crm"')
    assert hint
    world.agent("triage", capabilities=[{"ref": first}])
    world.converge()
    assert world.plan().is_empty
    assert world.one("agents", "triage")["capabilities"][0]["ref"] == first


@pytest.mark.parametrize("kind", ["Agent", "Harness", "Session"])
def test_one_server_by_two_names(world, kind):
    """A name and the UUID behind it are one capability, which is said once."""
    ref = server(world, "crm")
    server(world, "tracker")
    spec = {"capabilities": [{"ref": "mcp:crm"}, {"ref": "mcp:tracker"}, {"ref": ref}]}
    world.declare(kind, "triage", spec | ({"system_prompt": "Help."} if kind == "Agent" else {}))
    where = ("spec", "capabilities", 2, "ref")
    assert faults(world) == [(f"mcp:crm and {ref} are the same MCP server", "remove one of them", where)]


@pytest.mark.parametrize("answer", [FORBIDDEN, MISSING], ids=["forbidden", "not there"])
def test_what_nobody_tells_is_sent_as_it_is_written(world, answer):
    """Where the list is withheld the plan says so and blocks nothing; what is in sync says nothing."""
    ref = server(world, "crm")
    world.meddler.instead("GET", "/v1/mcp-servers", answer, times=None)
    world.agent("triage", capabilities=[{"ref": ref}])
    (change,) = world.plan().steps
    why = "the platform lists no MCP servers of default to this key"
    assert change.notes == (f"{ref} is sent as it is written: {why}",)
    world.converge()
    assert world.one("agents", "triage")["capabilities"] == [{"ref": ref, "config": None}]
    assert world.plan().is_empty
    assert not world.plan().changes


def test_another_answer_is_an_error(world):
    """A list that fails for another reason is no withheld one."""
    from reconciler.api_errors import ServerFault  # noqa: PLC0415

    world.meddler.instead("GET", "/v1/mcp-servers", (200, {"data": [{"id": 7}]}), times=None)
    world.agent("triage", capabilities=[{"ref": "mcp:crm"}])
    with pytest.raises(ServerFault):
        world.plan()


def test_providers_withheld(world):
    """Without the list a provider can be named by its id alone, and what else is named is told at its place."""
    ident = world.api.get("/v1/providers").json()["data"][0]["id"]
    world.meddler.instead("GET", "/v1/providers", FORBIDDEN, times=None)
    world.declare("Organization", "acme", {"name": "Default", "default_provider_per_service": {"chat": "Anthropic"}})
    ((message, hint, where),) = faults(world)
    assert message.startswith("the platform lists no providers of acme to this key")
    assert hint
    assert where == ("spec", "default_provider_per_service", "chat")
    world.declare("Organization", "acme", {"name": "Default", "default_provider_per_service": {"chat": ident}})
    world.converge()
    assert world.plan().is_empty
    assert world.api.get(f"/v1/orgs/{world.org}").json()["default_provider_per_service"] == {"chat": ident}


def test_a_session_has_what_is_offered(world):
    """What a session can do beside its agent is named in the same way, and is said once."""
    ref = server(world, "crm")
    world.declare("Session", "weekly", {"title": "Weekly", "capabilities": [{"ref": "mcp:crm"}]})
    world.converge()
    assert world.plan().is_empty
    (made,) = world.api.get("/v1/sessions").json()["data"]
    assert [one["ref"] for one in made["capabilities"]] == [ref]


def test_an_archived_agent_comes_back_with_what_it_had(world):
    """What is brought back as it was is sent with the UUIDs that it has, without a list."""
    ref = server(world, "crm")
    world.agent("triage", capabilities=[{"ref": "mcp:crm"}])
    world.agent("other")
    world.converge()
    world.drop("Agent", "triage")
    world.converge()
    world.agent("triage", description="Sorts mail")
    world.converge()
    assert world.one("agents", "triage")["capabilities"][0]["ref"] == ref
    assert world.plan().is_empty


def test_a_new_organization_offers_nothing(world):
    """In an organization that does not exist yet no server can be named."""
    world.declare("Organization", "acme")
    world.agent("triage", capabilities=[{"ref": "mcp:crm"}])
    assert faults(world) == [
        ('no MCP server is called "crm"', "there are no MCP servers yet", ("spec", "capabilities", 0, "ref"))
    ]


def test_imported_under_their_names(world):
    """An import says the names, and the plan of what it wrote is empty."""
    ref = server(world, "crm")
    world.agent("triage", capabilities=[{"ref": "mcp:crm"}])
    world.converge()
    settled(world)
    (text,) = [path.read_text() for path in (world.folder / "imported").rglob("triage.yaml")]
    assert "mcp:crm" in text
    assert ref not in text


def test_imported_without_asking(world):
    """An import of what names nothing shared asks for no list of it."""
    server(world, "crm")
    world.agent("plain", capabilities=[{"ref": "web_fetch"}])
    world.converge()
    settled(world)
    assert asked(world) == []
