"""Files of memories (everruns-api/agents-memories-sessions.md, 4.6)."""

import base64
import sys
import time

import pytest

from reconciler.emulator.store import Record


@pytest.fixture
def fs(api, made):
    """Give the address of the files of a manual memory."""
    return f"/v1/memories/{made(api, '/v1/memories', name='notes')['id']}/fs"


@pytest.fixture
def refused():
    """Assert status and detail of a refusal by the file routes, which fill in neither title nor status."""

    def assert_refused(response, status, detail):
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json() == {"title": "", "status": 0, "detail": detail}

    return assert_refused


def paths(response):
    """List the paths of a listing."""
    assert response.status_code == 200, response.text
    return [entry["path"] for entry in response.json()["data"]]


def test_memories_4_6_create_and_read(api, fs):
    """POST answers what is known of the new file; GET adds content and encoding; API-written files have no hash."""
    created = api.post(f"{fs}/a.txt", json={"content": "hé"})
    assert created.status_code == 201
    info = created.json()
    assert info == {
        "path": "/a.txt",
        "is_directory": False,
        "size_bytes": 3,
        "content_hash": None,
        "created_at": info["created_at"],
        "updated_at": info["created_at"],
    }
    read = api.get(f"{fs}/a.txt").json()
    assert read == {key: value for key, value in info.items() if key != "is_directory"} | {
        "content": "hé",
        "encoding": "text",
    }


def test_memories_4_6_any_character_in_a_path(api, fs):
    """A path may have whatever the rules do not forbid, a line feed too."""
    assert api.post(f"{fs}/a%0Ab", json={"content": "x"}).json()["path"] == "/a\nb"
    assert api.get(f"{fs}/a%0Ab").json()["content"] == "x"
    assert api.put(f"{fs}/a%0Ab", json={"content": "y"}).status_code == 200
    assert api.get(f"{fs}/_/download/a%0Ab").content == b"y"
    assert api.delete(f"{fs}/a%0Ab").status_code == 204


def test_memories_4_6_listing(api, fs):
    """A listing has the immediate children, directories first, then by path; a trailing slash is ignored."""
    assert api.get(fs).json() == {"data": []}
    for path in ("b.txt", "a.txt", "z/inner.txt", "z/y/deep.txt"):
        assert api.post(f"{fs}/{path}", json={}).status_code == 201
    assert paths(api.get(fs)) == ["/z", "/a.txt", "/b.txt"]
    assert paths(api.get(f"{fs}/z")) == paths(api.get(f"{fs}/z/")) == ["/z/y", "/z/inner.txt"]
    directory = api.get(fs).json()["data"][0]
    assert (directory["is_directory"], directory["size_bytes"], directory["content_hash"]) == (True, 0, None)


def test_memories_4_6_directories(api, fs, refused):
    """A directory is created by a switch; its content counts for nothing and it cannot be rewritten."""
    body = {"is_directory": True, "content": "x", "encoding": "rot13"}
    assert api.post(f"{fs}/d", json=body).json()["is_directory"] is True
    assert paths(api.get(f"{fs}/d")) == []
    refused(api.put(f"{fs}/d", json={}), 404, "not found")


def test_memories_4_6_post_is_no_replace(api, fs, refused):
    """What exists is not created again, and a file cannot be a parent; a refused create leaves no parents behind."""
    api.post(f"{fs}/a/b", json={"content": "1"})
    refused(api.post(f"{fs}/a/b", json={"content": "2"}), 409, "conflict: path already exists: /a/b")
    refused(api.post(f"{fs}/a", json={}), 409, "conflict: path already exists: /a")
    refused(api.post(f"{fs}/a/b/c/d", json={}), 409, "conflict: parent /a/b is a file, not a directory")
    assert api.get(f"{fs}/a/b").json()["content"] == "1"


def test_memories_4_6_put_is_no_upsert(api, fs, refused):
    """PUT replaces the content of a file that exists, and empties it when it brings none."""
    refused(api.put(f"{fs}/a.txt", json={"content": "x"}), 404, "not found")
    created = api.post(f"{fs}/a.txt", json={"content": "old"}).json()
    after = api.put(f"{fs}/a.txt", json={"content": "newer"}).json()
    assert (after["content"], after["size_bytes"], after["created_at"]) == ("newer", 5, created["created_at"])
    assert after["updated_at"] > created["updated_at"]
    assert api.put(f"{fs}/a.txt", json={}).json()["content"] == ""
    assert api.get(f"{fs}/a.txt").json()["size_bytes"] == 0


