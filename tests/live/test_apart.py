"""Fields that stand below their resource: what is read of them, what is written, and what becomes of a refusal."""

import httpx
import pytest

from reconciler.api_errors import ServerFault
from reconciler.errors import Exit, ManifestError, PlanRefused, StalePlan
from reconciler.plan.change import Action
from reconciler.plan.outcome import Failed


def flags(world, org):
    """Return the feature flags of an organization in force."""
    return world.api.get(f"/v1/orgs/{org}/feature-flags").json()


def test_what_nobody_declares_is_not_read(world):
    """Without a declared field that stands apart, a plan asks for none."""
    world.declare("Organization", "acme", {})
    world.converge()
    world.plan()
    assert not any("feature-flags" in sent.path for sent in world.sent)


def test_flag_unknown_to_a_new_organization(world):
    """What nobody could tell beforehand and the platform does not know fails its creation with what it knows."""
    world.meddler.instead("GET", "/v1/orgs/[^/]*/feature-flags", (403, {"detail": "no"}))
    world.declare("Organization", "acme", {"feature_flags": {"telepathy": True}})
    (outcome,) = world.apply().outcomes
    assert isinstance(outcome, Failed)
    assert "does not know telepathy" in outcome.error.message
    assert "it knows agent_api, agent_versions" in outcome.error.hint
    with pytest.raises(ManifestError):
        world.plan()


def test_flag_turned_by_hand_is_drift(world):
    """A declared flag that somebody turned makes a plan stale, and is turned back by the next."""
    world.declare("Organization", "acme", {"feature_flags": {"voice": True}})
    world.converge()
    org = next(one["id"] for one in world.api.get("/v1/orgs").json()["data"] if one["name"] == "acme")
    world.api.patch(f"/v1/orgs/{org}/feature-flags", json={"flags": {"voice": False, "evals": False}})
    world.converge()
    assert flags(world, org)["voice"] is True
    assert flags(world, org)["evals"] is False


def memory(world, name="notes"):
    """Return the path of a memory's files."""
    return f"/v1/memories/{world.one('memories', name)['id']}/fs"


def test_bytes_are_kept(world):
    """A file of any bytes is written as it is, and then there is nothing to do."""
    (world.folder / "docs").mkdir()
    data = {"a.bin": bytes(range(256)), "b.md": b"\xef\xbb\xbfOne\r\ntwo\n", "ü c.txt": "Größe".encode(), "empty": b""}
    for name, content in data.items():
        (world.folder / "docs" / name).write_bytes(content)
    world.memory("notes", files={"dir": "docs"})
    world.converge()
    for name, content in data.items() - {("ü c.txt", data["ü c.txt"])}:  # the tests' own client asks for ASCII alone
        assert world.api.get(f"{memory(world)}/_/download/{name}").content == content
    world.forget()
    assert world.plan().is_empty


def test_only_folders_that_can_hold_a_declared_file_are_listed(world):
    """What others keep in a memory costs no request, and is not read."""
    world.memory("notes", files=[{"path": "guides/a.md", "content": "A."}])
    world.converge()
    for path in ("theirs/b.md", "guides/deeper/c.md", "guides/d.md"):
        world.api.post(f"{memory(world)}/{path}", json={"content": "Theirs."})
    world.forget()
    assert world.plan().is_empty
    asked = [sent.path.partition("/fs")[2] for sent in world.sent if "/fs" in sent.path]
    assert asked == ["", "/guides", "/guides/a.md"]


def test_a_killed_run_is_completed(world):
    """Files that were written before the run broke off are written over, the rest is made."""
    world.memory("notes", files=[{"path": f"{n}.md", "content": f"{n}"} for n in "abc"])
    world.meddler.cut("POST", r".*/fs/b\.md", httpx.ReadError("reset"), carried_out=True)
    world.apply()
    world.converge()
    assert [one["path"] for one in world.api.get(memory(world)).json()["data"]] == ["/a.md", "/b.md", "/c.md"]


@pytest.mark.parametrize("also", [{}, {"description": "More."}])
def test_files_that_leave_git_as_a_whole_are_released(world, also):
    """They stay as they are, the plan says so whatever else it does, and from then on they are nobody's."""
    world.memory("notes", files=[{"path": "a.md", "content": "A."}])
    world.converge()
    world.memory("notes", **also)
    plan = world.plan()
    assert [change.action for change in plan.steps] == [Action.UPDATE if also else Action.RECORD]
    assert "files: no longer in git, left as it is" in plan.steps[0].notes
    world.converge()
    assert world.plan().is_empty
    assert not [path for entry in world.ledger.entries.values() for path in entry.fields if "/files" in path]
    world.memory("notes", files=[{"path": "b.md", "content": "B."}])
    world.converge()
    assert [one["path"] for one in world.api.get(memory(world)).json()["data"]] == ["/a.md", "/b.md"]


def test_flags_that_leave_git_as_a_whole_are_released(world):
    """They stay as they are, and the plan says so."""
    world.declare("Organization", "acme", {"name": "Acme", "feature_flags": {"voice": True}})
    world.converge()
    world.declare("Organization", "acme", {"name": "Acme"})
    (step,) = world.plan().steps
    assert (step.action, step.notes) == (Action.RECORD, ("feature_flags: no longer in git, left as it is",))
    world.converge()
    assert world.plan().is_empty


SYNCED = {"source": {"type": "git", "url": "https://git.example.com/docs.git"}}


