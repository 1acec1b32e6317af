"""What a plan file must look like, to the last member: nothing in it is believed for having the right checksum."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from reconciler.kinds import BY_NAME
from reconciler.kinds.fields import VARIABLE, SecretRef
from reconciler.kinds.kind import Kind
from reconciler.kinds.traits import switches
from reconciler.kinds.translate import has_one_time_key
from reconciler.plan.change import Action, Side, step_of
from reconciler.plan.digest import unplain
from reconciler.plan.owned import pointer
from reconciler.plan.secrecy import SecretState
from reconciler.resource import Address, Adopt

_SHOWN: Final = 3
_LONGEST: Final = 120
_SWITCHED: Final = (Action.PUBLISH, Action.UNPUBLISH)


class OddPlan(Exception):
    """Something in a plan file is not as it must be; the message says where and what."""


def _address(text: str) -> str:
    Address.parse(text)
    return text


def _value(value: Any) -> Any:
    unplain(value)
    return value


def _map(value: dict[str, Any]) -> dict[str, Any]:
    match unplain(value):
        case dict():
            return value
    raise ValueError("is a reference to a secret, and must be a map")


def _reference(value: Any) -> Any:
    match unplain(value):
        case SecretRef():
            return value
    raise ValueError("is no reference to a secret")


Count = Annotated[int, Field(ge=0, lt=2**63)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,200}$")]
AddressText = Annotated[str, AfterValidator(_address)]
Value = Annotated[Any, AfterValidator(_value)]
Map = Annotated[dict[str, Any], AfterValidator(_map)]
Reference = Annotated[dict[str, Any], AfterValidator(_reference)]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class _Field(_Exact):
    path: list[str] = Field(min_length=1)
    old: Value
    new: Value


class _Precondition(_Exact):
    id: Id | None
    digest: str | None
    covers: list[str] | None
    with_time: bool
    beside: list[Id]


class _Record(_Exact):
    fields_: dict[str, str] = Field(alias="fields")
    secrets: dict[str, Reference]
    protect: bool
    adds: bool
    moved_from: AddressText | None


class _EnvFile(_Exact):
    env_file: str = Field(min_length=1)
    variable: str = Field(pattern=VARIABLE)


class _Command(_Exact):
    command: list[str] = Field(min_length=1)


class _Change(_Exact):
    address: AddressText
    action: Literal[tuple(one.value for one in Action)]  # type: ignore[valid-type]
    title: str
    fields_: list[_Field] = Field(alias="fields")
    body: Map
    then: Map
    holds: Map | None = None
    replace: bool
    completes: bool
    replaces: Literal[True] | None = None
    frees: Id | None
    detour: str | None
    id: Id | None
    patience: Count | None
    precondition: _Precondition
    after: list[str]
    notes: list[str]
    where: str
    since: str | None
    adopt: Adopt
    key_to: _EnvFile | _Command | None
    sides: list[Literal[tuple(one.value for one in Side)] | None]  # type: ignore[valid-type]
    record: _Record | None

    @model_validator(mode="after")
    def _fits(self) -> _Change:
        """Refuse what no change of this action can be."""
        if len(self.sides) != len(self.fields_):
            raise ValueError("has other sides than fields")
        kind = BY_NAME[Address.parse(self.address).kind]
        is_switch = bool(self.fields_) and self.fields_[0].path[0] in switches(kind)
        if Action(self.action) in _SWITCHED and not is_switch:
            raise ValueError("has no switch to turn")
        if Action(self.action) is Action.RELEASE and not _is_release(kind, self.fields_):
            raise ValueError("has no version to publish or to choose")
        if Action(self.action) is Action.ROTATE:
            has_key = isinstance(self.body.get("type"), str) and has_one_time_key(kind, self.body)
            if not has_key or self.key_to is None or self.id is None:
                raise ValueError("has no key to make anew, or no place for it")
        if Action(self.action) is Action.SYNC:
            is_sync = [one.path for one in self.fields_] == [["synced"]] and not self.body and not self.then
            if kind.resync is None or self.id is None or not is_sync:
                raise ValueError("has nothing that could be synced")
        return self


def _is_release(kind: Kind, fields: list[_Field]) -> bool:
    """Say whether the fields of a release are what it can publish or choose, by number."""
    known = [[kind.release.field, what] for what in ("publish", "default")] if kind.release else []
    return bool(fields) and all(one.path in known and isinstance(one.new, str) for one in fields)


class _Org(_Exact):
    id: Id | None
    title: str


class _Ledger(_Exact):
    owner: Annotated[list[str], Field(min_length=3, max_length=3)] | None
    serial: Count


class _File(_Exact):
    format: str
    tool: str
    id: str
    api_url: str
    manifests: list[str] = Field(min_length=1)
    commit: str | None
    reason: str | None
    ledger: _Ledger
    refusals: list[Annotated[list[str], Field(min_length=2, max_length=2)]]
    secrets: dict[Literal[tuple(one.value for one in SecretState)], Count]  # type: ignore[valid-type]
    digest: str
    partial: str | None
    orgs: dict[str, _Org]
    bindings: list[Annotated[list[str], Field(min_length=4, max_length=4)]]
    unchanged: dict[str, Count]
    changes: list[_Change]
    checksum: str

    @model_validator(mode="after")
    def _hangs_together(self) -> _File:
        """Refuse bindings of no kind, a step that stands twice, and steps that wait for none before them."""
        if odd := next((one for one in self.bindings if one[1] not in BY_NAME), None):
            raise ValueError(f"binds a {odd[1]}, which is no kind")
        known: set[str] = set()
        for number, change in enumerate(self.changes):
            step = step_of(
                Address.parse(change.address),
                Action(change.action),
                completes=change.completes,
                replaces=bool(change.replaces),
            )
            if step in known:
                raise ValueError(f"/changes/{number} is the step of another one")
            if not known.issuperset(change.after):
                raise ValueError(f"/changes/{number}/after names no step before it")
            known.add(step)
        return self


def ensure_shape(raw: Any) -> None:
    """Look at every member of a plan file; raises OddPlan with the first places that are not as they must be."""
    try:
        _File.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        shown = details[:_SHOWN]
        told = [f"{_cut(pointer([*one['loc']]) or '/')} {_cut(_ours(one['msg']))}" for one in shown]
        more = [f"and {len(details) - _SHOWN} more"] if len(details) > _SHOWN else []
        raise OddPlan("; ".join([*told, *more])) from error


def _cut(text: str) -> str:
    """Cut a place or a message where nobody reads on: either may hold what stands in the file."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _ours(message: str) -> str:
    return message.removeprefix("Value error, ")
