"""The reason for a change, in the Everruns-Change-Reason header."""

import pytest

from reconciler.emulator import ids
from reconciler.emulator.store import Changed

HEADER = "Everruns-Change-Reason"


def test_headers_6_reason_is_recorded(api):
    """A percent-encoded reason is decoded, trimmed and kept with entity and method."""
    agent = api.post(
        "/v1/agents",
        json={"name": "a", "system_prompt": ""},
        headers={HEADER: "%20because%20%C3%A9+1%20"},
    ).json()
    api.delete(f"/v1/agents/{agent['id']}")
    assert api.app.store.changes(ids.DEFAULT_ORG) == [
        Changed(ids.DEFAULT_ORG, agent["id"], "POST", "because é+1"),
        Changed(ids.DEFAULT_ORG, agent["id"], "DELETE", None),
    ]


@pytest.mark.parametrize(
    ("reason", "detail"),
    [
        ("%20", "Change reason must not be empty; omit it instead"),
        ("x" * 1001, "Change reason is longer than 1000 characters"),
        ("a%00b", "Change reason must not contain control characters"),
        (
            "token evr_pat_0123456789abcdef",
            (
                "Change reason looks like it contains an Everruns token. Reasons are stored in entity "
                "history; describe the change without the credential"
            ),
        ),
    ],
)
def test_headers_6_bad_reasons(open_api, check, reason, detail):
    """A bad reason is refused before anything changes; a server of the seeds' time drops it."""
    body = {"name": "a", "system_prompt": ""}
    old, api = open_api(), open_api(profile="strict")
    assert old.post("/v1/agents", json=body, headers={HEADER: reason}).status_code == 201
    assert old.app.store.changes(ids.DEFAULT_ORG)[-1].reason is None
    check(api.post("/v1/agents", json=body, headers={HEADER: reason}), 400, detail, "invalid_change_reason")
    assert api.get("/v1/agents").json()["total"] == 0


def test_headers_6_limits_are_inclusive(api):
    """A thousand decoded characters, newlines and tabs are fine; bad UTF-8 is kept as sent."""
    for number, reason in enumerate(("%C3%A9" * 1000, "a%0A%09b", "%FF")):
        body = {"name": f"a{number}", "system_prompt": ""}
        assert api.post("/v1/agents", json=body, headers={HEADER: reason}).status_code == 201
    assert api.app.store.changes(ids.DEFAULT_ORG)[-1].reason == "%FF"


def test_headers_6_ignored_on_reads_and_orgs(api):
    """Reads and organization calls neither check nor record a reason."""
    assert api.get("/v1/agents", headers={HEADER: "%20"}).status_code == 200
    assert api.post("/v1/orgs", json={"name": "x"}, headers={HEADER: "%20"}).status_code == 201
    assert api.app.store.changes(ids.DEFAULT_ORG) == []


def test_failed_changes_are_not_recorded(api):
    """A refused change leaves no trace."""
    api.post("/v1/agents", json={"name": "BAD", "system_prompt": ""}, headers={HEADER: "try"})
    assert api.app.store.changes(ids.DEFAULT_ORG) == []
