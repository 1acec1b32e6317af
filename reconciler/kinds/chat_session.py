"""ChatSession: the one chat of the user whose key it is (everruns-api/agents-memories-sessions.md, 8.1).

Nothing that can be read says whose a chat is; only the call that gets or creates it does. So it is known by its id.
"""

from __future__ import annotations

from reconciler.kinds.canonical import Shape, picked
from reconciler.kinds.fields import Spec, optional
from reconciler.kinds.kind import Creation, Identity, Kind, Wire
from reconciler.kinds.locale import LooseLocale
from reconciler.kinds.session import SESSION, canonical, is_chat

NAME = "chat"


class ChatSessionSpec(Spec):
    """What a manifest may say of the chat: the platform titles it, and finds it by its tags."""

    locale: LooseLocale = optional(
        "Its language, of those that the platform knows; it can be changed but not cleared.",
        example="de-DE",
        others=["en"],
        min_length=1,
    )


def _create(body: Shape, path: str) -> Creation:
    return Creation(path=f"{path}/chat", body=body, finds=True)


CHAT_SESSION = Kind(
    name="ChatSession",
    plural="chat sessions",
    spec=ChatSessionSpec,
    identity=Identity.CALLER,
    only=NAME,
    can_archive=False,
    wire=Wire(
        collection="/v1/sessions",
        members=("id",),
        paged=True,
        known=SESSION.wire.known | {"title", "tags", "harness_id"},
        from_wire=lambda wire: {"name": NAME} | picked(wire, "locale"),
        to_wire=lambda shape: {key: value for key, value in shape.items() if key != "name"},
        create=_create,
        archived=lambda _wire: False,
        holds=is_chat,
        named=lambda _wire: "",
    ),
    canonical=canonical,
    notes=lambda _desired: ("if the user of the key has a chat already, that one is taken over",),
)
