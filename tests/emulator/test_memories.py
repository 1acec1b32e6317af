"""Memories."""

import pytest

GITHUB = {"type": "github", "repository": "acme/design-docs"}
REPOSITORY = "GitHub repository must be owner/repo or https://github.com/owner/repo (optionally ending in .git)"
FOLDER = "root_folder must be a relative path without empty segments or '..'"


@pytest.fixture
def manual(api, made):
    """Give a memory without a source."""
    return made(api, "/v1/memories", name="Notes", description="n")


@pytest.fixture
def synced(api, made):
    """Give a memory with a source."""
    return made(api, "/v1/memories", name="docs", source=GITHUB)


def test_memories_4_3_manual(manual):
    """Without a source a memory is manual, idle and writable; it has no links."""
    assert manual == {
        "id": manual["id"],
        "name": "Notes",
        "description": "n",
        "source_type": "manual",
        "source": {"provider": "manual"},
        "is_readonly": False,
        "sync_status": "idle",
        "status": "active",
        "created_at": manual["created_at"],
        "updated_at": manual["updated_at"],
    }


def test_memories_4_3_seed_request(api, made):
    """The example of the API page reads back with the slash gone and unset members null."""
    source = {**GITHUB, "branch": "main", "root_folder": "docs/"}
    memory = made(api, "/v1/memories", name="design-docs", source=source)
    assert memory["source"] == {
        "provider": "github",
        "repository": "acme/design-docs",
        "branch": "main",
        "root_folder": "docs",
        "sync_interval_secs": None,
    }
    assert (memory["source_type"], memory["is_readonly"], memory["sync_status"]) == (
        "github",
        True,
        "pending",
    )


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"repository": " https://github.com/Acme/Docs.git "}, {"repository": "Acme/Docs"}),
        ({"repository": "git@github.com:acme/docs.git"}, {"repository": "acme/docs"}),
        ({"repository": "https://github.com/acme/docs/"}, {"repository": "acme/docs"}),
        ({"branch": "  "}, {"branch": "main"}),
        ({"branch": " dev "}, {"branch": "dev"}),
        ({"root_folder": "/a/b/"}, {"root_folder": "a/b"}),
        ({"root_folder": "."}, {"root_folder": None}),
        ({"sync_interval_secs": 0}, {"sync_interval_secs": None}),
        ({"sync_interval_secs": 300}, {"sync_interval_secs": 300}),
    ],
)
def test_memories_4_3_normalization(api, made, sent, read):
    """Every accepted spelling reads back the one way."""
    source = made(api, "/v1/memories", name="m", source={**GITHUB, **sent})["source"]
    assert source == {**source, **read}


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        ({"repository": "docs"}, REPOSITORY),
        ({"repository": "https://gitlab.com/acme/docs"}, REPOSITORY),
        ({"repository": "a/" + "b" * 101}, REPOSITORY),
        ({"root_folder": "a//b"}, FOLDER),
        ({"root_folder": "a/../b"}, FOLDER),
        ({"branch": "x" * 256}, "branch must be a non-empty ref at most 255 characters"),
        ({"branch": "é" * 128}, "branch must be a non-empty ref at most 255 characters"),
        ({"branch": "a\0b"}, "branch must be a non-empty ref at most 255 characters"),
        ({"root_folder": "a\0b"}, FOLDER),
        ({"sync_interval_secs": 299}, "sync_interval_secs must be between 300 and 604800"),
        ({"sync_interval_secs": 604801}, "sync_interval_secs must be between 300 and 604800"),
    ],
)
def test_memories_4_3_bad_github_sources(api, check, sent, detail):
    """A source that cannot be is refused."""
    body = {"name": "m", "source": {**GITHUB, **sent}}
    check(api.post("/v1/memories", json=body), 400, detail)


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://git.example.com/a", "Git URL must use https scheme"),
        ("ssh://git@git.example.com/a", "Git URL must use https scheme"),
        ("https://me:pw@git.example.com/a", "Git URL must not include inline credentials"),
        ("https://git.example.com/a?x=1", "Git URL must not include query strings or fragments"),
        ("https://git.example.com/a#x", "Git URL must not include query strings or fragments"),
        ("https://localhost/a", "Git URL must target a public non-local host"),
        ("https://10.0.0.1/a", "Git URL must target a public non-local host"),
        ("https://0x7f.1/a", "Git URL must target a public non-local host"),
        ("https://../a", "Git URL must target a public non-local host"),
        ("http://git.example.com/a?x=1", "Git URL must not include query strings or fragments"),
        ("https://", "Git URL must be an absolute https URL"),
        ("git@git.example.com:a/b", "Git URL must be an absolute https URL"),
        ("https://git.example.com/" + "a" * 2048, "Git URL must be a non-empty URL without whitespace"),
        ("git.example.com/a", "Git URL must be an absolute https URL"),
        ("https://git.example.com/a b", "Git URL must be a non-empty URL without whitespace"),
        (" ", "Git URL must be a non-empty URL without whitespace"),
    ],
)
def test_memories_4_3_git_urls(api, check, url, detail):
    """A git URL must be https, public and bare."""
    check(api.post("/v1/memories", json={"name": "m", "source": {"type": "git", "url": url}}), 400, detail)


