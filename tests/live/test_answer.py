"""Why no answer came, in words."""

import httpx
import pytest

from reconciler.live.answer import why_none


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Server disconnected without sending a response.", "it closed the connection before its answer was complete"),
        ("peer closed connection without sending complete message body", "it closed the connection before its answer"),
        ("illegal status line", "it does not speak HTTP as it should"),
    ],
)
def test_a_server_that_ends_speaks_http_all_the_same(said, why):
    """One that is killed while it answers is not told as one that breaks the protocol."""
    assert why_none(httpx.RemoteProtocolError(said)).startswith(why)