def test_files_are_not_lost_to_a_sync_unasked(world):
    """A memory kept by hand is not given a source while files lie in it, whoever wrote them, without leave."""
    world.memory("notes", files=[{"path": "a.md", "content": "A."}])
    world.converge()
    world.api.post(f"{memory(world)}/theirs.md", json={"content": "Theirs."})
    world.memory("notes", **SYNCED)
    plan = world.plan()
    assert [one.message.partition(": ")[2] for one in plan.refusals] == [
        "its files are lost, whoever wrote them: /a.md, /theirs.md"
    ]
    assert plan.refusals[0].message.endswith(plan.steps[0].notes[0])
    with pytest.raises(PlanRefused):
        world.apply(plan)
    world.declare("Memory", "notes", SYNCED, replace=True)
    world.converge()
    assert world.one("memories", "notes")["source_type"] == "git"


def test_an_empty_memory_is_given_a_source(world):
    """Nothing is asked where nothing can be lost, neither leave nor, once it is synced, the platform."""
    world.memory("notes")
    world.converge()
    world.memory("notes", **SYNCED)
    world.converge()
    assert world.plan().is_empty
    assert not any("/fs" in sent.path for sent in world.sent)


def test_a_removal_that_did_not_land_is_made_again(world):
    """A file that left git and that the platform kept, though it said otherwise, stays ours until it is gone."""
    world.memory("notes", files=[{"path": "a.md", "content": "A."}, {"path": "b.md", "content": "B."}])
    world.converge()
    world.memory("notes", files=[{"path": "b.md", "content": "B."}])
    world.meddler.instead("DELETE", r".*/fs/a\.md", (204, b""))
    assert world.apply().exit_codes == (Exit.NOT_CONVERGED,)
    assert not world.plan().is_empty
    world.converge()
    assert [one["path"] for one in world.api.get(memory(world)).json()["data"]] == ["/b.md"]
    assert world.plan().is_empty


def test_an_archival_that_did_not_land_is_made_again(world):
    """What left git and is there all the same stays ours until it is gone."""
    world.memory("notes")
    world.memory("others")
    world.converge()
    world.drop("Memory", "notes")
    world.meddler.instead("DELETE", r"/v1/memories/[^/]*", (204, b""))
    assert world.apply().exit_codes == (Exit.NOT_CONVERGED,)
    world.converge()
    assert world.one("memories", "notes")["status"] == "archived"
    assert world.plan().is_empty


def test_a_file_written_since_makes_the_plan_stale(world):
    """A saved plan is refused when a file that it writes was changed meanwhile, not when another one was."""
    world.memory("notes", files=[{"path": "a.md", "content": "A."}])
    world.converge()
    world.memory("notes", files=[{"path": "a.md", "content": "B."}])
    plan = world.plan()
    world.api.post(f"{memory(world)}/theirs.md", json={"content": "Theirs."})
    assert world.apply(plan).exit_codes == (0,)
    world.memory("notes", files=[{"path": "a.md", "content": "C."}])
    plan = world.plan()
    world.api.put(f"{memory(world)}/a.md", json={"content": "By hand."})
    with pytest.raises(StalePlan):
        world.apply(plan)


def test_a_listing_that_names_what_lies_elsewhere(world):
    """A plan reads a folder once, though its listing names the folder itself."""
    world.memory("notes", files=[{"path": "guides/a.md", "content": "A."}])
    world.converge()
    asked = []

    def edited(found):
        asked.append(1)
        assert len(asked) < 9
        return {"data": [*found["data"], {"path": "/guides", "is_directory": True}]}

    world.meddler.edit("GET", r".*/fs(/guides)?", edited, times=None)
    assert world.plan().is_empty
    assert len(asked) == 2


def test_base64_that_is_none(world):
    """A file that the platform spells as no encoding has it is a fault of the platform's, not ours."""
    world.memory("notes", files=[{"path": "a.md", "content": "A."}])
    world.converge()
    world.meddler.edit("GET", ".*/fs/a.md", lambda one: one | {"content": "é", "encoding": "base64"}, times=None)
    with pytest.raises(ServerFault):
        world.plan()


@pytest.mark.parametrize(
    ("theirs", "ours", "message"),
    [
        ("a/x.md", "a", "/a cannot be a file: it is a folder on the platform"),
        ("a", "a/x.md", "/a/x.md cannot be a file: it is below /a, which is a file on the platform"),
    ],
)
def test_a_path_that_is_taken_is_a_fault(world, theirs, ours, message):
    """A file where others keep a folder, or below a file of theirs, is told by the plan: each apply would fail."""
    world.memory("notes", files=[{"path": "b.md", "content": "B."}])
    world.converge()
    world.api.post(f"{memory(world)}/{theirs}", json={"content": "Theirs."})
    world.memory("notes", files=[{"path": "b.md", "content": "B."}, {"path": ours, "content": "Ours."}])
    with pytest.raises(ManifestError) as caught:
        world.plan()
    (fault,) = caught.value.faults
    assert (fault.message, fault.path) == (message, ("spec", "files"))


def test_a_folder_takes_the_place_of_a_file(world):
    """A file of ours that left git makes room for a folder of its name in the same run."""
    world.memory("notes", files=[{"path": "a", "content": "A."}])
    world.converge()
    world.memory("notes", files=[{"path": "a/b.md", "content": "B."}])
    world.converge()
    assert world.plan().is_empty
