"""What each type of channel may be told, and what the server does where nothing is said."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from reconciler.kinds.channel_auth import ChannelAuth, HttpBasic, Mtls
from reconciler.kinds.channel_config import (
    CONFIGS,
    A2aConfig,
    AgUiConfig,
    ApiEndpointConfig,
    Captcha,
    FcpConfig,
    PublicChatConfig,
    ScheduleConfig,
    WebhookConfig,
    with_defaults,
)
from reconciler.kinds.fields import AS_SET, SENSITIVE, WHOLE, SecretRef, Spec

if TYPE_CHECKING:
    from collections.abc import Iterator

ENV = {"env": "A_SECRET"}
U32 = 2**32 - 1

SLACK = {"signing_secret": ENV, "bot_token": ENV}
SCHEDULE = {"cron_expression": "0 9 * * *", "message": "Go"}
WEBHOOK = {"token": ENV, "message": "Go"}
A2A = {"message": "Go"}
MINIMAL: dict[str, dict[str, Any]] = {
    "slack": SLACK,
    "ag_ui": {},
    "schedule": SCHEDULE,
    "webhook": WEBHOOK,
    "a2a": A2A,
    "fcp": {},
    "api_endpoint": {},
    "public_chat": {},
}
PROVIDERS: dict[str, dict[str, Any]] = {
    "google_oidc": {"type": "google_oidc", "client_id": "c"},
    "oidc": {"type": "oidc", "issuer": "https://login.example.com"},
    "o_auth2_introspection": {
        "type": "o_auth2_introspection",
        "introspection_url": "https://login.example.com/introspect",
    },
    "http_basic": {"type": "http_basic", "username": "u", "password": ENV},
    "mtls": {
        "type": "mtls",
        "header_name": "x-client",
        "allowed_values": ["CN=a"],
        "proxy_secret_header": "x-proxy",
        "proxy_secret": ENV,
    },
}


def spec_models() -> Iterator[type[Spec]]:
    """Yield every model that a config is made of."""
    waiting: list[Any] = list(CONFIGS.values())
    seen: set[Any] = set()
    while waiting:
        item = waiting.pop(0)
        if get_origin(item) in (Union, types.UnionType):
            waiting.extend(get_args(item))
        elif isinstance(item, type) and issubclass(item, Spec) and item not in seen:
            seen.add(item)
            yield item
            waiting.extend(field.annotation for field in item.model_fields.values())


MODELS = list(spec_models())


def problem(model: type[Spec], value: Any) -> str:
    """Return what a refused value is told: each error as `place: message`."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(value)
    return "\n".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in caught.value.errors())


def written(model: type[Spec], value: Any) -> dict[str, Any]:
    """Return what the author said, after normalization."""
    return model.model_validate(value).model_dump(exclude_unset=True)


# The models


def test_every_type_has_its_model_in_order() -> None:
    """The types stand in the order of the documentation."""
    assert list(CONFIGS) == [
        "slack",
        "ag_ui",
        "schedule",
        "webhook",
        "a2a",
        "fcp",
        "api_endpoint",
        "public_chat",
    ]


def test_all_models_are_found() -> None:
    """The checks of every model below reach the nested ones too."""
    assert len(MODELS) == len(CONFIGS) + 9


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_described(model: type[Spec]) -> None:
    """Each field has a description and an example, in the model and in its JSON Schema."""
    schema = model.model_json_schema()
    Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]) == set(model.model_fields)
    for name, field in model.model_fields.items():
        assert field.description, name
        assert field.examples, name
        assert schema["properties"][name]["description"] == field.description
        assert schema["properties"][name]["examples"] == field.examples


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_examples_are_valid_together(model: type[Spec]) -> None:
    """The examples of all fields make a config that the model and its JSON Schema accept."""
    config = {name: field.examples[0] for name, field in model.model_fields.items() if field.examples}
    model.model_validate(config)
    Draft202012Validator(model.model_json_schema()).validate(config)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_defaults_are_valid(model: type[Spec]) -> None:
    """What the server does by default could also be written out."""
    written_out = {
        name: field.get_default() if field.get_default() is not None else field.examples[0]
        for name, field in model.model_fields.items()
        if field.examples and not field.is_required()
    }
    needed = {n: f.examples[0] for n, f in model.model_fields.items() if f.examples and f.is_required()}
    model.model_validate(needed | written_out)


