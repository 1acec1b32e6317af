"""What a handler is given and what it gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request

from reconciler.emulator import policies, profiles
from reconciler.emulator.bodies import Fields
from reconciler.emulator.problems import RejectionError
from reconciler.emulator.store import Store, Window

SEARCH_TOKENS = 8
PAGE = 20
PAGE_MOST = 100
U32 = 2**32 - 1
BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Deployment:
    """How this server is set up; `limits` maps names such as agents or org_creates_per_hour to caps."""

    profile: str = "seeds"
    limits: Mapping[str, int | None] = field(default_factory=dict)
    tokens: Mapping[str, str] | None = None

    @property
    def age(self) -> profiles.Profile:
        """Give what the profile means."""
        return profiles.named(self.profile)

    def limit(self, what: str) -> int | None:
        """Give a cap, or None when there is none."""
        return self.limits.get(what)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends the request: a user, known by the role the token stands for."""

    user: str
    role: str
    is_session: bool = False

    def role_in(self, org: Mapping[str, Any]) -> str | None:
        """Give the caller's role in an organization, or None for a stranger to it."""
        if org["_created_by"] == self.user:
            return "owner"
        return self.role if self.role in policies.RANK else None


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request, with the organization it acts in and its parsed body."""

    request: Request
    store: Store
    deployment: Deployment
    caller: Caller
    base: str
    args: Mapping[str, str]
    org: str = ""
    role: str = "member"
    flags: Mapping[str, bool] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    def switch(self, name: str) -> bool:
        """Read a boolean query parameter that defaults to false."""
        raw = self.request.args.get(name)
        if raw is None:
            return False
        if raw not in BOOLEANS:
            raise RejectionError(400, f"Failed to deserialize query string: {name}: expected `true` or `false`")
        return BOOLEANS[raw]

    def text(self, name: str) -> str:
        """Read a query parameter that must be there."""
        raw = self.request.args.get(name)
        if raw is None:
            raise RejectionError(400, f"Failed to deserialize query string: missing field `{name}`")
        return raw

    def number(self, name: str, default: int) -> int:
        """Read an unsigned query parameter."""
        raw = self.request.args.get(name)
        if raw is None:
            return default
        if not (raw.isascii() and raw.isdigit() and int(raw) <= U32):
            raise RejectionError(400, f"Failed to deserialize query string: {name}: invalid digit in string")
        return int(raw)

    def page(self) -> tuple[int, int]:
        """Read limit and offset of a page: 20 unless told, and at most 100 (agents-memories-sessions.md, 1.3)."""
        return min(self.number("limit", PAGE), PAGE_MOST), self.number("offset", 0)

    def window(self, *, limit: int = -1, offset: int = 0) -> Window:
        """Read the list parameters: search tokens (lowercased, eight at most) and include_archived."""
        search = self.request.args.get("search", "").lower().split()[:SEARCH_TOKENS]
        return Window(include_archived=self.switch("include_archived"), search=search, limit=limit, offset=offset)


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer: a value or ready text (JSON unless a header says otherwise) or bytes, and what changed."""

    status: int = 200
    value: Any = None
    text: str | None = None
    entity: str = ""
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One operation: where it is, what it needs, and what runs; only a command takes part in the change history."""

    method: str
    rule: str
    handler: Handler
    policy: str = ""
    flag: str = ""
    body: Fields | None = None
    scoped: bool = True
    app_write: bool = False
    is_command: bool = True


NO_CONTENT = 204
