"""Syncing memories from real repositories (everruns-api/agents-memories-sessions.md, 4.5)."""

import hashlib
import json
import logging
import time

import pytest

from reconciler.emulator import clock, git_fetch, sync_claims, sync_worker
from reconciler.emulator.file_tree import NewFile
from reconciler.emulator.snapshots import Limits

NOT_FOUND = "Repository or branch was not found. Check the repository URL and branch"
NOT_FOUND_ON_GITHUB = (
    "Repository or branch was not found, or the repository is private. "
    "Check the repository or connect GitHub for private access"
)
NO_FOLDER = "configured root folder does not exist"
OUTSIDE = "configured root folder is not a directory inside the repository"


@pytest.fixture
def docs(repositories):
    """Commit a few files to acme/docs."""
    files = {"README.md": "hello", "docs/guide.md": "guide", "docs/api/index.md": "index", "logo.png": b"\x89PNG\0"}
    repositories.commit("acme/docs", files)
    return repositories


def tree(api, memory, path=""):
    """List every path of a memory, by name."""
    found = []
    for entry in api.get(f"/v1/memories/{memory['id']}/fs{path}").json()["data"]:
        found += [entry["path"], *(tree(api, memory, entry["path"]) if entry["is_directory"] else [])]
    return sorted(found)


def edited(app, memory, **members):
    """Change stored members of a memory behind the server's back, as time would."""
    with app.store.transaction():
        record = app.store.find(memory["id"])
        app.store.save(record.with_body({**record.body(), **members}))


def test_memories_4_5_synced(docs, synced):
    """A source-backed memory is pending, then synced: its files are there, typed by content, with their hashes."""
    memory = synced()
    assert memory["sync_status"] == "succeeded"
    assert memory["last_synced_at"] == memory["updated_at"] > memory["created_at"]
    assert "last_sync_error" not in memory
    assert tree(synced.api, memory) == [
        "/README.md",
        "/docs",
        "/docs/api",
        "/docs/api/index.md",
        "/docs/guide.md",
        "/logo.png",
    ]
    read = synced.api.get(f"/v1/memories/{memory['id']}/fs/README.md").json()
    assert (read["content"], read["content_hash"]) == ("hello", hashlib.sha256(b"hello").hexdigest())
    assert synced.api.get(f"/v1/memories/{memory['id']}/fs/logo.png").json()["encoding"] == "base64"
    assert synced.api.app.sync.step() is None


@pytest.mark.parametrize(("profile", "spelling"), [("seeds", "succeeded"), ("strict", "synced"), ("frozen", "synced")])
def test_memories_0_success_is_spelt_by_profile(docs, open_api, made, profile, spelling):
    """The seeds call success `succeeded`, the code `synced`; both begin with `pending`."""
    api = open_api(git_base=str(docs.base), profile=profile)
    memory = made(api, "/v1/memories", name="m", source={"type": "github", "repository": "acme/docs"})
    assert memory["sync_status"] == "pending"
    api.app.sync.step()
    assert api.get(f"/v1/memories/{memory['id']}").json()["sync_status"] == spelling


def test_memories_4_5_branch(docs, synced):
    """The branch is honoured, and a tag is none."""
    docs.commit("acme/docs", {"next.md": "2"}, branch="feature/x")
    docs.git("tag", "v1", "main", name="acme/docs")
    assert tree(synced.api, synced(branch="feature/x")) == ["/next.md"]
    assert synced(branch="v1")["last_sync_error"] == NOT_FOUND_ON_GITHUB


def test_memories_4_5_depth_one(docs, synced, monkeypatch):
    """One commit is fetched, whatever came before it."""
    docs.commit("acme/docs", {"later.md": ""})
    assert docs.git("rev-list", "--count", "main", name="acme/docs") == "2"
    counted = []

    def counting(repository, folder, limits):
        with repository.streamed("rev-list", "--count", "--all") as chunks:
            counted.append(b"".join(chunks).strip())
        return []

    monkeypatch.setattr(sync_worker.snapshots, "taken", counting)
    synced()
    assert counted == [b"1"]


