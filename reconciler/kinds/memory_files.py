"""Files of a memory that is kept by hand, as a manifest says them (everruns-api/agents-memories-sessions.md, 4.6)."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from reconciler.kinds.canonical import Shape
from reconciler.kinds.contents import BASE64, MOST_BYTES, MOST_FILES, is_marked, spelled
from reconciler.kinds.fields import TEXT_SCHEMA, Spec, note_rewriting, optional, required, rewrites
from reconciler.kinds.markers import Apart, Files

_PATH_PATTERN = r"^/?(?:[^_/\x00][^/\x00]*/)*[^_/\x00][^/\x00]*/?$"


def _path(path: str) -> str:
    """Bring `x`, `/x` and `/x/` to one form; refuse what the server refuses (4.6)."""
    segments = path.removeprefix("/").removesuffix("/").split("/")
    if any(one in ("", ".", "..") or "\0" in one for one in segments):
        raise PydanticCustomError("file_path", "a file's path has no empty segment, '.' or '..'")
    if any(one.startswith("_") for one in segments):
        message = "the platform keeps names that begin with _ for itself: {path}"
        raise PydanticCustomError("file_path", message, {"path": "/".join(segments)})
    return path if path == "/" + "/".join(segments) else "/" + "/".join(segments)


def _content(value: Any, info: ValidationInfo) -> Any:
    """Accept text, or `{file: path}`, whose bytes are read through the context's `read_bytes`."""
    match value:
        case {"file": str(path), **rest} if not rest and path:
            note_rewriting(info)
            read = (info.context or {}).get("read_bytes")
            return spelled(read(path)) if read else path
        case dict():
            raise PydanticCustomError("text_form", "must be text, or {file: path}")
        case str() if is_marked(value):
            raise PydanticCustomError("text_form", "this beginning stands for base64: write it with encoding: base64")
    return value


class MemoryFile(Spec):
    """One file of a memory."""

    path: Annotated[str, AfterValidator(rewrites(_path))] = required(
        "Its path in the memory; no part of it begins with _.",
        example="/guides/returns.md",
        json_schema_extra={"pattern": _PATH_PATTERN},
    )
    content: Annotated[str, BeforeValidator(_content), WithJsonSchema(TEXT_SCHEMA)] = required(
        "Its text, or {file: path}, whose bytes are taken as they are.", example="Returns take 30 days.\n"
    )
    encoding: Literal["text", "base64"] = optional("How `content` is written.", example="text", default="text")

    @model_validator(mode="after")
    def _is_base64(self) -> Self:
        if self.encoding == BASE64:
            try:
                base64.b64decode(self.content, validate=True)
            except (binascii.Error, ValueError) as error:
                raise PydanticCustomError("base64", "this is no base64", {"at": "content"}) from error
        return self


class Folder(Spec):
    """A folder whose files are all files of the memory."""

    dir: str = required(
        "A folder beside this manifest, without its hidden files.", example="../docs/handbook", min_length=1
    )


def _listed(value: Any, info: ValidationInfo) -> Any:
    """Accept a list, or `{dir: path}`, whose files are read through the context's `read_folder`."""
    match value:
        case {"dir": str(name), **rest} if not rest and name:
            note_rewriting(info)
            read = (info.context or {}).get("read_folder")
            found = read(name, MOST_FILES, MOST_BYTES) if read else {}
            return [MemoryFile.model_construct(path=_path(path), content=spelled(data)) for path, data in found.items()]
        case dict():
            raise PydanticCustomError("files_form", "must be a list of files, or {dir: path}")
    return value


def _distinct(files: list[MemoryFile]) -> list[MemoryFile]:
    """Refuse a path that stands twice, or is a folder of another one."""
    paths = {file.path for file in files}
    seen: set[str] = set()
    for index, file in enumerate(files):
        if file.path in seen:
            raise PydanticCustomError("file_twice", '"{path}" is listed twice', {"path": file.path, "at": index})
        seen.add(file.path)
        parts = file.path.split("/")
        if above := next((one for n in range(2, len(parts)) if (one := "/".join(parts[:n])) in paths), None):
            message = '"{path}" cannot stand in "{above}", which is a file'
            raise PydanticCustomError("file_in_file", message, {"path": file.path, "above": above, "at": index})
    return files


MemoryFiles = Annotated[
    list[MemoryFile],
    BeforeValidator(_listed, json_schema_input_type=list[MemoryFile] | Folder),
    AfterValidator(_distinct),
    Apart("fs", Files()),
]


def by_path(shape: Shape) -> Shape:
    """Return a shape whose files are a map from their paths to their bytes, as one text each."""
    files = shape.get("files")
    return shape | {"files": {file["path"]: _bytes(file) for file in files}} if isinstance(files, list) else shape


def _bytes(file: Shape) -> str:
    content: str = file["content"]
    return spelled(base64.b64decode(content)) if file.get("encoding") == BASE64 else content
