"""The files of a memory: listed and read by everybody, written by hand only where no repository owns them."""

import base64
import mimetypes
from dataclasses import asdict
from typing import Any

from reconciler.emulator import bodies, file_search, file_tree, memory_paths
from reconciler.emulator.bodies import Field
from reconciler.emulator.call import NO_CONTENT, Call, Reply, Route
from reconciler.emulator.file_tree import Entry, NewFile
from reconciler.emulator.memory_documents import PATH
from reconciler.emulator.memory_paths import ROOT
from reconciler.emulator.problems import ProblemError, unfilled

REWRITE = {"content": Field(bodies.text), "encoding": Field(bodies.text)}
CREATE = {**REWRITE, "is_directory": Field(bodies.flag)}
STAT = {"path": Field(bodies.text, required=True)}
GREP = {"pattern": Field(bodies.text, required=True), "path_pattern": Field(bodies.text)}
SNIFFED = 8192
# Without the machine's own tables, so that a file has the same type everywhere.
TYPES = mimetypes.MimeTypes(filenames=())


def listing(call: Call) -> Reply:
    """GET /v1/memories/{id}/fs: what lies in the root."""
    return _listing(call, _memory(call)["id"], ROOT)


def show(call: Call) -> Reply:
    """GET /v1/memories/{id}/fs/{path}: a file with its content, or what lies in a directory."""
    memory = _memory(call)["id"]
    found = _found(call, memory, _path(call))
    return _listing(call, memory, found.path) if found.is_directory else _file(call, memory, found)


def create(call: Call) -> Reply:
    """POST /v1/memories/{id}/fs/{path}: makes a file or directory that is not there yet, parents included."""
    memory = _memory(call)
    is_directory = bool(call.body.get("is_directory"))
    data = None if is_directory else _decoded(call)
    path = _writable(call, memory)
    if path == ROOT:
        raise memory_paths.root_refused()
    _make_parents(call, memory["id"], path)
    if file_tree.entry(call.store, memory["id"], path):
        raise _conflict(f"conflict: path already exists: {path}")
    file_tree.add(call.store, memory["id"], NewFile(path, data))
    return Reply(201, asdict(_found(call, memory["id"], path)))


def rewrite(call: Call) -> Reply:
    """PUT /v1/memories/{id}/fs/{path}: replaces the content of a file that exists; without one it is emptied."""
    memory = _memory(call)
    data = _decoded(call)
    path = _writable(call, memory)
    if not file_tree.rewrite(call.store, memory["id"], path, data):
        raise _not_found()
    return _file(call, memory["id"], _found(call, memory["id"], path))


def remove(call: Call) -> Reply:
    """DELETE /v1/memories/{id}/fs/{path}: a directory that is not empty takes `recursive=true`."""
    recursive = call.switch("recursive")
    memory = _memory(call)
    path = _writable(call, memory)
    found = _found(call, memory["id"], path)
    if found.is_directory and not recursive and file_tree.children(call.store, memory["id"], path):
        raise _conflict("directory not empty")
    file_tree.remove(call.store, memory["id"], path)
    return Reply(NO_CONTENT)


def download(call: Call) -> Reply:
    """GET /v1/memories/{id}/fs/_/download/{path}: the bytes themselves, as an attachment."""
    memory = _memory(call)["id"]
    found = _found(call, memory, _path(call))
    if found.is_directory:
        raise unfilled(400, "path is a directory; refuse to read as file")
    name = found.path.rpartition("/")[2].replace('"', "")
    headers = {"Content-Type": TYPES.guess_type(name)[0] or "application/octet-stream"}
    if name.isascii() and name.isprintable():
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Reply(raw=file_tree.content(call.store, memory, found.path), headers=headers)


def stat(call: Call) -> Reply:
    """POST /v1/memories/{id}/fs/_/stat: what is known of a path, without its content."""
    memory = _memory(call)["id"]
    return Reply(value=asdict(_found(call, memory, memory_paths.normalized(call.body["path"]))))