def test_memories_4_6_delete(api, fs, refused):
    """A directory that is not empty is deleted only recursively, and takes nothing beside itself along."""
    for path in ("d/one", "d/two/three", "d2/x", "D/x"):
        api.post(f"{fs}/{path}", json={})
    refused(api.delete(f"{fs}/d"), 409, "directory not empty")
    refused(api.delete(f"{fs}/d?recursive=false"), 409, "directory not empty")
    assert api.delete(f"{fs}/d?recursive=true").status_code == 204
    assert paths(api.get(fs)) == ["/D", "/d2"]
    assert api.delete(f"{fs}/d2/x").status_code == api.delete(f"{fs}/d2").status_code == 204
    refused(api.delete(f"{fs}/d2"), 404, "not found")
    refused(api.get(f"{fs}/d2"), 404, "not found")
    assert api.delete(f"{fs}/x?recursive=maybe").status_code == 400


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"plain", "text"),
        ("über\n".encode(), "text"),
        (b"", "text"),
        (b"\xff\xfe", "base64"),
        (b"nul\0", "base64"),
        (b"x" * 8191 + b"\0", "base64"),
        (b"x" * 8192 + b"\0", "text"),
    ],
)
def test_memories_4_6_encoding_on_read(api, fs, data, encoding):
    """The server chooses: text for UTF-8 without a NUL in the first 8192 bytes, else base64."""
    sent = {"content": base64.b64encode(data).decode(), "encoding": "base64"}
    api.post(f"{fs}/f", json=sent)
    read = api.get(f"{fs}/f").json()
    assert read["encoding"] == encoding
    assert (base64.b64decode(read["content"]) if encoding == "base64" else read["content"].encode()) == data
    assert read["size_bytes"] == len(data)


def test_memories_4_6_unknown_encodings(api, fs, refused):
    """Only text and base64 are understood, and base64 must be well formed."""
    refused(api.post(f"{fs}/f", json={"content": "x", "encoding": "hex"}), 400, "unsupported encoding 'hex'")
    bad = api.post(f"{fs}/f", json={"content": "?", "encoding": "base64"})
    assert (bad.status_code, bad.json()["detail"][:23]) == (400, "invalid base64 content:")
    refused(api.get(f"{fs}/f"), 404, "not found")


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("a//b", "double slash in path"),
        ("a/%2e%2e/b", "'..' in path"),
        ("a%00", "null byte in path"),
        ("_config.yml", "path segments starting with '_' are reserved"),
        ("a/__init__.py", "path segments starting with '_' are reserved"),
    ],
)
def test_memories_4_6_paths(api, fs, refused, path, fault):
    """Some paths are refused, on reads too."""
    for method in ("GET", "POST", "PUT", "DELETE"):
        body = {} if method in ("POST", "PUT") else None
        refused(api.request(method, f"{fs}/{path}", json=body), 400, f"invalid path: {fault}")


def test_memories_4_6_encoded_slash(api, fs):
    """A path may bring its leading slash along, encoded, and is the same path."""
    assert api.post(f"{fs}/%2Fa%2Fb", json={"content": "x"}).json()["path"] == "/a/b"
    assert api.get(f"{fs}/%2Fa/b").json() == api.get(f"{fs}/a/b").json()


def test_memories_4_6_stat(api, fs, refused):
    """A stat shows a file or directory without content; the root has none, and paths must be absolute."""
    info = api.post(f"{fs}/a/b", json={"content": "x"}).json()
    assert api.post(f"{fs}/_/stat", json={"path": "/a/b/"}).json() == info
    assert api.post(f"{fs}/_/stat", json={"path": "/a"}).json()["is_directory"] is True
    refused(api.post(f"{fs}/_/stat", json={"path": "/"}), 404, "not found")
    refused(api.post(f"{fs}/_/stat", json={"path": "a"}), 400, "invalid path: path must start with '/', got 'a'")
    refused(api.post(f"{fs}/_/stat", json={"path": ""}), 400, "invalid path: empty path")
    assert api.post(f"{fs}/_/stat", json={}).status_code == 422


