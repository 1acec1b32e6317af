"""Import of what stands apart: the files of a memory kept by hand, and the feature flags of an organization."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from reconciler.emulator import file_tree, memory_paths
from reconciler.emulator.feature_flags import FLAGS
from reconciler.errors import Exit
from reconciler.intake import accept, capture
from reconciler.live import whole
from reconciler.manifest.config import Config
from reconciler.plan.change import Action
from reconciler.plan.imported import Fate
from reconciler.reconcile import plan_afresh, read_manifests, want
from reconciler.report.import_text import import_text
from reconciler.report.style import Style
from reconciler.settings import settings
from reconciler.views import find_drift

from .test_import import do, pending, said, settled, spec

DATA = {
    "a.bin": bytes(range(256)),
    "b.md": b"\xef\xbb\xbfOne\r\ntwo\n",
    "guides/deep/c.txt": "Größe".encode(),
    "data;base64.md": b"data:;base64,AAAA",
    "empty": b"",
}


def written(world, data, name="notes"):
    """Make a memory by hand, with files."""
    memory = world.post("/v1/memories", name=name)
    put(world, memory["id"], data)
    return memory["id"]


def put(world, memory, data):
    """Write files into a memory by hand, behind the API, which is slow with thousands."""
    store = world.emulator.store
    with store.transaction():
        for path, content in data.items():
            for above in memory_paths.parents(f"/{path}"):
                if file_tree.entry(store, memory, above) is None:
                    file_tree.add(store, memory, file_tree.NewFile(above))
            file_tree.add(store, memory, file_tree.NewFile(f"/{path}", content))


def read(world, memory, path):
    """Read the bytes of a file."""
    return world.api.get(f"/v1/memories/{memory}/fs/_/download/{quote(path)}").content


def folder(world, name="notes"):
    """Give the files that an import wrote for a memory."""
    place = world.folder / "imported/default-org/files" / name
    return {one.relative_to(place).as_posix(): one.read_bytes() for one in place.rglob("*") if one.is_file()}


def test_files_of_a_memory(world):
    """Every byte lies in a folder that the manifest names, the plan is empty, and the files are ours then."""
    memory = written(world, DATA)
    world.forget()
    result = settled(world)
    assert not world.writes
    assert folder(world) == DATA
    assert spec(world, "Memory", "notes")["files"] == {"dir": "../files/notes"}
    place = world.folder / "imported/default-org/files/notes"
    assert f"  + {place}/  5 files" in [*import_text(result, style=Style())]
    (entry,) = [entry for address, entry in world.ledger.entries.items() if address.kind == "Memory"]
    assert "/files/~1guides~1deep~1c.txt" in entry.fields
    (world.folder / "imported/default-org/files/notes/b.md").write_bytes(b"New.")
    (change,) = [one for one in plan_of(world).steps if one.action is Action.UPDATE]
    assert [field.path for field in change.fields] == [("files", "/b.md")]
    assert read(world, memory, "b.md") == DATA["b.md"]


def plan_of(world):
    """Plan what was imported, with what is ours."""
    chosen = settings(env={}, manifests=(str(world.folder / "imported"),))
    return plan_afresh(chosen, client=world.reader(), read_ledger=world.backend.read, config=Config())


def test_what_cannot_be_a_file_here(world):
    """It is told and left alone, the rest is imported, and the plan is empty."""
    written(world, {"a.md": b"A.", ".env": b"X=1", "deep/x.yaml": b"kind: No\n", "A.md": b"B."})
    result = do(world)
    assert result.exit_code is Exit.DONE
    assert sorted(said(result)) == [
        "Memory/notes files./.env: hidden files are not read from a folder",
        "Memory/notes files./a.md: not every disk can tell it from /A.md",
        "Memory/notes files./deep/x.yaml: a file of this name would be read as a manifest",
    ]
    assert folder(world) == {"A.md": b"B."}
    assert pending(world) == []
    assert not [sent for sent in world.sent if sent.path.endswith((".env", "x.yaml", "/a.md"))]


@pytest.mark.parametrize(
    ("limit", "most", "message"),
    [
        ("MOST_FILES", 2, "it holds 3 files, and 2 are the most in a manifest"),
        ("MOST_BYTES", 5, "it holds more than 0 MiB, which is the most in a manifest"),
    ],
)
def test_more_than_a_manifest_takes(world, monkeypatch, limit, most, message):
    """Beyond the limits nothing of it is fetched, the memory is imported without files, and that is told."""
    monkeypatch.setattr(whole, limit, most)
    written(world, {"a": b"aa", "b": b"bb", "c": b"cc"})
    result = do(world)
    assert said(result) == [f"Memory/notes files: {message}"]
    assert not [sent for sent in world.sent if "/fs/" in sent.path]
    assert "files" not in (spec(world, "Memory", "notes") or {})
    assert pending(world) == []


def test_a_file_that_is_too_large(world, monkeypatch):
    """One file that could not be read back is left out."""
    monkeypatch.setattr(whole, "LARGEST", 3)
    written(world, {"a": b"aaaa", "b": b"bb"})
    assert said(do(world)) == ["Memory/notes files./a: it is larger than 0 MiB"]
    assert folder(world) == {"b": b"bb"}


def test_files_of_a_synced_memory_are_those_of_its_source(world):
    """They are neither read nor written."""
    world.memory("docs", source={"type": "github", "repository": "acme/docs"})
    world.converge()
    settled(world)
    assert not [sent for sent in world.sent if "/fs" in sent.path]
    assert "files" not in spec(world, "Memory", "docs")


def test_a_folder_that_holds_something_else(world):
    """It is not mixed up with what was there: that would become a file of the memory."""
    written(world, {"a.md": b"A."})
    place = world.folder / "imported/default-org/files/notes"
    place.mkdir(parents=True)
    (place / "mine.md").write_bytes(b"Mine.")
    settled(world)
    assert folder(world) == {"mine.md": b"Mine."}
    assert folder(world, "notes-2") == {"a.md": b"A."}
    assert spec(world, "Memory", "notes")["files"] == {"dir": "../files/notes-2"}


def test_a_file_is_never_written_over(world):
    """One of the same path that says something else blocks the whole memory, one that says the same does not."""
    written(world, {"a.md": b"A.", "b.md": b"B."})
    place = world.folder / "imported/default-org/files/notes"
    place.mkdir(parents=True)
    (place / "a.md").write_bytes(b"Mine.")
    result = do(world)
    assert {one.path.rpartition("/")[2]: one.fate for one in result.saved if one.address.kind == "Memory"} == {
        "a.md": Fate.IN_THE_WAY,
        "b.md": Fate.LEFT_OUT,
        "notes.yaml": Fate.LEFT_OUT,
    }
    assert folder(world) == {"a.md": b"Mine."}
    (place / "a.md").write_bytes(b"A.")
    settled(world)
    assert folder(world) == {"a.md": b"A.", "b.md": b"B."}


def test_a_secret_in_a_file_is_told(world):
    """What looks like a secret in clear is pointed out before anybody commits it."""
    written(world, {"a.md": b"Use sk-ant-api03-abcdef."})
    assert [one.path for one in do(world).suspects] == [("files", "/a.md")]


def test_many_files(world):
    """Files are read several at once, each once, and their folders once."""
    count = 300
    written(world, {f"f{n % 7}/{n:04}.md": b"%d" % n for n in range(count)})
    world.forget()
    result = do(world, parallelism=8)
    assert result.exit_code is Exit.DONE
    read = [sent.path for sent in world.sent if "/fs" in sent.path]
    assert len(read) == len({*read}) == count + 7 + 1
    assert len(folder(world)) == count
    assert pending(world) == []


def test_a_plan_reads_each_file_once(world):
    """The list of a folder tells no digest of what was written by hand: each declared file is asked for, and once."""
    written(world, {f"f{n % 3}/{n}.md": b"%d" % n for n in range(60)})
    settled(world)
    put(world, world.one("memories", "notes")["id"], {"theirs/a.md": b"Theirs."})
    world.forget()
    assert plan_of(world).is_empty
    read = [sent.path.partition("/fs")[2] for sent in world.sent if "/fs" in sent.path]
    assert len(read) == len({*read}) == 60 + 3 + 1


def test_flags_of_an_organization(world):
    """The flags in which the organization has a say are in its manifest, those that are not offered are not."""
    world.api.patch(f"/v1/orgs/{world.org}/feature-flags", json={"flags": {"voice": False}})
    settled(world)
    flags = spec(world, "Organization", "default-org")["feature_flags"]
    assert flags == {flag.name: flag.name != "voice" for flag in FLAGS if flag.available}


def test_flags_where_nobody_tells_what_is_offered(world):
    """A server without the page of settings has all its flags imported."""
    problem = {"title": "Not Found", "status": 404}
    world.meddler.instead("GET", r".*/feature-flags/settings", (404, problem), times=None)
    settled(world)
    assert spec(world, "Organization", "default-org")["feature_flags"].keys() == {flag.name for flag in FLAGS}


def test_a_file_that_moved_is_captured(world):
    """The bytes that are live come into the folder, and are what was last written from then on."""
    written(world, {"a.md": b"A.", "b.md": b"B."})
    settled(world)
    path = f"/v1/memories/{world.one('memories', 'notes')['id']}/fs/a.md"
    world.api.put(path, json={"content": "AAEC", "encoding": "base64"})
    wanted = wanted_of(world)
    chosen = settings(env={}, manifests=(str(world.folder / "imported"),))
    drift = find_drift(wanted, chosen, client=world.reader(), config=Config(), now=datetime.now(UTC))
    captured = capture(wanted, chosen, drift)
    assert [Path(file).name for file in captured.files] == ["a.md"]
    accept(captured, wanted_of(world), plan_of(world), client=world.reader(), keeper=world.keeper)
    assert folder(world) == {"a.md": b"\0\1\2", "b.md": b"B."}
    assert plan_of(world).changes == ()


def kit(world, *files):
    """Lay a file beside the manifest, and declare a memory of files with a settled agent beside it."""
    (world.folder / "kit").mkdir()
    (world.folder / "kit" / "a.md").write_text("A.")
    world.memory("notes", files=[*files] if isinstance(files[0], dict) else {"dir": files[0]})
    world.agent("triage")


def captured_here(world, **edited):
    """Write files of the memory by hand, and the prompt of the agent; return what was captured."""
    memory = f"/v1/memories/{world.one('memories', 'notes')['id']}/fs"
    for name, text in edited.items():
        assert world.api.put(f"{memory}/{name}.md", json={"content": text}).status_code == 200
    world.api.patch(f"/v1/agents/{world.one('agents', 'triage')['id']}", json={"system_prompt": "Theirs."})
    wanted, chosen = world.wanted(), settings(env={}, manifests=(str(world.folder),))
    drift = find_drift(wanted, chosen, client=world.reader(), config=Config(), now=datetime.now(UTC))
    captured = capture(wanted, chosen, drift)
    assert [one.address.kind for one in captured.taken] == ["Agent"]
    ((_, why),) = captured.left
    return why


MANIFEST = "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {name: other}\nspec: {system_prompt: Hi.}\n"


@pytest.mark.parametrize("how", ["named", "linked", "linked elsewhere"])
def test_nothing_but_a_file_of_its_own_is_written(world, how):
    """Who writes a file on the platform does not get to write a manifest, or what a link leads to."""
    kit(world, *([{"path": "a.md", "content": {"file": "x.yaml"}}] if how == "named" else ["kit"]))
    other = world.folder / ("shared.txt" if how == "linked elsewhere" else "x.yaml")
    other.write_text(MANIFEST)
    if how != "named":
        (world.folder / "kit" / "a.md").unlink()
        (world.folder / "kit" / "a.md").symlink_to(f"../{other.name}")
    world.converge()
    why = captured_here(world, a="Theirs.")
    assert ("stands in a manifest, x.yaml" if other.suffix == ".yaml" else "is a link here") in why
    assert other.read_text() == MANIFEST


@pytest.mark.parametrize("edited", [{"p": "P."}, {"p": "P.", "q": "Q."}])
def test_a_file_that_two_paths_read_is_not_captured(world, edited):
    """What is taken in under one path would change the other."""
    kit(world, *({"path": f"{name}.md", "content": {"file": "kit/a.md"}} for name in "pq"))
    world.converge()
    assert "reads the same file twice" in captured_here(world, **edited)
    assert (world.folder / "kit" / "a.md").read_text() == "A."


def test_a_file_whose_content_stands_inline_does_not_keep_the_rest(world):
    """It is told with its reason, and the rest is captured."""
    kit(world, {"path": "a.md", "content": "A."})
    world.converge()
    assert "whose content stands in the manifest" in captured_here(world, a="Theirs.")


def wanted_of(world):
    """Read what was imported, with what is ours."""
    chosen = settings(env={}, manifests=(str(world.folder / "imported"),))
    return want(read_manifests(chosen.manifests), chosen, ledger=world.ledger, config=Config())


def test_a_file_that_went_is_left(world):
    """To remove a file is for people; it is said, and the rest of the run goes on."""
    memory = written(world, {"a.md": b"A.", "b.md": b"B."})
    settled(world)
    world.api.delete(f"/v1/memories/{memory}/fs/a.md")
    wanted = wanted_of(world)
    chosen = settings(env={}, manifests=(str(world.folder / "imported"),))
    drift = find_drift(wanted, chosen, client=world.reader(), config=Config(), now=datetime.now(UTC))
    captured = capture(wanted, chosen, drift)
    assert captured.files == captured.taken == ()
    ((_, why),) = captured.left
    assert why.startswith("files./a.md came or went on the platform")
    assert folder(world).keys() == {"a.md", "b.md"}


def test_a_listing_that_names_what_lies_elsewhere(world):
    """A folder is read once, though a listing names it in itself; what a folder cannot hold is told and not read."""
    written(world, {"guides/a.md": b"A."})

    def edited(found):
        more = [{"path": path, "is_directory": True} for path in ("/guides", "/", "guides")]
        return {"data": [*found["data"], *more, *found["data"]]} if "data" in found else found

    world.meddler.edit("GET", r".*/fs(/guides)?", edited, times=None)
    result = do(world)
    assert folder(world) == {"guides/a.md": b"A."}
    assert {
        "Memory/notes files./guides: the platform lists it in /guides, where it is not",
        "Memory/notes files.guides: the platform lists it in /, where it is not",
    } <= {*said(result)}
    asked = [sent.path.partition("/fs")[2] for sent in world.sent if sent.path.partition("/fs")[1]]
    assert asked.count("/guides") == 1


def test_a_listing_without_end(world, monkeypatch):
    """Nobody walks further than any manifest could follow."""
    monkeypatch.setattr(whole, "_MOST_ENTRIES", 20)
    written(world, {"a.md": b"A."})
    for depth in range(30):
        entry = {"path": "/x" * (depth + 1), "is_directory": True}
        world.meddler.instead("GET", f".*/fs{'/x' * depth}", (200, {"data": [entry]}))
    assert said(do(world)) == ["Memory/notes files: it holds more than 20 files and folders"]
    assert sum("/fs" in sent.path for sent in world.sent if sent.method == "GET") == 21
