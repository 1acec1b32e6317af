"""What a plan writes and the platform does not list is noted at its line, by the names that are near."""

import pytest

from reconciler.api_errors import ServerFault

LIST = "GET /v1/capabilities"
FORBIDDEN = (403, {"title": "Forbidden", "status": 403, "detail": "Access denied"})


def asked(world) -> int:
    """Count how often the list was asked for."""
    return [sent.line for sent in world.sent].count(LIST)


def notes(world, **flags) -> list[str]:
    """Give the notes of a plan."""
    return [note for change in world.plan(**flags).changes for note in change.notes]


def listed(world, *ids: str, times: int | None = None) -> None:
    """Let the platform list these alone."""

    def change(page):
        data = [{**page["data"][0], "id": id_} for id_ in ids]
        return {**page, "data": data, "total": len(data)}

    world.meddler.edit("GET", "/v1/capabilities", change, times=times)


def test_a_misspelled_capability_is_told_with_its_line_and_the_right_one(world):
    """The plan goes on: the list is not all that the platform takes."""
    world.declare("Harness", "desk", {"capabilities": [{"ref": "zzz"}]})
    (world.folder / "triage.yaml").write_text(
        "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {name: triage}\nspec:\n  system_prompt: Help.\n"
        "  capabilities:\n    - ref: web_fetch\n    - {ref: web_serch}\n"
    )
    plan = world.plan()
    told = {change.address.name: change for change in plan.changes}
    assert told["triage"].notes == (
        'the platform lists no capability "web_serch" (line 8): did you mean web_search or web_fetch?',
    )
    assert told["triage"].where.endswith("triage.yaml:1")
    assert told["desk"].notes == ('the platform lists no capability "zzz" (line 1): it may refuse it',)
    assert not plan.refusals


def test_asked_once_and_only_for_what_is_written(world):
    """Ten agents are one list; what is in sync, what says no capability and what is left as it is asks for none."""
    world.agent("plain")
    world.plan()
    assert asked(world) == 0
    for number in range(10):
        world.agent(f"agent-{number}", capabilities=[{"ref": "web_fetch"}])
    assert notes(world) == []
    assert asked(world) == 1
    world.converge()
    assert world.plan().is_empty
    world.agent("agent-3", capabilities=[{"ref": "web_fetch"}], description="Sorts mail")
    assert len(world.plan().writes) == 1
    assert asked(world) == 0


def test_a_list_of_many_is_read_whole(world):
    """What stands on the second page is there."""

    def pages(page):
        start = page["offset"]
        ids = ["web_search" if number == 120 else f"c_{number}" for number in range(start, min(start + 100, 130))]
        return {
            **page,
            "data": [{"id": id_, "name": id_, "description": "", "status": "x"} for id_ in ids],
            "total": 130,
        }

    world.meddler.edit("GET", "/v1/capabilities", pages, times=None)
    world.agent("triage", capabilities=[{"ref": "web_search"}, {"ref": "c_131"}])
    (note,) = notes(world)
    assert '"c_131"' in note
    assert asked(world) == 2


def test_a_declarative_capability_goes_by_either_name(world):
    """The platform stores the plain name with its prefix, and takes both."""
    listed(world, "web_fetch", "declarative:research_pack")
    refs = ["research_pack", "declarative:research_pack", "research_pck", "declarative:other"]
    world.agent("triage", capabilities=[{"ref": ref} for ref in refs])
    assert notes(world) == [
        'the platform lists no capability "research_pck" (line 1): did you mean research_pack?',
        'the platform lists no capability "declarative:other" (line 1): it may refuse it',
    ]


def test_what_is_looked_up_is_not_told_twice(world):
    """Shared MCP servers and skills have lists of their own."""
    world.post("/v1/mcp-servers", name="crm", url="https://mcp.example.com/v1")
    listed(world, "web_fetch")
    world.agent("triage", capabilities=[{"ref": "mcp:crm"}])
    assert notes(world) == []
    assert asked(world) == 0


def test_sessions_choose_from_the_same_list(world):
    """What a session can do beside its agent is held against it as well."""
    world.declare("Session", "weekly", {"title": "Weekly", "capabilities": [{"ref": "web_serch"}]})
    (note,) = notes(world)
    assert '"web_serch"' in note


@pytest.mark.parametrize("answer", [FORBIDDEN, (404, b"")], ids=["forbidden", "not there"])
def test_nothing_is_said_where_nobody_tells(world, answer):
    """A key that may not list, and a platform without the list, are no reason for a word."""
    world.meddler.instead("GET", "/v1/capabilities", answer, times=None)
    world.agent("triage", capabilities=[{"ref": "web_serch"}])
    assert notes(world) == []
    assert asked(world) == 1


def test_an_organization_to_be_made_has_no_list(world):
    """Nobody is asked for what does not exist."""
    world.declare("Organization", "acme")
    world.agent("triage", capabilities=[{"ref": "web_serch"}])
    assert [note for note in notes(world) if "web_serch" in note] == []
    assert asked(world) == 0


@pytest.mark.parametrize("page", [[], {"data": [{"id": 7}], "total": 1}, {"data": [], "total": True}, {"data": []}])
def test_another_answer_is_an_error(world, page):
    """A list that makes no sense is no list that is withheld."""
    world.meddler.instead("GET", "/v1/capabilities", (200, page), times=None)
    world.agent("triage", capabilities=[{"ref": "web_fetch"}])
    with pytest.raises(ServerFault):
        world.plan()


def test_every_doubt_has_its_own_line(world):
    """Several in one file, the same name in two documents too, are told each where it stands."""
    head = "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {name: %s}\nspec:\n  system_prompt: Help.\n"
    one, other = (head % name + "  capabilities:\n    - ref: aaa\n" for name in ("one", "other"))
    (world.folder / "agents.yaml").write_text(f"{one}    - ref: web_serch\n---\n{other}")
    told = {change.address.name: change.notes for change in world.plan().changes}
    assert [note.split("(")[1].split(")")[0] for note in (*told["one"], *told["other"])] == [
        "line 7",
        "line 8",
        "line 16",
    ]