def test_memories_4_6_grep(api, fs, refused):
    """A grep names the text files that match, by path, optionally only those of a pattern."""
    files = {"b.md": "needle", "a.txt": "a Needle\nneedle", "d/c.md": "hay", "d/e.md": "needles"}
    for path, content in files.items():
        api.post(f"{fs}/{path}", json={"content": content})
    api.post(f"{fs}/bin", json={"content": base64.b64encode(b"needle\xff").decode(), "encoding": "base64"})
    api.post(f"{fs}/big", json={"content": "needle" + "x" * 1024 * 1024})
    found = api.post(f"{fs}/_/grep", json={"pattern": "needle"}).json()["data"]
    assert found == [
        {"path": "/a.txt", "size_bytes": 15},
        {"path": "/b.md", "size_bytes": 6},
        {"path": "/d/e.md", "size_bytes": 7},
    ]
    assert paths(api.post(f"{fs}/_/grep", json={"pattern": "^needle$", "path_pattern": "*.md"})) == ["/b.md"]
    assert paths(api.post(f"{fs}/_/grep", json={"pattern": "nothing"})) == []
    refused(api.post(f"{fs}/_/grep", json={"pattern": ""}), 400, "invalid pattern: empty pattern")
    for body, what in (({"pattern": "("}, "pattern"), ({"pattern": "x", "path_pattern": "[a"}, "path_pattern")):
        response = api.post(f"{fs}/_/grep", json=body)
        assert response.status_code == 400
        assert response.json()["detail"].startswith(f"invalid pattern: {what}: ")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "(a?){25}a{25}b"])
def test_no_pattern_takes_long(api, fs, pattern):
    """A search takes a time that grows with the text alone, however the pattern repeats itself."""
    api.post(f"{fs}/a.txt", json={"content": "a" * 5000 + "!"})
    began = time.monotonic()
    assert paths(api.post(f"{fs}/_/grep", json={"pattern": pattern})) == []
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("pattern", ["(", "a(?=b)", r"(a)\1", "(a{1000}){1000}", r"\pL{500}", "[z-a]"])
def test_patterns_that_no_linear_search_reads_are_refused(api, fs, refused, pattern, capfd):
    """What cannot be read, or would grow too large, is refused in words."""
    response = api.post(f"{fs}/_/grep", json={"pattern": pattern})
    assert response.json()["detail"].startswith("invalid pattern: pattern: ")
    refused(response, 400, response.json()["detail"])
    assert capfd.readouterr().err == ""


def test_patterns_know_characters(api, fs):
    """A dot is a character, not a byte."""
    api.post(f"{fs}/a.txt", json={"content": "h\u00e9!"})
    assert paths(api.post(f"{fs}/_/grep", json={"pattern": "^h.!$"})) == ["/a.txt"]
    assert paths(api.post(f"{fs}/_/grep", json={"pattern": "(?i)H\u00c9"})) == ["/a.txt"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.txt", "text/plain"), ("a.json", "application/json"), ("a.nobody-knows", "application/octet-stream")],
)
def test_memories_4_6_download(api, fs, name, kind):
    """A download is the bytes themselves, typed by their name, as an attachment."""
    data = b"\xff\0raw"
    sent = {"content": base64.b64encode(data).decode(), "encoding": "base64"}
    api.post(f"{fs}/d/{name}", json=sent)
    response = api.get(f"{fs}/_/download/d/{name}")
    assert (response.status_code, response.content) == (200, data)
    assert response.headers["content-type"] == kind
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'


def test_memories_4_6_download_refusals(api, fs, refused):
    """A directory cannot be downloaded; a name that no header can carry is left out of it."""
    api.post(f"{fs}/d/é.txt", json={"content": "x"})
    refused(api.get(f"{fs}/_/download/d"), 400, "path is a directory; refuse to read as file")
    refused(api.get(f"{fs}/_/download/x"), 404, "not found")
    response = api.get(f"{fs}/_/download/d/é.txt")
    assert (response.status_code, "content-disposition" in response.headers) == (200, False)


def test_memories_4_6_source_backed_is_readonly(api, made, refused):
    """A memory with a source takes no writes, whatever they are; its files can be read."""
    source = {"type": "git", "url": "https://git.example.com/a"}
    fs = f"/v1/memories/{made(api, '/v1/memories', name='m', source=source)['id']}/fs"
    detail = "memory is read-only (source-backed)"
    refused(api.post(f"{fs}/a", json={}), 403, detail)
    refused(api.put(f"{fs}/_a", json={}), 403, detail)
    refused(api.delete(f"{fs}/a"), 403, detail)
    assert api.get(fs).json() == {"data": []}


def test_memories_4_6_archived_still_takes_writes(api, fs):
    """An archived manual memory keeps its files and still accepts writes."""
    api.post(f"{fs}/a", json={"content": "1"})
    assert api.delete(fs.removesuffix("/fs")).status_code == 204
    assert api.get(f"{fs}/a").json()["content"] == "1"
    assert api.post(f"{fs}/b", json={}).status_code == 201
    assert paths(api.get(fs)) == ["/a", "/b"]


