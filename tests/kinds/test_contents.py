"""The bytes of a file as one text: two are equal when the bytes are, and they come back as they were."""

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.contents import content_of, is_marked, spelled

ODD = st.sampled_from([b"data:;base64,QQ==", b"\xef\xbb\xbfBOM", b"a\r\nb", b"\0", b"\xff"])


@given(st.binary() | ODD | st.text().map(str.encode))
def test_bytes_come_back(data):
    """What is sent for a file are its bytes, whatever they are."""
    content, encoding = content_of(spelled(data))
    assert (b64decode(content) if encoding == "base64" else content.encode()) == data


@given(st.binary() | ODD, st.binary() | ODD)
def test_different_bytes_are_different_texts(one, other):
    """No two files are spelled alike."""
    assert (spelled(one) == spelled(other)) is (one == other)


@pytest.mark.parametrize(("data", "marked"), [(b"Plain.\r\n", False), (b"\xff", True), (b"a\0b", True)])
def test_text_stays_readable(data, marked):
    """UTF-8 without a NUL is shown as it is, line ends included."""
    assert is_marked(spelled(data)) is marked
