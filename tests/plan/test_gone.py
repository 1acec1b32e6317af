"""Fields that left git: reset where the API can clear them, released where it cannot or somebody changed them."""

from reconciler.plan.claim import managed
from reconciler.plan.gone import gone_fields, released_note

from .conftest import token, written


def gone(desired, observed, *, name="Agent/triage", before, now, live):
    """Say what becomes of the fields that were written before and are not declared now."""
    entry = written(desired(name, before))
    one = desired(name, now)
    return gone_fields(one, entry, observed(name, live).spec, own=managed(one))


def test_nothing_is_gone(desired, observed):
    """As long as git says what it said, nothing becomes of anything."""
    spec = {"system_prompt": "Help.", "tags": ["a"]}
    assert gone(desired, observed, before=spec, now=spec, live=spec) is None


def test_what_can_be_cleared_is_reset(desired, observed):
    """A field as we wrote it is emptied: by null where its marker says so, a list by an empty one."""
    before = {"system_prompt": "Help.", "display_name": "Triage", "tags": ["a"]}
    found = gone(desired, observed, before=before, now={"system_prompt": "Help."}, live=before)
    assert found.cleared == {"display_name": None, "tags": []}
    assert (found.dropped, found.released) == ([], [])


def test_what_somebody_changed_is_released(desired, observed):
    """A field whose live value is not what we wrote belongs to whoever wrote it: it stays, and that is said."""
    before = {"system_prompt": "Help.", "display_name": "Triage"}
    live = before | {"display_name": "By hand"}
    found = gone(desired, observed, before=before, now={"system_prompt": "Help."}, live=live)
    assert (found.cleared, found.released) == ({}, ["display_name"])
    assert list(released_note(found)) == ["display_name: no longer in git, left as it is"]


def test_what_cannot_be_cleared_is_released(desired, observed):
    """A reference that the API cannot empty stays as it is."""
    before = {"system_prompt": "Help.", "harness": "generic"}
    found = gone(desired, observed, before=before, now={"system_prompt": "Help."}, live=before)
    assert (found.cleared, found.released) == ({}, ["harness"])


def test_what_is_empty_already_is_no_matter(desired, observed):
    """A field that somebody emptied needs neither a request nor a word."""
    before = {"system_prompt": "Help.", "tags": ["a"]}
    live = {"system_prompt": "Help.", "tags": []}
    assert gone(desired, observed, before=before, now={"system_prompt": "Help."}, live=live) is None


CRON = {"type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": "Run."}}


def channel(config):
    """Declare a schedule channel."""
    return CRON | {"config": CRON["config"] | config}


def test_a_setting_below_a_whole_is_left_out_of_it(desired, observed):
    """A setting of a channel's config is dropped from what is sent back, or left to whoever changed it."""
    name = "App/bot/Channel/n"
    before = channel({"timezone": "Europe/Oslo"})
    found = gone(desired, observed, name=name, before=before, now=CRON, live=before)
    assert [(one.name, one.old, one.new) for one in found.dropped] == [("config.timezone", "Europe/Oslo", None)]
    live = channel({"timezone": "Asia/Tokyo"})
    found = gone(desired, observed, name=name, before=before, now=CRON, live=live)
    assert (found.dropped, found.released) == ([], ["config.timezone"])
    assert list(released_note(found)) == ["config.timezone: no longer in git, left as it is"]


def test_a_secret_is_never_reset(desired, observed):
    """What a secret's value is nobody can see: what holds one is not emptied on a guess."""
    servers = {"crm": {"url": "https://mcp.example.com/v1", "headers": {"Authorization": token()}}}
    before = {"system_prompt": "Help.", "mcpServers": servers}
    found = gone(desired, observed, before=before, now={"system_prompt": "Help."}, live=before)
    assert (found.cleared, found.dropped, found.released) == ({}, [], ["mcpServers"])
