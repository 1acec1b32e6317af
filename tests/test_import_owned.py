"""What was imported is ours: the plan right after it is empty without even an adoption, for every kind and channel."""

import json
from pathlib import Path

import pytest

from reconciler.cli.main import main
from reconciler.kinds.channel_config import CONFIGS
from reconciler.ledger.choose import Wish, choose
from reconciler.ledger.lock import lock_of
from reconciler.settings import LOCAL_URL

SECRET = "t0k3n-of-theirs"


def least(type_):
    """Give the least config of a type of channel, as a manifest says it."""
    fields = {name: info for name, info in CONFIGS[type_].model_fields.items() if info.is_required()}
    found = {name: info.examples[0] for name, info in fields.items()}
    return {name: {"env": "THEIRS"} if "env" in value else value for name, value in found.items()}


def chats(world, *types):
    """Have an app with channels of these types made by others, whose ledger is none of ours."""
    channels = [
        {"name": f"c-{number}", "type": type_, "config": least(type_), "enabled": not number % 2}
        for number, type_ in enumerate(types)
    ]
    world.bot("support-bot", *channels, name="Support bot")
    world.converge()


@pytest.fixture
def program(world, monkeypatch, capsys):
    """Run the program in this process, in an empty folder, against the world; gives its exit code and its events."""
    monkeypatch.setenv("THEIRS", SECRET)
    monkeypatch.setattr("reconciler.cli.connect._endpoint", lambda _settings: world.endpoint)
    monkeypatch.setenv("EVERRUNS_API_KEY", world.key)
    monkeypatch.setenv("EVERRUNS_API_URL", LOCAL_URL)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(world.folder.parent))
    monkeypatch.chdir(world.folder)

    def run(*arguments):
        capsys.readouterr()
        code = main([*arguments, "--json"])
        events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert events[-1]["exit_code"] == code
        return code, events

    return run


def of(events, type_):
    """Give the events of a type."""
    return [event for event in events if event["type"] == type_]


def known(program):
    """Give the addresses that the ledger knows, within their organization."""
    return {event["address"].partition("/")[2] for event in of(program("ledger", "show")[1], "owned")}


def is_empty(program, *, owned):
    """Insist that the plan does nothing at all, that nothing drifted, and that so many are ours."""
    code, events = program("plan", "--detailed-exitcode")
    assert (code, of(events, "change")) == (0, [])
    (plan,) = of(events, "plan")
    assert plan["empty"]
    assert sum(plan["unchanged"].values()) == owned
    code, events = program("drift")
    assert (code, of(events, "drift")[0]["watched"], of(events, "drift")[0]["unowned"]) == (0, owned, 0)


def live(world, kind):
    """Make one resource of a kind, with more to say than it must."""
    match kind:
        case "Agent":
            crm = {"type": "http", "url": "https://crm.example.com/mcp", "headers": {"Authorization": SECRET}}
            more = {"tags": ["b", "a"], "mcpServers": {"crm": crm}, "description": "Sorts.", "max_iterations": 3}
            world.post("/v1/agents", name="triage", system_prompt="One.\nTwo.\nThree.\nFour.\n", **more)
        case "Memory":
            world.post("/v1/memories", name="Design docs", source={"type": "github", "repository": "acme/docs"})
        case "App":
            world.post("/v1/apps", name="Support bot", harness_id=world.harness, description="Helps.")
        case "Organization":
            assert world.org


@pytest.mark.parametrize("kind", ["Organization", "Memory", "Agent", "App"])
def test_every_kind(world, program, kind):
    """A resource of each kind, imported by its kind, is ours with its organization, and the plan is empty."""
    live(world, kind)
    code, events = program("import", kind)
    assert code == 0, events
    owned = {address.split("/")[0] for address in known(program)}
    assert owned == {"Organization", kind}
    is_empty(program, owned=len(owned))
    assert world.writes == []


@pytest.mark.parametrize("type_", CONFIGS)
def test_every_type_of_channel(world, program, type_):
    """A channel of each type is ours with the app that it was imported with, and the plan is empty."""
    chats(world, type_, type_)
    code, events = program("import", "--all")
    assert code == 0, events
    assert len([address for address in known(program) if "/Channel/" in address]) == 2
    is_empty(program, owned=4)
    assert world.writes == []