@pytest.mark.parametrize(
    ("folder", "paths"),
    [
        ("docs/", ["/api", "/api/index.md", "/guide.md"]),
        ("docs/api", ["/index.md"]),
        ("./docs/./api", ["/index.md"]),
        ("link", ["/api", "/api/index.md", "/guide.md"]),
        ("deep/up", ["/api", "/api/index.md", "/guide.md"]),
        ("sub", []),
    ],
)
def test_memories_4_5_root_folder(repositories, synced, folder, paths):
    """Only what lies below the root folder is taken; a symlink may lead there, inside the repository."""
    repositories.commit(
        "acme/docs",
        {
            "docs/guide.md": "",
            "docs/api/index.md": "",
            "docs2/other.md": "",
            "link": ("120000", "docs/"),
            "deep/up": ("120000", "../link"),
            "sub": ("160000", "1" * 40),
        },
    )
    assert tree(synced.api, synced(root_folder=folder)) == paths


@pytest.mark.parametrize(
    ("folder", "error"),
    [
        ("none", NO_FOLDER),
        ("docs/none", NO_FOLDER),
        ("docs/guide.md/x", NO_FOLDER),
        ("loop", NO_FOLDER),
        ("docs/guide.md", OUTSIDE),
        ("out", OUTSIDE),
        ("absolute", OUTSIDE),
        (".git", "configured root folder cannot point inside repository metadata"),
    ],
)
def test_memories_4_5_bad_root_folder(repositories, synced, folder, error):
    """A root folder that is no directory of the repository fails the sync."""
    files = {
        "docs/guide.md": "",
        "loop": ("120000", "loop"),
        "out": ("120000", "docs/../../elsewhere"),
        "absolute": ("120000", "/etc"),
    }
    repositories.commit("acme/docs", files)
    memory = synced(root_folder=folder)
    assert (memory["sync_status"], memory["last_sync_error"]) == ("failed", error)
    assert "last_synced_at" not in memory


def planted(repositories, tree, name="acme/docs"):
    """Make a tree the whole of a repository's one commit."""
    author = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    commit = repositories.git(*author, "commit-tree", "-m", "x", tree, name=name)
    repositories.git("update-ref", "refs/heads/main", commit, name=name)


def bomb(repositories, name="acme/docs"):
    """Make a tree of a few objects that lists ten million entries, and give its hash."""
    repositories.commit(name, {"a": "x"})
    tree = repositories.git("rev-parse", "main^{tree}", name=name)
    for _ in range(7):
        lines = "".join(f"040000 tree {tree}\t{number}\n" for number in range(10))
        tree = repositories.git("mktree", name=name, stdin=lines.encode())
    return tree


@pytest.mark.parametrize("folder", [None, "inner"])
def test_memories_4_5_a_tree_bomb_is_refused_as_it_is_listed(repositories, synced, folder):
    """The limit of entries ends the listing, however much there were to list."""
    tree = bomb(repositories)
    line = f"040000 tree {tree}\tinner\n".encode()
    planted(repositories, repositories.git("mktree", name="acme/docs", stdin=line))
    began = time.monotonic()
    assert synced(root_folder=folder)["last_sync_error"] == "repository snapshot exceeds maximum file count"
    assert time.monotonic() - began < 10


def test_what_lies_outside_of_the_root_folder_is_not_listed(repositories, synced, monkeypatch):
    """A bomb beside the root folder takes no time; one in what is skipped ends the listing all the same."""
    monkeypatch.setattr(sync_worker.snapshots, "MOST_LISTED", 1000)
    tree = bomb(repositories)
    good = repositories.git("rev-parse", "main^{tree}", name="acme/docs")
    lines = f"040000 tree {tree}\t.git\n040000 tree {tree}\tbig\n040000 tree {good}\tdocs\n".encode()
    planted(repositories, repositories.git("mktree", name="acme/docs", stdin=lines))
    assert tree_of(synced, root_folder="docs") == ["/a"]
    assert synced()["last_sync_error"] == "repository snapshot exceeds maximum file count"