def test_memories_4_6_unknown_memories(api, refused):
    """A malformed or unknown memory is not found by any of the file routes."""
    for fs in ("/v1/memories/nonsense/fs", f"/v1/memories/mem_{0:032x}/fs"):
        refused(api.get(fs), 404, "memory not found")
        refused(api.get(f"{fs}/a"), 404, "memory not found")
        refused(api.put(f"{fs}/a", json={"encoding": "x"}), 404, "memory not found")
        refused(api.post(f"{fs}/_/grep", json={"pattern": ""}), 404, "memory not found")


def test_memories_4_6_only_documented_methods(api, fs):
    """There is no creating at the root, and the actions have one method each."""
    assert api.post(fs, json={}).status_code == 405
    assert api.post(f"{fs}/_/download/a", json={}).status_code in (400, 405)


def test_memories_4_1_file_permissions(roles, check):
    """Members read files; writing them takes an administrator; what only reads is a read whatever its method."""
    memory = roles["admin"].post("/v1/memories", json={"name": "m"}).json()["id"]
    fs = f"/v1/memories/{memory}/fs"
    assert roles["admin"].post(f"{fs}/a", json={"content": "x"}).status_code == 201
    member = roles["member"]
    detail = "Access denied: policy 'memory.manage' requires 'org:settings:manage'"
    check(member.post(f"{fs}/b", json={}), 403, detail)
    check(member.put(f"{fs}/a", json={}), 403, detail)
    check(member.delete(f"{fs}/a"), 403, detail)
    check(member.post(f"/v1/memories/{memory}/sync"), 403, detail)
    assert member.get(f"{fs}/a").json()["content"] == "x"
    assert member.post(f"{fs}/_/stat", json={"path": "/a"}).status_code == 200
    assert paths(member.post(f"{fs}/_/grep", json={"pattern": "x"})) == ["/a"]
    assert roles["stranger"].get(fs).status_code in (401, 404)


def test_memories_4_1_flag_hides_files(api, fs, check):
    """Without the feature the files are hidden as the memories are, before any permission is asked for."""
    org = api.get("/v1/orgs").json()["data"][0]["id"]
    api.patch(f"/v1/orgs/{org}/feature-flags", json={"flags": {"memory": False}})
    detail = "Feature 'memory' is not enabled"
    for response in (api.get(fs), api.post(f"{fs}/a", json={}), api.post(f"{fs.removesuffix('/fs')}/sync")):
        check(response, 404, detail, "feature_not_enabled")


def test_headers_6_file_routes_are_no_commands(api, fs):
    """The file routes are no domain commands: they neither read a change reason nor leave an entry in the history."""
    org = api.get("/v1/orgs").json()["data"][0]["id"]
    before = api.app.store.changes(org)
    headers = {"Everruns-Change-Reason": " "}
    assert api.post(f"{fs}/a", json={}, headers=headers).status_code == 201
    assert api.post(f"{fs}/_/grep", json={"pattern": "x"}, headers=headers).status_code == 200
    assert api.app.store.changes(org) == before


def test_files_belong_to_their_memory_and_organization(api, fs, made):
    """Files of one memory are not seen in another, and go with the memory when everything is reset."""
    api.post(f"{fs}/a", json={})
    other = f"/v1/memories/{made(api, '/v1/memories', name='other')['id']}/fs"
    assert paths(api.get(other)) == []
    assert api.post("/_emulator/reset").status_code == 204
    assert api.app.store.query("SELECT count(*) FROM memory_files") == [(0,)]


def test_files_survive_a_restart(open_api, made, tmp_path):
    """Files lie in the data file like everything else."""
    data = str(tmp_path / "data.db")
    api = open_api(data=data)
    memory = made(api, "/v1/memories", name="m")["id"]
    api.post(f"/v1/memories/{memory}/fs/a", json={"content": "kept"})
    api.app.close()
    assert open_api(data=data).get(f"/v1/memories/{memory}/fs/a").json()["content"] == "kept"


def test_removing_other_documents_leaves_files_alone(api, fs):
    """Only the end of a memory is the end of its files."""
    api.post(f"{fs}/a", json={})
    api.app.store.insert(Record(org="o", collection="agents", id="x", text="{}"))
    api.app.store.remove("x")
    assert paths(api.get(fs)) == ["/a"]


def test_a_search_without_its_extra(api, monkeypatch):
    """Where RE2 is not installed a search says what it needs, and everything else works."""
    monkeypatch.setitem(sys.modules, "re2", None)
    memory = api.post("/v1/memories", json={"name": "docs"}).json()["id"]
    response = api.post(f"/v1/memories/{memory}/fs/_/grep", json={"pattern": "a"})
    assert response.status_code == 501
    assert "search" in response.json()["detail"]
