"""Files that new sessions start with: one by one, or a folder (everruns-api/agents-memories-sessions.md, 2.5)."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Discriminator, Tag, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from reconciler.kinds.contents import text_of
from reconciler.kinds.fields import AS_SET, FileText, Spec, note_rewriting, optional, required

MOST = 100
"""So many files an agent or a harness may have."""
_MOST_BYTES = 5 * 2**20
"""So many bytes their contents may have together, as they are sent (2.5)."""
_NO_WAY_UP = {"not": {"pattern": r"(?:^|/)\.\.(?:/|$)"}}
"""What the JSON Schema of a path says of it."""


def normal_path(path: str) -> str:
    """Bring `x`, `/x` and `/workspace/x` to one form (2.5)."""
    return "/workspace/" + path.removeprefix("/workspace/").strip("/")


def _inside(path: str) -> str:
    """Refuse a path that leads out of the workspace."""
    if ".." in path.split("/"):
        context = {"path": path, "hint": "files of a session lie below /workspace: write the path without .."}
        raise PydanticCustomError("file_path", "{path} leads out of its folder", context)
    return path


class Stored(NamedTuple):
    """A file of a folder: its path below it, and its text, or its bytes in base64."""

    path: str
    content: str
    encoding: Literal["text", "base64"]


def stored(path: str, data: bytes) -> Stored:
    """Return a file as the platform keeps it: text where it is UTF-8 without a NUL, else base64."""
    text = text_of(data)
    if text is None or "\0" in text:  # no text that the platform could keep
        return Stored(path, b64encode(data).decode("ascii"), "base64")
    return Stored(path, text, "text")


class InitialFile(Spec):
    """A file that every new session of the agent starts with."""

    path: Annotated[str, AfterValidator(_inside)] = required(
        "Path in the session's workspace.",
        example="/workspace/INSTRUCTIONS.md",
        min_length=1,
        json_schema_extra=_NO_WAY_UP,
    )
    content: FileText = required(
        "The file's text, or {file: path}; what is no UTF-8 text is sent as base64.",
        example="Always answer in formal English.\n",
    )
    encoding: Literal["text", "base64"] = optional("How `content` is written.", example="text", default="text")
    is_readonly: bool = optional("Whether sessions may not change it.", example=True, default=False)

    @model_validator(mode="before")
    @classmethod
    def _of_bytes(cls, value: Any, info: ValidationInfo) -> Any:
        """Take a file of bytes as base64, where nothing is said of how it is written."""
        match value:
            case {"content": {"file": str(name), **rest}} if name and not rest and "encoding" not in value:
                read = (info.context or {}).get("read_bytes")
                kept = stored(name, read(name)) if read else None
                if kept is not None and kept.encoding == "base64":
                    note_rewriting(info)
                    return value | {"content": kept.content, "encoding": kept.encoding}
        return value


class InitialFolder(Spec):
    """All files of a folder, at their paths below it; hidden ones are left out."""

    dir: str = required("The folder, relative to this manifest and inside the manifest root.", example="../starter")
    path: Annotated[str, AfterValidator(_inside)] = optional(
        "Where it goes in the session's workspace.",
        example="/workspace/kit",
        default="/workspace",
        json_schema_extra=_NO_WAY_UP,
    )
    is_readonly: bool = optional("Whether sessions may not change its files.", example=True, default=False)


def _form(value: Any) -> str:
    is_folder = "dir" in value if isinstance(value, dict) else isinstance(value, InitialFolder)
    return "of_folder" if is_folder else "of_file"


def _flattened(items: list[InitialFile | InitialFolder], info: ValidationInfo) -> list[InitialFile]:
    """Replace every folder by its files, which are reached through the context's `read_folder`."""
    files: list[InitialFile] = []
    taken: dict[str, int] = {}
    for index, item in enumerate(items):
        own = [item] if isinstance(item, InitialFile) else _stored(item, index, info)
        for file in own:
            if taken.setdefault(normal_path(file.path), index) != index:
                context = {"path": normal_path(file.path), "at": index, "hint": "sessions have one file at a path"}
                raise PydanticCustomError("file_twice", "{path} is here twice", context)
        files += own
    if len(files) > MOST:
        raise PydanticCustomError(
            "too_many_files", "these are {count} files, and {most} are the most", {"count": len(files), "most": MOST}
        )
    if sum(len(file.content.encode()) for file in files) > _MOST_BYTES:
        context = {"most": _MOST_BYTES >> 20, "hint": "bytes that are no text are sent as base64, a third longer"}
        raise PydanticCustomError("files_too_large", "these files have more than {most} MiB together", context)
    return files


def _stored(folder: InitialFolder, index: int, info: ValidationInfo) -> list[InitialFile]:
    note_rewriting(info)
    try:
        return _files_of(folder, info)
    except PydanticCustomError as error:
        context = (error.context or {}) | {"at": index}
        raise PydanticCustomError(error.type, error.message_template, context) from None


def _files_of(item: InitialFolder, info: ValidationInfo) -> list[InitialFile]:
    read = (info.context or {}).get("read_folder")
    found: dict[str, bytes] = read(item.dir, MOST, _MOST_BYTES) if read else {}
    if read and not found:
        raise PydanticCustomError("text_folder", "{name} holds no file", {"name": f'"{item.dir}"'})
    kept = [stored(path, data) for path, data in found.items()]
    said = {"is_readonly": item.is_readonly} if "is_readonly" in item.model_fields_set else {}
    top = item.path.rstrip("/")
    return [InitialFile.model_validate(said | one._asdict() | {"path": f"{top}/{one.path}"}) for one in kept]


StarterFiles = Annotated[
    list[
        Annotated[
            Annotated[InitialFile, Tag("of_file")] | Annotated[InitialFolder, Tag("of_folder")], Discriminator(_form)
        ]
    ],
    AfterValidator(_flattened),
    AS_SET,
]
"""What a manifest may say of them; what comes out is files alone."""
