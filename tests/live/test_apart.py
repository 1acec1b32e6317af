"""Fields that stand below their resource: what is read of them, what is written, and what becomes of a refusal."""

import httpx
import pytest

from reconciler.errors import ManifestError, StalePlan
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
