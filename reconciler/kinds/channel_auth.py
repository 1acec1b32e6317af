"""Who may use a channel: its `auth` setting (everruns-api/orgs-apps-errors.md, 3.5)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from reconciler.kinds.fields import AS_SET, WHOLE, Secret, Spec, optional, required, rewrites

_INTROSPECTION, _NEWER_INTROSPECTION = "o_auth2_introspection", "oauth2_introspection"
_HTTPS = r"^https://[^\s/@?#][^/@?#]*(?:[/?#]|$)"
_WITH_PROVIDER = frozenset({"google_oidc", "oidc", _INTROSPECTION, "http_basic", "mtls"})
_ONLY_ON = {"shared_secret": "ag_ui and public_chat", "api_key": "a2a and api_endpoint"}

_Set = Annotated[list[str], AS_SET]
_Mode = Literal[
    "anonymous",
    "shared_secret",
    "api_key",
    "google_oidc",
    "oidc",
    "o_auth2_introspection",
    "http_basic",
    "mtls",
]
_WrittenMode = Literal[_Mode, "oauth2_introspection"]


class GoogleOidc(Spec):
    """Sign-in with Google (3.5)."""

    type: Literal["google_oidc"] = required("The kind of provider, the same as `mode`.", example="google_oidc")
    client_id: str = required(
        "The OAuth client that tokens are issued for.",
        example="1234.apps.googleusercontent.com",
        min_length=1,
    )
    allowed_domains: _Set = optional(
        "Google Workspace domains that may sign in; empty means any.", example=["example.com"], default=[]
    )


class Oidc(Spec):
    """Sign-in with any OpenID Connect issuer (3.5)."""

    type: Literal["oidc"] = required("The kind of provider, the same as `mode`.", example="oidc")
    issuer: str = required("Its https address.", example="https://login.example.com", pattern=_HTTPS)
    jwks_url: str = optional(
        "The https address of its keys.",
        example="https://login.example.com/.well-known/jwks.json",
        pattern=_HTTPS,
    )


class OAuth2Introspection(Spec):
    """Tokens that an OAuth 2 server is asked about (3.5)."""

    type: Annotated[
        Literal["o_auth2_introspection"], WithJsonSchema({"enum": [_INTROSPECTION, _NEWER_INTROSPECTION]})
    ] = required(
        "The kind of provider, the same as `mode`; `oauth2_introspection` means the same.",
        example=_INTROSPECTION,
    )
    introspection_url: str = required(
        "The https address that answers whether a token is valid.",
        example="https://login.example.com/oauth2/introspect",
        pattern=_HTTPS,
    )
    client_id: str = optional("The client that asks.", example="everruns")
    client_secret: Secret = optional("The secret of the client that asks.", example={"env": "INTROSPECTION_SECRET"})


class HttpBasic(Spec):
    """One user name and password, of which the server keeps only a hash (3.2, 3.5)."""

    type: Literal["http_basic"] = required("The kind of provider, the same as `mode`.", example="http_basic")
    username: str = required("The user name.", example="partner", min_length=1)
    password: Secret = required("The password.", example={"env": "PARTNER_PASSWORD"})


class Mtls(Spec):
    """Client certificates, checked by a proxy that proves itself by a secret (3.5)."""

    type: Literal["mtls"] = required("The kind of provider, the same as `mode`.", example="mtls")
    header_name: str = required(
        "The header in which the proxy names the client.", example="x-client-cert-subject", min_length=1
    )
    allowed_values: _Set = required(
        "Values of that header that are let in.", example=["CN=partner.example.com"], min_length=1
    )
    proxy_secret_header: str = required(
        "The header in which the proxy proves itself.", example="x-proxy-secret", min_length=1
    )
    proxy_secret: Secret = required("What that header must hold.", example={"env": "PROXY_SECRET"})


class Requirements(Spec):
    """What a caller's credentials must say, whatever the provider (3.5)."""

    audiences: _Set = optional("Accepted `aud` values; empty means any.", example=["support"], default=[])
    scopes: _Set = optional("OAuth scopes that are required.", example=["app:invoke"], default=[])
    subjects: _Set = optional("Accepted `sub` values; empty means any.", example=["user-42"], default=[])
    groups: _Set = optional("Groups that are let in; empty means any.", example=["support-team"], default=[])
    domains: _Set = optional("E-mail domains that are let in; empty means any.", example=["example.com"], default=[])
    claims: Annotated[dict[str, Any], WHOLE] = optional(
        "Claims that must hold exactly these values.", example={"email_verified": True}, default={}
    )


def one_spelling(mode: Any) -> Any:
    """Return a mode or provider type as the API spells it: with one underscore more than its errors (3.5)."""
    return _INTROSPECTION if mode == _NEWER_INTROSPECTION else mode


def _provider(value: Any) -> Any:
    return value | {"type": one_spelling(value["type"])} if isinstance(value, dict) and "type" in value else value


class ChannelAuth(Spec):
    """How callers of a channel prove who they are (3.5)."""

    mode: Annotated[_Mode, BeforeValidator(rewrites(one_spelling), json_schema_input_type=_WrittenMode)] = required(
        "How callers prove who they are; `oauth2_introspection` means `o_auth2_introspection`.",
        example="oidc",
    )
    provider: Annotated[
        GoogleOidc | Oidc | OAuth2Introspection | HttpBasic | Mtls,
        Discriminator("type"),
        BeforeValidator(rewrites(_provider)),
    ] = optional(
        "Who vouches for callers; needed by the modes that name a type of provider, refused by the others.",
        example={"type": "oidc", "issuer": "https://login.example.com"},
    )
    requirements: Requirements = optional(
        "What the credentials must say beyond being valid.", example={"audiences": ["support"]}
    )

    @model_validator(mode="after")
    def _provider_suits_mode(self) -> Self:
        """Refuse a provider that the mode has no use for, and the lack of one that it needs (3.5)."""
        given = self.provider.type if "provider" in self.model_fields_set else None
        needed = self.mode if self.mode in _WITH_PROVIDER else None
        if given == needed:
            return self
        if needed is None:
            raise PydanticCustomError(
                "auth_provider", "mode {mode} takes no provider", {"mode": self.mode, "at": "provider"}
            )
        raise PydanticCustomError(
            "auth_provider",
            "mode {mode} needs a provider of type {mode}, not {given}",
            {"mode": self.mode, "given": given or "none", "at": "provider" if given else "mode"},
        )


def refusing(mode: Literal["shared_secret", "api_key"]) -> AfterValidator:
    """Refuse a mode on the types of channel that do not know it (3.5)."""

    def check(auth: ChannelAuth) -> ChannelAuth:
        if auth.mode == mode:
            raise PydanticCustomError(
                "auth_mode",
                "mode {mode} exists only on {types} channels",
                {"mode": mode, "types": _ONLY_ON[mode], "at": "mode"},
            )
        return auth

    return AfterValidator(check)
