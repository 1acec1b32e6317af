"""What is known before the first write: whether this key may, and whether this server takes it."""

import pytest

from reconciler.api_errors import Forbidden, Refused, Unauthorized
from reconciler.settings import LOCAL_KEY

CRON = {"name": "n", "type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": "Run."}}
ROLES = {LOCAL_KEY: "owner", "evr_pat_admin": "admin", "evr_pat_member": "member"}


@pytest.fixture
def as_role(open_world):
    """Open a world that is used with the key of a role."""

    def enter(role, **options):
        return open_world(tokens=ROLES, key=f"evr_pat_{role}" if role != "owner" else LOCAL_KEY, **options)

    return enter


def publish(world):
    """Plan a publication."""
    world.bot("bot", CRON, published=True)


def unpublish(world):
    """Plan the end of a publication."""
    app = world.post("/v1/apps", name="bot", harness_id=world.harness, channel_type="fcp", channel_config={})
    world.post(f"/v1/apps/{app['id']}/publish")
    world.bot("bot", {"name": "f", "type": "fcp"}, published=False)


def archive(world):
    """Plan the archiving of an app."""
    world.post("/v1/apps", name="bot", harness_id=world.harness)
    world.declare("App", "bot", {"name": "bot"}, archive=True, adopt="overwrite")


def create(world):
    """Plan an app with a channel."""
    world.bot("bot", CRON)


@pytest.mark.parametrize("role", ["member", "admin"])
@pytest.mark.parametrize("prepare", [publish, unpublish, archive])
def test_what_only_owners_may(as_role, role, prepare):
    """A key that may not publish or archive apps is told so before anything is written."""
    with as_role(role) as world:
        world.agent("triage")
        prepare(world)
        with pytest.raises(Forbidden) as raised:
            world.apply()
        assert "app.dangerous is denied" in raised.value.message
        assert "App/bot" in raised.value.message
        assert "owner role" in raised.value.hint
        assert world.writes == []


@pytest.mark.parametrize("role", ["member", "admin", "owner"])
def test_what_members_may(as_role, role):
    """A key that may do all of it goes ahead."""
    with as_role(role) as world:
        world.agent("triage")
        create(world)
        assert world.apply().exit_codes == (0,)


def test_it_is_one_read(world):
    """All policies of a kind come in one answer, asked for only when something needs them."""
    publish(world)
    world.bot("desk", CRON)
    plan = world.plan()
    world.forget()
    world.apply(plan)
    assert [sent.path for sent in world.sent].count("/v1/apps/config") == 1
    world.agent("triage")
    world.forget()
    world.apply()
    assert "/v1/apps/config" not in [sent.path for sent in world.sent]


FROZEN = [(400, {"detail": "Invalid app ID: invalid prefix: expected 'app', got 'config'"}), (404, b""), (405, b"")]


@pytest.mark.parametrize("answer", FROZEN, ids=lambda answer: str(answer[0]))
def test_a_frozen_server(open_world, answer):
    """A server that has frozen its apps gets one clear error before anything is written, not one for each app."""
    with open_world(profile="frozen") as world:
        world.agent("triage")
        publish(world)
        world.bot("desk", CRON)
        world.meddler.instead("GET", "/v1/apps/config", answer, times=None)
        with pytest.raises(Refused) as raised:
            world.apply()
        assert "has frozen apps" in raised.value.message
        assert "--exclude" in raised.value.hint
        assert world.writes == []


def test_a_frozen_server_takes_the_rest(open_world):
    """Without apps in the plan, a frozen server is a server like any other."""
    with open_world(profile="frozen") as world:
        world.agent("triage")
        world.memory("docs")
        assert world.apply().exit_codes == (0,)


UNSURE = [(200, {}), (200, {"policies": None}), (200, {"policies": {"app.view": True}}), (200, [])]


@pytest.mark.parametrize("answer", UNSURE)
def test_no_answer_is_no_refusal(world, answer):
    """A server that does not say is not assumed to refuse: the write will tell."""
    create(world)
    world.meddler.instead("GET", "/v1/apps/config", answer)
    assert world.apply().exit_codes == (0,)


def test_other_errors_are_what_they_are(world):
    """A key that went bad is not mistaken for a frozen server."""
    create(world)
    world.meddler.instead("GET", "/v1/apps/config", (401, {"detail": "Personal access token expired"}))
    with pytest.raises(Unauthorized, match="expired"):
        world.apply()
    assert world.writes == []


@pytest.mark.parametrize("change", ["create", "update", "archive"])
def test_members_do_not_manage_harnesses(as_role, change):
    """Harnesses are managed by admins: a member is told so before anything is written, whatever is to be done."""
    with as_role("member") as world:
        if change != "create":
            world.post("/v1/harnesses", name="desk", tags=["old"])
        world.agent("triage")
        gone = {"archive": True, "adopt": "overwrite"} if change == "archive" else {}
        world.declare("Harness", "desk", {"tags": ["new"]}, **gone)
        with pytest.raises(Forbidden) as raised:
            world.apply()
        assert "harness.manage is denied" in raised.value.message
        assert raised.value.hint.startswith("use a key whose user has ")
        assert world.writes == []


def test_admins_manage_harnesses(as_role):
    """An admin makes, changes and archives harnesses."""
    with as_role("admin") as world:
        world.declare("Harness", "stays")
        world.declare("Harness", "desk", {"tags": ["old"]})
        world.converge()
        world.declare("Harness", "desk", {"tags": ["new"]})
        world.converge()
        world.drop("Harness", "desk")
        assert world.apply().exit_codes == (0,)


def test_a_server_that_cannot_be_asked_about_harnesses(world):
    """Only apps are frozen by the loss of a route: a harness is written, and the write tells."""
    world.declare("Harness", "desk")
    world.meddler.instead("GET", "/v1/harnesses/config", (404, b""))
    world.meddler.contract.but("GET /v1/harnesses/config")
    assert world.apply().exit_codes == (0,)