def grep(call: Call) -> Reply:
    """POST /v1/memories/{id}/fs/_/grep: the files a regular expression is found in."""
    memory = _memory(call)["id"]
    found = file_search.matching(call.store, memory, call.body["pattern"], call.body.get("path_pattern"))
    return Reply(value={"data": [{"path": entry.path, "size_bytes": entry.size_bytes} for entry in found]})


def _memory(call: Call) -> dict[str, Any]:
    """Find the memory in the path, archived ones too."""
    record = call.store.get(call.org, PATH, call.args["memory"])
    if record is None:
        raise unfilled(404, "memory not found")
    return record.body()


def _path(call: Call) -> str:
    """Give the checked path behind `/fs/`."""
    return memory_paths.normalized(memory_paths.from_url(call.args["path"]))


def _writable(call: Call, memory: dict[str, Any]) -> str:
    """Insist on a memory that may be written to, then give the checked path."""
    if memory["is_readonly"]:
        raise unfilled(403, "memory is read-only (source-backed)")
    return _path(call)


def _found(call: Call, memory: str, path: str) -> Entry:
    """Find what a path leads to."""
    entry = file_tree.entry(call.store, memory, path)
    if entry is None:
        raise _not_found()
    return entry


def _make_parents(call: Call, memory: str, path: str) -> None:
    """Make the directories above a path that are missing."""
    for above in memory_paths.parents(path):
        entry = file_tree.entry(call.store, memory, above)
        if entry is None:
            file_tree.add(call.store, memory, NewFile(above))
        elif not entry.is_directory:
            raise _conflict(f"conflict: parent {above} is a file, not a directory")


def _decoded(call: Call) -> bytes:
    """Read the content of a request; none is an empty file."""
    content = call.body.get("content") or ""
    encoding = call.body.get("encoding")
    if encoding in (None, "text"):
        return str(content).encode()
    if encoding != "base64":
        raise unfilled(400, f"unsupported encoding '{encoding}'")
    try:
        return base64.b64decode(content, validate=True)
    except ValueError as error:
        raise unfilled(400, f"invalid base64 content: {error}") from error


def _listing(call: Call, memory: str, path: str) -> Reply:
    """List a directory: directories first, then by path."""
    return Reply(value={"data": [asdict(entry) for entry in file_tree.children(call.store, memory, path)]})


def _file(call: Call, memory: str, entry: Entry) -> Reply:
    """Show a file; the server chooses the encoding by what the content is."""
    data = file_tree.content(call.store, memory, entry.path)
    text = _text(data)
    shown = {
        "path": entry.path,
        "content": base64.b64encode(data).decode() if text is None else text,
        "encoding": "base64" if text is None else "text",
    }
    return Reply(value=shown | {key: value for key, value in asdict(entry).items() if key != "is_directory"})


def _text(data: bytes) -> str | None:
    """Give the content as text when it is UTF-8 without a NUL near its beginning."""
    if b"\0" in data[:SNIFFED]:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _not_found() -> ProblemError:
    """Refuse a path that leads nowhere."""
    return unfilled(404, "not found")


def _conflict(detail: str) -> ProblemError:
    """Refuse what does not fit what is there."""
    return unfilled(409, detail)


FS = "/v1/memories/<memory>/fs"
ROUTES = (
    Route("GET", FS, listing, "memory.view", "memory"),
    Route("POST", f"{FS}/_/stat", stat, "memory.view", "memory", STAT, is_command=False),
    Route("POST", f"{FS}/_/grep", grep, "memory.view", "memory", GREP, is_command=False),
    Route("GET", f"{FS}/_/download/<path:path>", download, "memory.view", "memory"),
    Route("GET", f"{FS}/<path:path>", show, "memory.view", "memory"),
    Route("POST", f"{FS}/<path:path>", create, "memory.manage", "memory", CREATE, is_command=False),
    Route("PUT", f"{FS}/<path:path>", rewrite, "memory.manage", "memory", REWRITE, is_command=False),
    Route("DELETE", f"{FS}/<path:path>", remove, "memory.manage", "memory", is_command=False),
)