@pytest.mark.parametrize("channel_type", CONFIGS)
def test_minimal_config(channel_type: str) -> None:
    """What is required is enough, and nothing is added to it."""
    model, config = CONFIGS[channel_type], MINIMAL[channel_type]
    assert set(written(model, config)) == set(config)
    Draft202012Validator(model.model_json_schema()).validate(config)


@pytest.mark.parametrize("channel_type", CONFIGS)
def test_each_required_field_is_required(channel_type: str) -> None:
    """Leaving out any field of the minimal config is an error."""
    model, config = CONFIGS[channel_type], MINIMAL[channel_type]
    assert {name for name, field in model.model_fields.items() if field.is_required()} == set(config)
    for name in config:
        rest = {key: value for key, value in config.items() if key != name}
        assert problem(model, rest) == f"{name}: Field required"


CLEARABLE = {("ag_ui", "token"), ("a2a", "signing_secret")}


@pytest.mark.parametrize(("channel_type", "name"), [(t, n) for t, model in CONFIGS.items() for n in model.model_fields])
def test_null(channel_type: str, name: str) -> None:
    """Null is refused everywhere but where it takes a secret away, and there it is kept."""
    model, config = CONFIGS[channel_type], MINIMAL[channel_type] | {name: None}
    if (channel_type, name) in CLEARABLE:
        assert written(model, config)[name] is None
    else:
        assert problem(model, config).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("channel_type", "name"),
    [
        ("slack", "webhook_verified_at"),
        ("slack", "first_message_received_at"),
        ("slack", "bot_token_configured"),
        ("a2a", "api_key_hash"),
        ("a2a", "api_key_prefix"),
        ("api_endpoint", "api_key_hash"),
        ("api_endpoint", "api_key_prefix"),
        ("slack", "auth"),
        ("schedule", "auth"),
        ("webhook", "auth"),
        ("fcp", "auth"),
        ("public_chat", "reasoning_summary_visible"),
    ],
)
def test_not_for_clients(channel_type: str, name: str) -> None:
    """What only the server writes, or the type does not know, is refused."""
    config = MINIMAL[channel_type] | {name: "x"}
    assert problem(CONFIGS[channel_type], config) == f"{name}: Extra inputs are not permitted"


def test_a_config_is_frozen() -> None:
    """A config cannot be changed once it is read."""
    config = ScheduleConfig.model_validate(SCHEDULE)
    with pytest.raises(ValidationError, match="frozen"):
        config.timezone = "UTC"  # type: ignore[misc]


# Secrets, sets and maps


def marked(marker: object) -> set[str]:
    """Name the fields that carry a marker."""
    return {f"{m.__name__}.{n}" for m in MODELS for n, field in m.model_fields.items() if marker in field.metadata}


@pytest.mark.parametrize(
    ("marker", "fields"),
    [
        (
            SENSITIVE,
            {
                "SlackConfig.signing_secret",
                "SlackConfig.bot_token",
                "AgUiConfig.token",
                "WebhookConfig.token",
                "A2aConfig.signing_secret",
                "FcpConfig.token",
                "PublicChatConfig.token",
                "Captcha.secret_key",
                "OAuth2Introspection.client_secret",
                "HttpBasic.password",
                "Mtls.proxy_secret",
            },
        ),
        (
            AS_SET,
            {
                "GoogleOidc.allowed_domains",
                "Mtls.allowed_values",
                "Requirements.audiences",
                "Requirements.scopes",
                "Requirements.subjects",
                "Requirements.groups",
                "Requirements.domains",
            },
        ),
        (WHOLE, {"Requirements.claims"}),
    ],
    ids=["sensitive", "as_set", "whole"],
)
def test_markers(marker: object, fields: set[str]) -> None:
    """Exactly these fields are secrets, sets or whole maps."""
    assert marked(marker) == fields