def tree_of(synced, **source):
    """List every path of a memory that was synced from a source."""
    return tree(synced.api, synced(**source))


def test_paths_that_no_disk_could_hold_are_refused(repositories, synced):
    """A path has a length that a checkout could make; a symlink on the way to the root folder is not longer either."""
    repositories.commit("acme/docs", {"/".join(["d" * 200] * 25): "", "link": ("120000", "x" * 5000)})
    assert synced()["last_sync_error"] == "repository contains unsupported file paths"
    assert synced(root_folder="link")["last_sync_error"] == NO_FOLDER


def test_metadata_behind_a_symlink_is_no_root_folder(repositories, synced):
    """A symlink does not lead into repository metadata either."""
    repositories.commit("acme/docs", {"link": ("120000", "x/.git")})
    error = "configured root folder cannot point inside repository metadata"
    assert synced(root_folder="link")["last_sync_error"] == error


def test_memories_4_5_symlinks_and_metadata_are_skipped(repositories, synced):
    """Symlinks and `.git` are not taken, a submodule leaves an empty directory, reserved names are listed alone."""
    files = {
        "a.txt": "",
        "etc": ("120000", "/etc/passwd"),
        "sub": ("160000", "1" * 40),
        "_private.md": "",
        ".gitignore": "",
    }
    repositories.commit("acme/docs", files)
    blob = repositories.git("hash-object", "-w", "--stdin", name="acme/docs", stdin=b"[core]")
    inner = repositories.git("mktree", name="acme/docs", stdin=f"100644 blob {blob}\tconfig\n".encode())
    listing = repositories.git("ls-tree", "main", name="acme/docs")
    root = f"{listing}\n040000 tree {inner}\t.git\n".encode()
    whole = repositories.git("mktree", "--missing", name="acme/docs", stdin=root)
    planted(repositories, whole)
    memory = synced()
    assert "last_sync_error" not in memory
    assert tree(synced.api, memory) == ["/.gitignore", "/_private.md", "/a.txt", "/sub"]
    assert synced.api.get(f"/v1/memories/{memory['id']}/fs/_private.md").status_code == 400


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(entries=4), "repository snapshot exceeds maximum file count"),
        (Limits(file_bytes=4), "repository file exceeds maximum sync size"),
        (Limits(total_bytes=9), "repository snapshot exceeds maximum sync size"),
        (Limits(entries=5, file_bytes=5, total_bytes=10), None),
    ],
)
def test_memories_4_5_limits(repositories, synced, limits, error):
    """Entries, directories included, and sizes are limited; what is outside the root folder does not count."""
    files = {"d/one": "12345", "d/e/two": "1234", "d/three": "1", "outside": "x" * 100, "d/link": ("120000", "one")}
    repositories.commit("acme/docs", files)
    synced.api.app.sync._limits = limits
    memory = synced(root_folder="d") if error != "repository snapshot exceeds maximum file count" else synced()
    assert memory.get("last_sync_error") == error


def test_memories_4_5_limits_of_the_server():
    """The limits are those of the server: 5000 entries, 10 MiB per file, 100 MiB in total."""
    assert Limits() == Limits(entries=5000, file_bytes=10_485_760, total_bytes=104_857_600)