def test_all_at_once(world, program):
    """Everything that is live, imported in one go, is ours, each by its id; a second import has nothing to do."""
    for kind in ("Memory", "Agent"):
        live(world, kind)
    chats(world, *CONFIGS)
    code, events = program("import", "--all")
    assert code == 0, events
    is_empty(program, owned=4 + len(CONFIGS))
    ids = {event["id"] for event in of(program("ledger", "show")[1], "owned")}
    channels = {channel["id"] for channel in world.one("apps", "Support bot")["channels"]}
    assert ids == channels | {world.org, *(world.live(plural)[0]["id"] for plural in ("agents", "memories", "apps"))}
    before = of(program("ledger", "show")[1], "ledger")[0]["serial"]
    assert program("import", "--all")[0] == 0
    assert of(program("ledger", "show")[1], "ledger")[0]["serial"] == before
    assert SECRET not in "".join(path.read_text() for path in Path().rglob("*.*") if path.is_file())
    assert world.writes == []


def test_only_what_was_imported_is_taken_over(world, program):
    """What is declared already and not ours stays nobody's: an import is no way to adopt it unasked."""
    for name in ("ours", "theirs"):
        world.post("/v1/agents", name=name, system_prompt="Help.")
    assert program("import", "Agent/ours")[0] == 0
    folder = next(Path("manifests").glob("*/agents"))
    text = (folder / "ours.yaml").read_text()
    (folder / "theirs.yaml").write_text(text.replace("name: ours", "name: theirs"))
    world.post("/v1/memories", name="docs")
    assert program("import", "Memory")[0] == 0
    assert not [address for address in known(program) if address.endswith("theirs")]
    changes = of(program("plan")[1], "change")
    assert [(one["address"].rpartition("/")[2], one["action"]) for one in changes] == [("theirs", "adopt")]


def test_what_was_imported_can_be_changed_and_removed(world, program):
    """What is ours is changed as git changes and archived when it leaves, without a word of adoption."""
    for name in ("one", "two"):
        world.post("/v1/agents", name=name, system_prompt="Help.")
    assert program("import", "--all")[0] == 0
    folder = next(Path("manifests").glob("*/agents"))
    one = folder / "one.yaml"
    one.write_text(one.read_text().replace("Help.", "Help more."))
    (folder / "two.yaml").unlink()
    changes = of(program("plan")[1], "change")
    assert {change["address"].rpartition("/")[2]: change["action"] for change in changes} == {
        "one": "update",
        "two": "archive",
    }
    assert program("apply", "--auto-approve")[0] == 0
    assert sorted(world.lines) == ["DELETE /v1/agents/agent_", "PATCH /v1/agents/agent_"]


def test_a_change_by_hand_after_an_import_is_drift(world, program):
    """The values that were imported are those last written: what moves afterwards is drift."""
    world.post("/v1/agents", name="triage", system_prompt="Help.", description="One.")
    assert program("import", "--all")[0] == 0
    path = f"/v1/agents/{world.one('agents', 'triage')['id']}"
    assert world.api.patch(path, json={"description": "Two."}).status_code == 200
    code, events = program("drift")
    assert code == 3
    (told,) = of(events, "drifted")
    assert [(one["path"], one["old"], one["new"]) for one in told["fields"]] == [(["description"], "Two.", "One.")]


def test_while_another_run_holds_the_ledger(world, program):
    """The manifests are written and it is said that they are not ours yet; the next apply adopts, and sends nothing."""
    world.post("/v1/agents", name="triage", system_prompt="Help.")
    Path("manifests").mkdir()
    backend = choose(["manifests"], api_url=LOCAL_URL, wish=Wish())
    with backend.lock(lock_of({"GITHUB_ACTOR": "alice"})):
        code, events = program("import", "--all")
    assert code == 1
    assert next(Path("manifests").rglob("triage.yaml"))
    assert "locked by alice" in json.dumps(events)
    changes = of(program("plan")[1], "change")
    assert {one["action"] for one in changes} == {"adopt"}
    assert program("apply", "--auto-approve")[0] == 0
    is_empty(program, owned=2)
    assert world.writes == []
