"""The bytes of a file as one text, so that equal files are equal texts: UTF-8 as it is, anything else in base64."""

from __future__ import annotations

import base64
from typing import Final

TEXT: Final = "text"
BASE64: Final = "base64"
LARGEST: Final = 16 * 2**20
"""More bytes than this are not read from one file beside a manifest."""
MOST_FILES: Final = 5000
MOST_BYTES: Final = 100 * 2**20
"""What the platform takes of a synced memory (4.5); of one kept by hand no limit is known."""
_MARK: Final = "data:;base64,"


def spelled(data: bytes) -> str:
    """Return bytes as a text from which `content_of` gives them back; a text that looks like our mark is marked too."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or is_marked(text):
        return _MARK + base64.b64encode(data).decode()
    return text


def text_of(data: bytes) -> str | None:
    """Return bytes as a text without a byte order mark and with our line ends, None for what is no UTF-8."""
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None


def is_marked(text: str) -> bool:
    """Say whether a text stands for bytes that are in it in base64."""
    return text.startswith(_MARK)


def as_bytes(base64_text: str) -> str:
    """Return the text that stands for bytes that are at hand in base64."""
    return _MARK + base64_text


def bytes_of(text: str) -> bytes:
    """Return the bytes that a text of `spelled` stands for; raises ValueError for what is none of these."""
    return base64.b64decode(text.removeprefix(_MARK), validate=True) if is_marked(text) else text.encode()


def content_of(text: str) -> tuple[str, str]:
    """Return the content and the encoding by which the API takes the bytes of a file."""
    if is_marked(text):
        return text.removeprefix(_MARK), BASE64
    return text, TEXT