def test_memories_4_3_git(api, made):
    """A git URL is trimmed and otherwise kept."""
    source = {"type": "git", "url": " https://git.example.com/Docs.git "}
    memory = made(api, "/v1/memories", name="m", source=source)
    assert memory["source"]["url"] == "https://git.example.com/Docs.git"
    assert memory["source_type"] == "git"


def test_memories_4_3_no_manual_request(api):
    """There is no way to write `manual`, nor a source without its place."""
    for source in ({"type": "manual"}, {"type": "github"}, {"repository": "a/b"}):
        assert api.post("/v1/memories", json={"name": "m", "source": source}).status_code == 422


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        (" ", "Memory name cannot be empty"),
        ("x" * 256, "Memory name must be at most 255 characters"),
    ],
)
def test_memories_4_2_name_limits(api, check, manual, name, detail):
    """Names have between one and 255 characters, after trimming."""
    check(api.post("/v1/memories", json={"name": name}), 400, detail)
    check(api.patch(f"/v1/memories/{manual['id']}", json={"name": name}), 400, detail)


def test_memories_4_2_names_are_unique_whatever_the_case(api, check, manual, synced):
    """A clash is 409 with a code, on POST and PATCH; names are trimmed first."""
    detail = "memory name already exists"
    check(api.post("/v1/memories", json={"name": " NOTES "}), 409, detail, "already_exists")
    path = f"/v1/memories/{synced['id']}"
    check(api.patch(path, json={"name": "notes"}), 409, detail, "already_exists")
    assert api.patch(path, json={"name": "DOCS"}).json()["name"] == "DOCS"


def test_memories_4_2_archived_holds_its_name(api, manual, made):
    """An archived memory holds its name until it is renamed out of the way."""
    path = f"/v1/memories/{manual['id']}"
    api.delete(path)
    assert api.post("/v1/memories", json={"name": "notes"}).status_code == 409
    assert api.patch(path, json={"name": "notes (old)"}).json()["status"] == "archived"
    made(api, "/v1/memories", name="notes")


def test_memories_4_1_archive(api, check, manual):
    """DELETE archives; the second time and a malformed id are 404; archived memories are shown."""
    path = f"/v1/memories/{manual['id']}"
    assert api.delete(path).status_code == 204
    check(api.delete(path), 404, "Memory not found")
    check(api.get("/v1/memories/nonsense"), 404, "Memory not found")
    archived = api.get(path).json()
    assert (archived["status"], bool(archived["archived_at"])) == ("archived", True)
    assert api.get("/v1/memories").json() == {"data": []}
    assert api.get("/v1/memories?include_archived=true").json() == {"data": [archived]}


def test_memories_4_4_patch(api, manual):
    """Null clears the description and nothing else; an empty one stays empty."""
    path = f"/v1/memories/{manual['id']}"
    assert api.patch(path, json={"name": None, "source": None}).json()["name"] == "Notes"
    assert api.patch(path, json={"description": ""}).json()["description"] == ""
    assert "description" not in api.patch(path, json={"description": None}).json()


def test_memories_4_4_source_is_replaced_whole(api, made):
    """A source in a PATCH replaces the old one, defaults included, and waits for a sync."""
    full = {**GITHUB, "branch": "dev", "root_folder": "docs", "sync_interval_secs": 600}
    memory = made(api, "/v1/memories", name="m", source=full)
    after = api.patch(f"/v1/memories/{memory['id']}", json={"source": GITHUB}).json()
    assert after["source"] == {
        "provider": "github",
        "repository": "acme/design-docs",
        "branch": "main",
        "root_folder": None,
        "sync_interval_secs": None,
    }
    assert after["sync_status"] == "pending"


def test_memories_4_4_kind_may_change(api, manual):
    """A manual memory can be given a source, and then another kind of source."""
    path = f"/v1/memories/{manual['id']}"
    after = api.patch(path, json={"source": GITHUB}).json()
    assert (after["source_type"], after["is_readonly"], after["sync_status"]) == ("github", True, "pending")
    git = {"type": "git", "url": "https://git.example.com/a"}
    assert api.patch(path, json={"source": git}).json()["source_type"] == "git"


def test_memories_4_5_sync(api, check, manual, synced):
    """A sync is queued, for active memories with a source."""
    response = api.post(f"/v1/memories/{synced['id']}/sync")
    assert (response.status_code, response.json()["sync_status"]) == (200, "pending")
    detail = "manual memories do not have a source to sync"
    check(api.post(f"/v1/memories/{manual['id']}/sync"), 400, detail)
    api.delete(f"/v1/memories/{synced['id']}")
    detail = "only active source-backed memories can be synced"
    check(api.post(f"/v1/memories/{synced['id']}/sync"), 400, detail)


def test_memories_1_3_list_and_search(api, manual, synced):
    """Newest first, without totals; a search looks through name and description."""
    assert [memory["id"] for memory in api.get("/v1/memories").json()["data"]] == [synced["id"], manual["id"]]
    assert api.get("/v1/memories?search=NOT").json() == {"data": [manual]}


def test_permissions_memories(roles, check):
    """Members read memories; writing them takes an administrator."""
    detail = "Access denied: policy 'memory.manage' requires 'org:settings:manage'"
    check(roles["member"].post("/v1/memories", json={"name": "m"}), 403, detail)
    assert roles["admin"].post("/v1/memories", json={"name": "m"}).status_code == 201
    assert len(roles["member"].get("/v1/memories").json()["data"]) == 1