def test_memories_4_5_unsupported_names(repositories, synced):
    """A name that is not UTF-8 fails the sync."""
    repositories.commit("acme/docs", {b"\xff.txt": ""})
    assert synced()["last_sync_error"] == "repository contains unsupported file paths"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ({"repository": "acme/none"}, NOT_FOUND_ON_GITHUB),
        ({"branch": "none"}, NOT_FOUND_ON_GITHUB),
        ({"type": "git", "url": "https://git.example.com/none"}, NOT_FOUND),
        ({"type": "git", "url": "https://github.com/acme/docs", "branch": "none"}, NOT_FOUND),
        ({"branch": "--upload-pack=touch x"}, "Could not reach the repository. Check the network and retry"),
    ],
)
def test_memories_4_5_not_found(docs, synced, source, error):
    """A missing repository or branch is told in the words of its kind."""
    memory = synced(**source)
    assert (memory["sync_status"], memory["last_sync_error"]) == ("failed", error)


def test_memories_4_5_empty_repository(repositories, synced):
    """A repository without commits has no branch to find."""
    repositories.git("init", "--quiet", "--bare", str(repositories.base / "acme/docs.git"))
    assert synced()["last_sync_error"] == NOT_FOUND_ON_GITHUB


def test_memories_4_5_resync_replaces_everything(docs, synced):
    """`/sync` queues, keeps the time of the last success, and the next sync replaces all files."""
    memory = synced()
    path = f"/v1/memories/{memory['id']}"
    docs.commit("acme/docs", {"only.md": "new"})
    queued = synced.api.post(f"{path}/sync").json()
    assert (queued["sync_status"], queued["last_synced_at"]) == ("pending", memory["last_synced_at"])
    assert len(tree(synced.api, memory)) == 6
    synced.api.app.sync.step()
    assert tree(synced.api, memory) == ["/only.md"]
    assert synced.api.get(path).json()["last_synced_at"] > memory["last_synced_at"]


def test_memories_4_5_failure_keeps_files(docs, synced):
    """A failed sync keeps the files and the time of the last success; the next claim clears the error."""
    memory = synced()
    (docs.base / "acme/docs.git").rename(docs.base / "acme/away.git")
    path = f"/v1/memories/{memory['id']}"
    synced.api.post(f"{path}/sync")
    synced.api.app.sync.step()
    failed = synced.api.get(path).json()
    assert (failed["sync_status"], failed["last_synced_at"]) == ("failed", memory["last_synced_at"])
    assert failed["last_sync_error"] == NOT_FOUND_ON_GITHUB
    assert len(tree(synced.api, memory)) == 6
    assert "last_sync_error" not in synced.api.post(f"{path}/sync").json()


def test_memories_4_5_one_memory_per_tick(docs, synced, made):
    """A step syncs one memory, the one that was touched longest ago."""
    source = {"type": "github", "repository": "acme/docs"}
    first, second = (made(synced.api, "/v1/memories", name=name, source=source)["id"] for name in ("a", "b"))
    synced.api.patch(f"/v1/memories/{first}", json={"description": "touched"})
    assert [synced.api.app.sync.step() for _ in range(3)] == [second, first, None]


def test_memories_4_5_only_active_memories_are_synced(docs, synced, made):
    """Manual and archived memories are never claimed, and one archived during its sync gets no files."""
    source = {"type": "github", "repository": "acme/docs"}
    made(synced.api, "/v1/memories", name="manual")
    memory = made(synced.api, "/v1/memories", name="m", source=source)
    claim = sync_claims.claim(synced.api.app.store)
    synced.api.delete(f"/v1/memories/{memory['id']}")
    assert not sync_claims.complete(synced.api.app.store, claim, [NewFile("/a", b"")], spelling="synced")
    assert synced.api.app.sync.step() is None
    assert tree(synced.api, memory) == []