@pytest.mark.parametrize(
    ("model", "name"),
    [(m, n) for m in MODELS for n, field in m.model_fields.items() if SENSITIVE in field.metadata],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_secrets_are_written_by_reference(model: type[Spec], name: str) -> None:
    """A secret is a reference; one in clear is refused without being repeated."""
    needed = {n: f.examples[0] for n, f in model.model_fields.items() if f.examples and f.is_required()}
    assert written(model, needed | {name: ENV})[name] == SecretRef(source="env", name="A_SECRET")
    told = problem(model, needed | {name: "hunter2"})
    assert "must not stand in a manifest" in told
    assert "hunter2" not in told


def test_http_basic_takes_no_hash() -> None:
    """The hash is the server's: only the password is written."""
    value = PROVIDERS["http_basic"] | {"password_hash": "x"}
    assert problem(HttpBasic, value) == "password_hash: Extra inputs are not permitted"


# Values


@pytest.mark.parametrize(
    ("model", "base", "name", "good", "bad"),
    [
        (AgUiConfig, {}, "session_expiration_seconds", [0, U32], [-1, U32 + 1, "60", True]),
        (AgUiConfig, {}, "rate_limit_per_minute", [0, 1_000_000], [-1, 1_000_001]),
        (WebhookConfig, WEBHOOK, "rate_limit_per_minute", [0, U32], [-1, U32 + 1]),
        (A2aConfig, A2A, "rate_limit_per_minute", [0, 1_000_000], [-1, 1_000_001]),
        (ApiEndpointConfig, {}, "rate_limit_per_minute", [0, 1_000_000], [-1, 1_000_001]),
        (FcpConfig, {}, "rate_limit_per_minute", [0, 1_000_000], [-1, 1_000_001]),
        (FcpConfig, {}, "session_expiration_seconds", [0, U32], [-1, U32 + 1]),
        (FcpConfig, {}, "response_timeout_seconds", [1, 600], [0, 601]),
        (PublicChatConfig, {}, "rate_limit_per_minute", [0, 1_000_000], [-1, 1_000_001]),
        (PublicChatConfig, {}, "session_expiration_seconds", [0, U32], [-1, U32 + 1]),
        (AgUiConfig, {}, "generic_tool_text", ["é" * 120], ["e" * 121]),
        (PublicChatConfig, {}, "generic_tool_text", ["é" * 120], ["e" * 121]),
        (AgUiConfig, {}, "tool_visibility", ["none", "generic", "narrated"], ["all", ""]),
        (AgUiConfig, {}, "anonymous", [True, False], ["true", 1]),
        (ScheduleConfig, SCHEDULE, "timezone", ["UTC", "Europe/Berlin"], ["", " ", "Europe/ Berlin"]),
        (ScheduleConfig, SCHEDULE, "session_mode", ["shared_session", "session_per_invocation"], ["shared"]),
        (PublicChatConfig, {}, "branding", [{}, {"display_name": "é" * 120}], [{"display_name": "e" * 121}]),
        (
            PublicChatConfig,
            {},
            "branding",
            [{"welcome_message": "é" * 2000}],
            [{"welcome_message": "e" * 2001}, {"colour": "red"}],
        ),
        (Captcha, {"site_key": "k", "secret_key": ENV}, "provider", ["turnstile"], ["recaptcha"]),
        (Captcha, {"secret_key": ENV}, "site_key", ["k"], [""]),
        (Mtls, PROVIDERS["mtls"], "allowed_values", [["CN=a"]], [[], "CN=a"]),
    ],
)
def test_limits_are_known_to_model_and_schema(
    model: type[Spec], base: dict[str, Any], name: str, good: list[Any], bad: list[Any]
) -> None:
    """A value within the limits passes, one beyond them is refused, by the model and by an editor."""
    schema = Draft202012Validator(model.model_json_schema())
    for value in good:
        assert written(model, base | {name: value})[name] == value
        schema.validate(base | {name: value})
    for value in bad:
        assert problem(model, base | {name: value}).startswith(name)
        assert not schema.is_valid(base | {name: value})


@pytest.mark.parametrize(
    ("expression", "stored"),
    [
        ("0 9 * * 1-5", "0 0 9 * * 1-5 *"),
        ("  */15\t*  * * *\n", "0 */15 * * * * *"),
        ("0 0 9 * * 1-5 *", "0 0 9 * * 1-5 *"),
        ("30  0 9 * * *  2027", "30 0 9 * * * 2027"),
    ],
)
def test_cron_is_kept_as_the_server_stores_it(expression: str, stored: str) -> None:
    """Five fields become seven and white space collapses, once and for all."""
    assert written(ScheduleConfig, SCHEDULE | {"cron_expression": expression})["cron_expression"] == stored
    assert written(ScheduleConfig, SCHEDULE | {"cron_expression": stored})["cron_expression"] == stored


@pytest.mark.parametrize(
    ("expression", "count"),
    [("", 0), ("@daily", 1), ("* * * *", 4), ("0 * * * * *", 6), ("0 0 0 * * * * *", 8)],
)
def test_cron_has_five_or_seven_fields(expression: str, count: int) -> None:
    """Any other number of fields is refused with the number found."""
    told = problem(ScheduleConfig, SCHEDULE | {"cron_expression": expression})
    assert told.startswith("cron_expression: a cron expression has either 5 fields")
    assert told.endswith(f"not {count}")


@pytest.mark.parametrize(("model", "base"), [(ScheduleConfig, SCHEDULE), (WebhookConfig, WEBHOOK), (A2aConfig, A2A)])
@pytest.mark.parametrize("message", ["", " \n\t"])
def test_message_says_something(model: type[Spec], base: dict[str, Any], message: str) -> None:
    """A blank message is refused."""
    assert problem(model, base | {"message": message}) == "message: the message must not be empty"


@pytest.mark.parametrize(
    ("model", "base", "name"),
    [
        (ScheduleConfig, SCHEDULE, "message"),
        (WebhookConfig, WEBHOOK, "message"),
        (A2aConfig, A2A, "message"),
        (FcpConfig, {}, "handshake"),
    ],
)
def test_long_texts_may_stand_in_files(model: type[Spec], base: dict[str, Any], name: str) -> None:
    """The text of a file is read, checked like any other, and takes the place of the reference."""
    value = base | {name: {"file": "text.md"}}
    Draft202012Validator(model.model_json_schema()).validate(value)
    config = model.model_validate(value, context={"read": {"text.md": "From a file"}.__getitem__})
    assert getattr(config, name) == "From a file"
    with pytest.raises(ValidationError, match=r"must (not be empty|be at most 8 KiB)"):
        model.model_validate(value, context={"read": lambda _: " " * 8193})


def test_handshake_is_counted_in_bytes() -> None:
    """A handshake may have 8 KiB in UTF-8, and not a byte more."""
    assert written(FcpConfig, {"handshake": "é" * 4096}) == {"handshake": "é" * 4096}
    assert problem(FcpConfig, {"handshake": "é" * 4096 + "!"}) == (
        "handshake: the handshake must be at most 8 KiB (8192 bytes in UTF-8), not 8193 bytes"
    )


@pytest.mark.parametrize("model", [AgUiConfig, PublicChatConfig])
@pytest.mark.parametrize(
    ("config", "shown"),
    [
        ({"generic_tool_text": ""}, "generic"),
        ({"generic_tool_text": " "}, "generic"),
        ({"generic_tool_text": "", "tool_visibility": "generic"}, "generic"),
        ({"generic_tool_text": "", "tool_visibility": "narrated"}, "narrated"),
        ({"generic_tool_text": "", "tool_visibility": "none"}, None),
        ({"tool_visibility": "narrated"}, None),
    ],
)
def test_tool_text_says_something_where_it_is_shown(
    model: type[Spec], config: dict[str, Any], shown: str | None
) -> None:
    """An empty text is refused only where callers would see it."""
    if shown is None:
        assert written(model, config) == config
    else:
        assert problem(model, config).endswith(f": generic_tool_text must not be empty when tool_visibility is {shown}")


@pytest.mark.parametrize(
    ("config", "accepted"),
    [
        ({"site_key": "k", "secret_key": ENV}, True),
        ({"site_key": "k", "enabled": False}, True),
        ({"site_key": "k"}, False),
        ({"site_key": "k", "enabled": True}, False),
    ],
)
def test_an_enabled_captcha_has_its_secret(config: dict[str, Any], accepted: bool) -> None:
    """Without the secret key a captcha can only be off."""
    if accepted:
        assert set(written(PublicChatConfig, {"captcha": config})["captcha"]) == set(config)
    else:
        assert problem(PublicChatConfig, {"captcha": config}) == "captcha: an enabled captcha needs a secret_key"


# Auth


@pytest.mark.parametrize("mode", ["anonymous", "shared_secret", "api_key"])
def test_modes_without_provider(mode: str) -> None:
    """These modes stand alone and refuse any provider."""
    assert written(ChannelAuth, {"mode": mode}) == {"mode": mode}
    assert problem(ChannelAuth, {"mode": mode, "provider": PROVIDERS["oidc"]}) == f": mode {mode} takes no provider"


@pytest.mark.parametrize("mode", PROVIDERS)
def test_modes_with_provider(mode: str) -> None:
    """These modes need the provider of their own type."""
    assert written(ChannelAuth, {"mode": mode, "provider": PROVIDERS[mode]})["provider"]["type"] == mode
    other = "oidc" if mode == "mtls" else "mtls"
    told = f": mode {mode} needs a provider of type {mode}, not "
    assert problem(ChannelAuth, {"mode": mode}) == told + "none"
    assert problem(ChannelAuth, {"mode": mode, "provider": PROVIDERS[other]}) == told + other


@pytest.mark.parametrize("mode", ["o_auth2_introspection", "oauth2_introspection"])
@pytest.mark.parametrize("provider_type", ["o_auth2_introspection", "oauth2_introspection"])
def test_both_spellings_of_introspection(mode: str, provider_type: str) -> None:
    """The spelling of the error texts is taken too, and becomes the one of the wire."""
    value = {"mode": mode, "provider": PROVIDERS["o_auth2_introspection"] | {"type": provider_type}}
    assert written(ChannelAuth, value) == {
        "mode": "o_auth2_introspection",
        "provider": PROVIDERS["o_auth2_introspection"],
    }
    Draft202012Validator(ChannelAuth.model_json_schema()).validate(value)


@pytest.mark.parametrize(
    ("auth", "place"),
    [
        ({}, "mode"),
        ({"mode": "password"}, "mode"),
        ({"mode": ["oidc"]}, "mode"),
        ({"mode": "oidc", "provider": None}, "provider"),
        ({"mode": "oidc", "provider": "google"}, "provider"),
        ({"mode": "oidc", "provider": {"issuer": "https://a.example"}}, "provider"),
        ({"mode": "oidc", "provider": {"type": "saml"}}, "provider"),
        ({"mode": "anonymous", "requirements": None}, "requirements"),
        ({"mode": "anonymous", "requirements": {"roles": ["a"]}}, "requirements.roles"),
        ({"mode": "anonymous", "requirements": {"scopes": "a"}}, "requirements.scopes"),
        ({"mode": "anonymous", "requirements": {"claims": []}}, "requirements.claims"),
    ],
)
def test_malformed_auth(auth: dict[str, Any], place: str) -> None:
    """What has the wrong form is refused where it stands."""
    assert problem(ChannelAuth, auth).startswith(f"{place}: ")


@pytest.mark.parametrize(("mode", "name"), [(m, n) for m, p in PROVIDERS.items() for n in p if n != "type"])
def test_providers_need_all_of_these(mode: str, name: str) -> None:
    """Each provider is refused without any one of its required fields."""
    provider = {key: value for key, value in PROVIDERS[mode].items() if key != name}
    assert problem(ChannelAuth, {"mode": mode, "provider": provider}) == f"provider.{mode}.{name}: Field required"


@pytest.mark.parametrize(
    ("mode", "name"),
    [("oidc", "issuer"), ("oidc", "jwks_url"), ("o_auth2_introspection", "introspection_url")],
)
@pytest.mark.parametrize("url", ["http://login.example.com", "login.example.com", "https://", " https://a.example"])
def test_provider_addresses_are_https(mode: str, name: str, url: str) -> None:
    """A provider is only spoken to over TLS."""
    told = problem(ChannelAuth, {"mode": mode, "provider": PROVIDERS[mode] | {name: url}})
    assert told.startswith(f"provider.{mode}.{name}: ")
    assert "https://" in told


@pytest.mark.parametrize(
    ("mode", "name"),
    [("oidc", "issuer"), ("oidc", "jwks_url"), ("o_auth2_introspection", "introspection_url")],
)
@pytest.mark.parametrize(
    ("url", "refused"), [("https://u:p@a.example", True), ("https://a.example:8443/@b?c=@", False)]
)
def test_provider_addresses_hold_no_password(mode: str, name: str, url: str, *, refused: bool) -> None:
    """What stands before the host is kept in git in clear; an @ further behind is part of the path."""
    auth = {"mode": mode, "provider": PROVIDERS[mode] | {name: url}}
    if refused:
        assert problem(ChannelAuth, auth).startswith(f"provider.{mode}.{name}: ")
    else:
        assert written(ChannelAuth, auth)["provider"][name] == url


def test_requirements_are_kept_as_written() -> None:
    """Only the requirements that were written count."""
    requirements = {"audiences": ["b", "a"], "claims": {"level": {"min": 2}}}
    assert written(ChannelAuth, {"mode": "anonymous", "requirements": requirements}) == {
        "mode": "anonymous",
        "requirements": requirements,
    }


@pytest.mark.parametrize(
    ("channel_type", "mode", "told"),
    [
        ("ag_ui", "shared_secret", None),
        ("public_chat", "shared_secret", None),
        ("a2a", "shared_secret", "auth: mode shared_secret exists only on ag_ui and public_chat channels"),
        (
            "api_endpoint",
            "shared_secret",
            "auth: mode shared_secret exists only on ag_ui and public_chat channels",
        ),
        ("a2a", "api_key", None),
        ("api_endpoint", "api_key", None),
        ("ag_ui", "api_key", "auth: mode api_key exists only on a2a and api_endpoint channels"),
        ("public_chat", "api_key", "auth: mode api_key exists only on a2a and api_endpoint channels"),
    ],
)
def test_modes_suit_types(channel_type: str, mode: str, told: str | None) -> None:
    """A shared secret is for chats, a generated key for machines."""
    model = CONFIGS[channel_type]
    config = (
        MINIMAL[channel_type] | {"auth": {"mode": mode}} | ({"token": ENV} if "token" in model.model_fields else {})
    )
    if told is None:
        assert written(model, config)["auth"] == {"mode": mode}
    else:
        assert problem(model, config) == told


@pytest.mark.parametrize("channel_type", ["ag_ui", "a2a", "api_endpoint", "public_chat"])
@pytest.mark.parametrize("mode", ["anonymous", *PROVIDERS])
def test_other_modes_suit_all_types(channel_type: str, mode: str) -> None:
    """Every type with auth takes the modes that are not tied to one."""
    auth = {"mode": mode} | ({"provider": PROVIDERS[mode]} if mode in PROVIDERS else {})
    assert written(CONFIGS[channel_type], MINIMAL[channel_type] | {"auth": auth})["auth"]["mode"] == mode


@pytest.mark.parametrize(("channel_type", "config"), [("ag_ui", {}), ("ag_ui", {"token": None}), ("public_chat", {})])
def test_a_shared_secret_is_given(channel_type: str, config: dict[str, Any]) -> None:
    """The mode `shared_secret` is refused without a token, or with one that is taken away."""
    config = config | {"auth": {"mode": "shared_secret"}}
    assert problem(CONFIGS[channel_type], config) == ": auth mode shared_secret needs a token"


# Defaults


CHAT_DEFAULTS = {
    "anonymous": True,
    "session_expiration_seconds": 21600,
    "rate_limit_per_minute": 0,
    "tool_visibility": "generic",
    "generic_tool_text": "Working...",
}
CALL_DEFAULTS = {"session_mode": "shared_session", "rate_limit_per_minute": 0}


@pytest.mark.parametrize(
    ("channel_type", "defaults"),
    [
        ("slack", {"session_strategy": "per_thread", "reply_mode": "all_messages"}),
        ("ag_ui", CHAT_DEFAULTS | {"reasoning_summary_visible": False}),
        ("schedule", {"timezone": "UTC", "session_mode": "shared_session"}),
        ("webhook", CALL_DEFAULTS),
        ("a2a", CALL_DEFAULTS),
        (
            "fcp",
            {
                "anonymous": True,
                "session_expiration_seconds": 21600,
                "rate_limit_per_minute": 0,
                "response_timeout_seconds": 120,
            },
        ),
        ("api_endpoint", CALL_DEFAULTS),
        ("public_chat", CHAT_DEFAULTS),
    ],
)
def test_defaults(channel_type: str, defaults: dict[str, Any]) -> None:
    """What the server does without a word is filled in, and filling in again changes nothing."""
    filled = with_defaults(MINIMAL[channel_type], CONFIGS[channel_type])
    assert filled == defaults | MINIMAL[channel_type]
    assert with_defaults(filled, CONFIGS[channel_type]) == filled


NO_REQUIREMENTS: dict[str, Any] = {
    "audiences": [],
    "scopes": [],
    "subjects": [],
    "groups": [],
    "domains": [],
    "claims": {},
}


@pytest.mark.parametrize(
    ("name", "value", "filled"),
    [
        ("tool_visibility", "none", "none"),
        ("rate_limit_per_minute", None, 0),
        ("token", None, None),
        ("future_setting", {"a": 1}, {"a": 1}),
        ("branding", {"display_name": "Acme"}, {"display_name": "Acme"}),
        ("captcha", {"site_key": "k"}, {"site_key": "k", "provider": "turnstile", "enabled": True}),
        (
            "captcha",
            {"site_key": "k", "enabled": False},
            {"site_key": "k", "provider": "turnstile", "enabled": False},
        ),
        ("auth", {"mode": "anonymous"}, {"mode": "anonymous"}),
        ("auth", {"mode": "anonymous", "provider": None}, {"mode": "anonymous", "provider": None}),
        (
            "auth",
            {"mode": "anonymous", "requirements": {"scopes": ["s"]}},
            {"mode": "anonymous", "requirements": NO_REQUIREMENTS | {"scopes": ["s"]}},
        ),
        (
            "auth",
            {"mode": "google_oidc", "provider": PROVIDERS["google_oidc"]},
            {"mode": "google_oidc", "provider": PROVIDERS["google_oidc"] | {"allowed_domains": []}},
        ),
        (
            "auth",
            {"mode": "oidc", "provider": PROVIDERS["oidc"]},
            {"mode": "oidc", "provider": PROVIDERS["oidc"]},
        ),
        (
            "auth",
            {"mode": "saml", "provider": {"type": "saml"}},
            {"mode": "saml", "provider": {"type": "saml"}},
        ),
    ],
)
def test_nested_defaults(name: str, value: Any, filled: Any) -> None:
    """Defaults are filled where a nested setting is present; what is set or unknown stays as it is."""
    result = with_defaults({name: value}, PublicChatConfig)
    assert result.pop(name) == filled
    assert result == {key: default for key, default in CHAT_DEFAULTS.items() if key != name}


def test_defaults_leave_their_input_alone() -> None:
    """The function is pure, and two results share no list."""
    config = {"auth": {"mode": "anonymous", "requirements": {}}}
    first, second = (with_defaults(config, AgUiConfig) for _ in range(2))
    first["auth"]["requirements"]["scopes"].append("s")
    first["auth"]["requirements"]["claims"]["a"] = 1
    assert second["auth"]["requirements"] == NO_REQUIREMENTS
    assert config == {"auth": {"mode": "anonymous", "requirements": {}}}
