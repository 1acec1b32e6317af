"""The `auth` object of a channel: which modes there are, what each provider needs, which parts are secret."""

from collections.abc import Mapping
from typing import Any

from werkzeug.security import generate_password_hash

from reconciler.emulator import bodies
from reconciler.emulator.addresses import is_public_host
from reconciler.emulator.bodies import Field, MismatchError
from reconciler.emulator.problems import bad_request

MODES = (
    "anonymous",
    "shared_secret",
    "api_key",
    "google_oidc",
    "oidc",
    "o_auth2_introspection",
    "http_basic",
    "mtls",
)
TEXTS = bodies.list_of(bodies.text)
PROVIDERS = {
    "google_oidc": {
        "client_id": Field(bodies.text, required=True),
        "allowed_domains": Field(TEXTS, nullable=False),
    },
    "oidc": {"issuer": Field(bodies.text, required=True), "jwks_url": Field(bodies.text)},
    "o_auth2_introspection": {
        "introspection_url": Field(bodies.text, required=True),
        "client_id": Field(bodies.text),
        "client_secret": Field(bodies.text),
    },
    "http_basic": {
        "username": Field(bodies.text, required=True),
        "password": Field(bodies.text),
        "password_hash": Field(bodies.text),
    },
    "mtls": {
        "header_name": Field(bodies.text, required=True),
        "allowed_values": Field(TEXTS, nullable=False),
        "proxy_secret_header": Field(bodies.text),
        "proxy_secret": Field(bodies.text),
    },
}
URLS = ("issuer", "jwks_url", "introspection_url")
# The member of a provider that is secret, and the marker shown in its place.
SECRETS = {
    "password_hash": "password_configured",
    "client_secret": "client_secret_configured",
    "proxy_secret": "proxy_secret_configured",
}
MTLS = ("header_name", "allowed_values", "proxy_secret_header", "proxy_secret")
REQUIREMENTS = {
    **{name: Field(TEXTS, nullable=False) for name in ("audiences", "scopes", "subjects", "groups", "domains")},
    "claims": Field(bodies.map_of(bodies.anything), nullable=False),
}
SHARED_SECRET_TYPES = frozenset({"ag_ui", "public_chat"})
API_KEY_TYPES = frozenset({"a2a", "api_endpoint"})


def _provider(value: Any) -> dict[str, Any]:
    """Accept a provider, told apart by `type`."""
    told = bodies.map_of(bodies.anything)(value)
    if "type" not in told:
        raise MismatchError("missing field `type`")
    kind = bodies.choice(*PROVIDERS)(told["type"])
    return {"type": kind, **bodies.parse(PROVIDERS[kind], told)}


AUTH = {
    "mode": Field(bodies.choice(*MODES), required=True),
    "provider": Field(_provider),
    "requirements": Field(bodies.struct(REQUIREMENTS), nullable=False),
}


def typed(value: Any) -> Any:
    """Accept an auth object as sent, once it fits the type."""
    bodies.parse(AUTH, value)
    return value


def check(kind: str, config: Mapping[str, Any]) -> None:
    """Refuse an auth object that cannot work on this type of channel."""
    auth = config.get("auth")
    if auth is None:
        return
    mode, provider = auth["mode"], auth.get("provider")
    if mode == "shared_secret" and kind not in SHARED_SECRET_TYPES:
        raise bad_request("shared_secret auth is only supported for AG-UI and Public Chat channels")
    if mode == "shared_secret" and not config.get("token"):
        raise bad_request("shared_secret auth requires a non-empty token")
    if mode == "api_key" and kind not in API_KEY_TYPES:
        raise bad_request("api_key auth is only supported for A2A and api_endpoint channels")
    if mode in PROVIDERS:
        _check_provider(mode, provider)


def _check_provider(mode: str, provider: Mapping[str, Any] | None) -> None:
    """Refuse a provider that is missing, of another mode, or incomplete."""
    spoken = mode.replace("o_auth2", "oauth2")
    if provider is None or provider["type"] != mode:
        raise bad_request(f"{spoken} auth requires a {spoken} provider")
    for name in URLS:
        url = provider.get(name)
        if url is not None and not is_public_host(url):
            raise bad_request(f"{spoken} {name} must be a public https URL")
    if mode == "http_basic" and not (
        provider["username"] and (provider.get("password") or provider.get("password_hash"))
    ):
        raise bad_request("http_basic auth requires a username and a password or password_hash")
    if mode == "mtls" and not all(provider.get(name) for name in MTLS):
        raise bad_request(f"mtls auth requires {', '.join(MTLS)}")


def hashed(auth: Any) -> Any:
    """Replace the password of HTTP Basic by its hash before anything is stored."""
    provider = auth.get("provider") if isinstance(auth, dict) else None
    if not provider or not provider.get("password"):
        return auth
    kept = {key: value for key, value in provider.items() if key != "password"}
    kept["password_hash"] = generate_password_hash(provider["password"], method="pbkdf2:sha256:1000")
    return {**auth, "provider": kept}


def carried(old: Any, new: Any) -> Any:
    """Keep the stored secrets of a provider whose type did not change."""
    before = (old or {}).get("provider") or {}
    provider = new.get("provider") if isinstance(new, dict) else None
    if not isinstance(provider, dict) or provider.get("type") != before.get("type"):
        return new
    kept = {
        name: before[name]
        for name in SECRETS
        if before.get(name) and not provider.get(name) and not (name == "password_hash" and provider.get("password"))
    }
    return {**new, "provider": {**provider, **kept}}


def redacted(auth: Any) -> Any:
    """Show markers in place of the secrets of a provider."""
    provider = auth.get("provider") if isinstance(auth, dict) else None
    if not provider:
        return auth
    shown = {key: value for key, value in provider.items() if key not in SECRETS and key != "password"}
    shown |= {marker: True for name, marker in SECRETS.items() if provider.get(name)}
    return {**auth, "provider": shown}