def test_memories_4_5_claim_is_syncing(docs, synced, made):
    """The worker's claim shows as `syncing`, without the error of before."""
    memory = made(synced.api, "/v1/memories", name="m", source={"type": "github", "repository": "acme/none"})
    synced.api.app.sync.step()
    edited(synced.api.app, memory, sync_status="pending")
    sync_claims.claim(synced.api.app.store)
    shown = synced.api.get(f"/v1/memories/{memory['id']}").json()
    assert (shown["sync_status"], "last_sync_error" in shown) == ("syncing", False)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (("PATCH", "", {"description": "new"}), "syncing"),
        (("PATCH", "", {"source": {"type": "github", "repository": "acme/docs"}}), "pending"),
        (("POST", "/sync", None), "pending"),
    ],
)
def test_memories_4_5_patch_during_sync_discards_it(docs, synced, made, monkeypatch, request_, status):
    """Whatever touches a memory during its sync discards the result; a mere description leaves it `syncing`."""
    memory = made(synced.api, "/v1/memories", name="m", source={"type": "github", "repository": "acme/docs"})
    path = f"/v1/memories/{memory['id']}"
    method, suffix, body = request_
    taken = sync_worker.snapshots.taken

    def touching(*arguments):
        assert synced.api.get(path).json()["sync_status"] == "syncing"
        synced.api.request(method, path + suffix, json=body)
        return taken(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(sync_worker.snapshots, "taken", touching)
        synced.api.app.sync.step()
    after = synced.api.get(path).json()
    assert (after["sync_status"], "last_synced_at" in after) == (status, False)
    assert tree(synced.api, memory) == []
    assert synced.api.app.sync.step() == (memory["id"] if status == "pending" else None)


def test_memories_4_5_patch_during_failing_sync_discards_it(docs, synced, made):
    """A failure is discarded in the same way."""
    memory = made(synced.api, "/v1/memories", name="m", source={"type": "github", "repository": "acme/docs"})
    claim = sync_claims.claim(synced.api.app.store)
    synced.api.patch(f"/v1/memories/{memory['id']}", json={"name": "n"})
    assert not sync_claims.fail(synced.api.app.store, claim, "x")
    assert "last_sync_error" not in synced.api.get(f"/v1/memories/{memory['id']}").json()


@pytest.mark.parametrize(("minutes", "claimed"), [(14, False), (16, True)])
def test_memories_4_5_abandoned_syncs_are_reclaimed(docs, synced, minutes, claimed):
    """A memory that has been `syncing` for 15 minutes is claimed again."""
    memory = synced()
    edited(synced.api.app, memory, sync_status="syncing", updated_at=clock.ago(seconds=minutes * 60))
    assert synced.api.app.sync.step() == (memory["id"] if claimed else None)


@pytest.mark.parametrize("status", ["synced", "succeeded", "failed"])
@pytest.mark.parametrize("member", ["last_synced_at", "updated_at"])
def test_memories_4_5_interval(docs, synced, status, member):
    """A memory is synced again when its interval has passed since its last success, or else its last change."""
    memory = synced(sync_interval_secs=600)
    times = {"last_synced_at": None, "updated_at": clock.now()}
    edited(synced.api.app, memory, sync_status=status, **{**times, member: clock.ago(seconds=590)})
    assert synced.api.app.sync.step() is None
    edited(synced.api.app, memory, sync_status=status, **{**times, member: clock.ago(seconds=610)})
    assert synced.api.app.sync.step() == memory["id"]


def test_memories_4_5_no_interval_no_resync(docs, synced):
    """Without an interval a memory is synced once, however long ago that was."""
    memory = synced()
    edited(synced.api.app, memory, last_synced_at=clock.ago(seconds=10**8), updated_at=clock.ago(seconds=10**8))
    assert synced.api.app.sync.step() is None


def test_memories_4_4_source_starts_over(docs, synced):
    """Any PATCH with a source, even the same, queues and clears both the time and the error of the last sync."""
    memory = synced()
    source = {"type": "github", "repository": "acme/docs"}
    after = synced.api.patch(f"/v1/memories/{memory['id']}", json={"source": source}).json()
    assert (after["sync_status"], "last_synced_at" in after) == ("pending", False)
    edited(synced.api.app, memory, sync_status="failed", last_sync_error="x")
    after = synced.api.patch(f"/v1/memories/{memory['id']}", json={"source": source}).json()
    assert (after["sync_status"], "last_sync_error" in after) == ("pending", False)


def test_memories_4_4_manual_files_stay_until_the_first_sync(docs, synced, made):
    """A manual memory that is given a source keeps its files until a sync succeeds, and they become read-only."""
    memory = made(synced.api, "/v1/memories", name="m")
    path = f"/v1/memories/{memory['id']}"
    synced.api.post(f"{path}/fs/mine.txt", json={"content": "x"})
    synced.api.patch(path, json={"source": {"type": "github", "repository": "acme/docs"}})
    assert tree(synced.api, memory) == ["/mine.txt"]
    assert synced.api.put(f"{path}/fs/mine.txt", json={}).status_code == 403
    synced.api.app.sync.step()
    assert "/mine.txt" not in tree(synced.api, memory)


def test_memories_4_5_syncs_are_no_changes(docs, synced):
    """What the worker does is not part of the change history."""
    org = synced.api.get("/v1/orgs").json()["data"][0]["id"]
    memory = synced()
    assert [change.entity for change in synced.api.app.store.changes(org)] == [memory["id"]]


def test_a_reset_during_a_sync_wins(docs, synced, made):
    """The result of a sync whose memory is gone is dropped."""
    made(synced.api, "/v1/memories", name="m", source={"type": "github", "repository": "acme/docs"})
    claim = sync_claims.claim(synced.api.app.store)
    synced.api.post("/_emulator/reset")
    assert not sync_claims.complete(synced.api.app.store, claim, [NewFile("/a", b"")], spelling="synced")
    assert synced.api.app.store.query("SELECT count(*) FROM memory_files") == [(0,)]


def test_unforeseen_errors_fail_the_sync(docs, synced, monkeypatch, caplog):
    """An error nobody thought of ends as a failed sync with a text that tells nothing, and is logged."""
    monkeypatch.setattr(sync_worker.git_addresses, "remote", lambda *_: 1 / 0)
    with caplog.at_level(logging.ERROR, logger=sync_worker.__name__):
        assert synced()["last_sync_error"] == "memory source sync failed"
    assert "ZeroDivisionError" in caplog.text


def test_worker_syncs_by_itself(docs, open_api, made):
    """The worker that is started with the server needs nobody to drive it, and stops with it."""
    api = open_api(git_base=str(docs.base), sync_poll=0.01)
    memories = [
        made(api, "/v1/memories", name=name, source={"type": "github", "repository": "acme/docs"}) for name in "ab"
    ]
    deadline = time.monotonic() + 30
    while {memory["sync_status"] for memory in api.get("/v1/memories").json()["data"]} != {"succeeded"}:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert all(len(tree(api, memory)) == 6 for memory in memories)
    api.app.close()
    assert not api.app.sync._thread.is_alive()


def test_worker_goes_on_after_a_bad_tick(docs, open_api, made, monkeypatch, caplog):
    """A tick that goes wrong is logged and does not end the worker."""
    real = sync_claims.claim
    failed = []

    def claim(store):
        if not failed:
            failed.append(1)
            raise OSError("disk full")
        return real(store)

    monkeypatch.setattr(sync_claims, "claim", claim)
    api = open_api(git_base=str(docs.base), sync_poll=0.01)
    made(api, "/v1/memories", name="m", source={"type": "github", "repository": "acme/docs"})
    deadline = time.monotonic() + 30
    while api.get("/v1/memories").json()["data"][0]["sync_status"] != "succeeded":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert failed
    assert "disk full" in caplog.text


def test_every_error_fits(docs):
    """No `last_sync_error` is longer than 512 bytes, because all of them are texts of our own."""
    outputs = ("returned error: 403", "couldn't find remote ref", "anything" * 1000)
    texts = [git_fetch._explained(output, is_github=is_github) for output in outputs for is_github in (True, False)]
    assert len({*texts}) == 5
    assert all(len(json.dumps(text)) < 512 for text in texts)
