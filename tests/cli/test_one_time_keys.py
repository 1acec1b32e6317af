"""Keys that the platform shows once: they go where the channel says, or the plan says that they are lost."""

import hashlib
import re
import sys

import httpx
import pytest

from reconciler.errors import KeyUndelivered, ManifestError, UsageError
from reconciler.kinds.key_to import Command, EnvFile
from reconciler.live.runs import Runs
from reconciler.plan.change import Action
from reconciler.plan.file import Origin, dumps, loads
from reconciler.plan.outcome import Blocked, Done, Failed

HEAD = "apiVersion: everruns.reconciler/v1\n"
TO_FILE = {"key_to": {"env_file": "keys.env"}}
PEERS = {"name": "peers", "type": "a2a", "config": {"message": "{{text}}"}}
CALLS = {"name": "calls", "type": "api_endpoint"}
FORM = re.compile("(?:evra2a|evr_app)_[0-9a-f]{64}")


def kept(world):
    """Give the variables of the file that the keys go to."""
    lines = (world.folder / "keys.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def has_key(world, type_, key):
    """Say whether a key is the one that the platform checks callers of a channel by."""
    (channel,) = [one for one in world.one("apps", "bot")["channels"] if one["channel_type"] == type_]
    return key.startswith(channel["channel_config"]["api_key_prefix"].removesuffix("..."))


def planned(plan):
    """Give a plan as addresses and actions."""
    return [(change.address.local, change.action) for change in plan.changes]


@pytest.mark.parametrize("more", [{}, {"agent_card_name": "Bot"}, {"rate_limit_per_minute": 9}])
def test_a_key_goes_to_its_file(world, more):
    """The key of a new channel is in the file that git says, also where a second call completes the channel."""
    peers = PEERS | {"config": PEERS["config"] | more}
    world.bot("bot", peers | TO_FILE, CALLS | {"key_to": {"env_file": "keys.env", "variable": "CALLS"}})
    plan = world.plan()
    where = world.folder / "keys.env"
    assert f"its key is shown once by the platform, and goes to {where} as BOT_PEERS_KEY" in str(plan.changes)
    assert world.apply(plan).exit_codes == (0,)
    keys = kept(world)
    assert keys.keys() == {"BOT_PEERS_KEY", "CALLS"}
    assert has_key(world, "a2a", keys["BOT_PEERS_KEY"])
    assert has_key(world, "api_endpoint", keys["CALLS"])
    assert where.stat().st_mode & 0o777 == 0o600
    assert world.plan().is_empty


def test_a_key_goes_to_a_command(world):
    """A command gets the key on its standard input."""
    code = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    got = world.folder.parent / "got"
    world.bot("bot", CALLS | {"key_to": {"command": [sys.executable, "-c", code, str(got)]}})
    world.converge()
    assert FORM.fullmatch(got.read_text())


def test_without_a_place_the_plan_says_it_is_lost(world):
    """A channel that says nothing of its key loses it, and the plan says so."""
    world.bot("bot", PEERS)
    plan = world.plan()
    assert "its key is shown once by the platform and will be lost" in str(plan.changes)
    applied = world.apply(plan)
    assert "it was not kept: declare key_to, then reconciler apply --rotate" in str(applied.outcomes)


def test_rotation_makes_a_new_key(world):
    """Asked for, a new key is made and takes the place of the old one, which is dead; nothing else is written."""
    world.bot("bot", PEERS | TO_FILE, CALLS | TO_FILE)
    world.converge()
    before = kept(world)
    plan = world.plan(rotate=("App/bot/Channel/peers",))
    assert planned(plan) == [("App/bot/Channel/peers", Action.ROTATE)]
    assert world.apply(plan).exit_codes == (0,)
    assert world.lines == ["POST /v1/apps/app_/a2a-channels/appchan_/regenerate-key"]
    after = kept(world)
    assert before["BOT_CALLS_KEY"] == after["BOT_CALLS_KEY"]
    assert before["BOT_PEERS_KEY"] != after["BOT_PEERS_KEY"]
    assert has_key(world, "a2a", after["BOT_PEERS_KEY"])
    assert world.plan().is_empty
    world.forget()
    world.apply(world.plan(rotate=("*",)))
    assert len(world.writes) == 2


def test_rotation_beside_a_change(world):
    """A change of the channel comes first, a publication of the app last; each is a step of its own."""
    world.bot("bot", PEERS | TO_FILE, published=False)
    world.converge()
    world.bot("bot", PEERS | TO_FILE | {"config": {"message": "Go: {{text}}"}}, published=True)
    plan = world.plan(rotate=("App/bot/*",))
    steps = [
        ("App/bot/Channel/peers", Action.UPDATE),
        ("App/bot/Channel/peers", Action.ROTATE),
        ("App/bot", Action.PUBLISH),
    ]
    assert planned(plan) == steps
    assert world.apply(plan).exit_codes == (0,)
    assert world.plan().is_empty


def test_what_is_created_is_not_rotated(world):
    """A key that is about to be made needs no other one."""
    world.bot("bot", PEERS | TO_FILE)
    plan = world.plan(rotate=("App/bot/*",))
    assert [action for _, action in planned(plan)] == [Action.CREATE, Action.CREATE]


def test_what_is_not_ours_is_not_rotated(world):
    """The key of a channel that differs and is somebody else's stays."""
    world.bot("bot", PEERS | TO_FILE)
    world.converge()
    world.lose_ledger()
    world.adopt = "exact"
    world.bot("bot", PEERS | TO_FILE | {"config": {"message": "Other."}})
    plan = world.plan(rotate=("App/bot/*",))
    assert ("App/bot/Channel/peers", Action.CONFLICT) in planned(plan)
    assert Action.ROTATE not in dict(planned(plan)).values()


def test_rotation_without_a_place_is_refused(world):
    """A new key that would be lost at once is not asked for, while the old one works."""
    world.bot("bot", PEERS)
    world.converge()
    with pytest.raises(UsageError, match="new key of default/App/bot/Channel/peers would be lost") as raised:
        world.plan(rotate=("App/bot/*",))
    assert "key_to" in raised.value.hint


def test_a_place_that_is_missing_is_found_first(world):
    """Where a key cannot go, nothing is written to the platform."""
    (world.folder / "nowhere").write_text("a file")
    world.bot("bot", PEERS | {"key_to": {"env_file": "nowhere/keys.env"}})
    with pytest.raises(KeyUndelivered, match="is no folder"):
        world.apply()
    assert world.writes == []


def test_a_folder_for_keys_is_made(world):
    """A folder that is not there is made for its owner alone, and the plan calls the file by its shortest path."""
    world.bot("bot", PEERS | {"key_to": {"env_file": "secrets/../new/deep/keys.env"}})
    (world.folder / "secrets").mkdir()
    plan = world.plan()
    assert f"goes to {world.folder}/new/deep/keys.env as BOT_PEERS_KEY" in str(plan.changes)
    assert world.apply(plan).exit_codes == (0,)
    made = world.folder / "new" / "deep"
    assert (made / "keys.env").read_text().startswith("BOT_PEERS_KEY=")
    assert made.stat().st_mode & 0o777 == 0o700


def test_a_key_that_could_not_be_handed_over(world):
    """The channel is there, its key lost: the run says so and publishes nothing; the rotation it names mends it."""
    broken = {"key_to": {"command": [sys.executable, "-c", "import sys; sys.exit(9)"]}}
    world.bot("bot", PEERS | broken | {"config": {"message": "x", "rate_limit_per_minute": 9}}, published=True)
    applied = world.apply()
    assert 6 in applied.exit_codes
    app, channel, publication = applied.outcomes
    assert isinstance(app, Done)
    assert isinstance(channel, Failed)
    assert isinstance(publication, Blocked)
    assert "could not be handed to" in channel.error.message
    assert "apply --rotate 'default/App/bot/Channel/peers'" in channel.error.hint
    world.bot("bot", PEERS | TO_FILE | {"config": {"message": "x", "rate_limit_per_minute": 9}}, published=True)
    world.forget()
    assert world.apply(world.plan(rotate=("default/App/bot/Channel/peers",))).exit_codes == (0,)
    assert [line for line in world.lines if "channels" in line] == [
        "POST /v1/apps/app_/a2a-channels/appchan_/regenerate-key"
    ]
    assert has_key(world, "a2a", kept(world)["BOT_PEERS_KEY"])
    assert world.plan().is_empty


def test_a_lost_answer_costs_no_key(world, clock):
    """A creation whose answer was lost is found, and a key that can be kept is made anew."""
    world.bot("bot", PEERS | TO_FILE)
    world.meddler.cut("POST", "/v1/apps/[^/]+/a2a-channels", httpx.ReadError("cut"), carried_out=True)
    applied = world.apply()
    assert applied.exit_codes == (0,), applied
    assert "another one made" in str(applied.outcomes)
    assert has_key(world, "a2a", kept(world)["BOT_PEERS_KEY"])


def test_a_rotation_whose_answer_was_lost_is_made_again(world, clock):
    """Nobody got the key of a lost answer: another one is made, and that one works."""
    world.bot("bot", PEERS | TO_FILE)
    world.converge()
    world.meddler.cut("POST", ".*/regenerate-key", httpx.ReadError("cut"), carried_out=True)
    assert world.apply(world.plan(rotate=("App/bot/*",))).exit_codes == (0,)
    assert len(world.lines) == 2
    assert has_key(world, "a2a", kept(world)["BOT_PEERS_KEY"])


@pytest.mark.parametrize("more", [{}, {"rate_limit_per_minute": 9}])
def test_a_key_that_a_dead_run_got_is_made_anew(world, more):
    """A channel that a run made before it died has a key that nobody holds: the next run makes another one."""
    peers = PEERS | {"config": PEERS["config"] | more} | TO_FILE
    world.bot("bot", peers, CALLS)
    plan = world.plan()
    keeper = world.keeper
    with keeper.held(plan):
        keeper.begin(plan)
    app = world.post("/v1/apps", name="bot", harness_id=world.harness)["id"]
    world.post(f"/v1/apps/{app}/a2a-channels", message="{{text}}")
    world.post(f"/v1/apps/{app}/api-endpoint-channels")
    world.adopt = "exact"
    plan = world.plan()
    assert ("App/bot/Channel/peers", Action.ROTATE) in planned(plan)
    assert ("App/bot/Channel/calls", Action.ROTATE) not in planned(plan)
    assert world.apply(plan).exit_codes == (0,)
    assert has_key(world, "a2a", kept(world)["BOT_PEERS_KEY"])
    assert world.plan().is_empty


def test_what_has_no_key_cannot_become_what_goes_by_one(world):
    """A channel of another type is told when planning that it cannot get a key; under another name it is made anew."""
    world.bot("bot", {"name": "door", "type": "fcp"})
    world.converge()
    world.bot("bot", CALLS | {"name": "door"})
    with pytest.raises(ManifestError) as raised:
        world.plan()
    assert "cannot become one of type api_endpoint" in raised.value.faults[0].message
    world.bot("bot", CALLS)
    world.converge()
    world.bot("bot", {"name": "calls", "type": "fcp"})
    world.converge()
    assert world.plan().is_empty


def test_a_channel_that_is_gone_is_not_rotated(world):
    """What was taken away since the plan is told, and gets no key."""
    world.bot("bot", PEERS | TO_FILE)
    world.converge()
    plan = world.plan(rotate=("App/bot/*",))
    app = world.one("apps", "bot")
    world.api.delete(f"/v1/apps/{app['id']}/channels/{app['channels'][0]['id']}")
    applied = world.apply(plan, recheck=False)
    assert "it is gone from the platform" in str(applied.outcomes)
    assert world.writes == []


@pytest.mark.parametrize("to", [EnvFile("a/keys.env", "BOT"), Command(("put", "it there"))])
def test_a_saved_plan_knows_where(world, to):
    """A plan file carries where keys go, and has another digest when they go elsewhere."""
    said = {"env_file": "keys.env"} if isinstance(to, EnvFile) else {"command": [*to.argv]}
    world.bot("bot", PEERS | {"key_to": said})
    plan = world.plan()
    read = loads(dumps(plan, plan_id="p", origin=Origin("http://x", ("m",))), name="p").plan
    assert read == plan
    world.bot("bot", PEERS)
    assert world.plan().digest != plan.digest


def test_two_keys_for_one_line_are_a_fault(world):
    """Keys that would overwrite one another are refused, however the file is spelled."""
    same = {"key_to": {"env_file": "./keys.env", "variable": "KEY"}}
    world.bot("bot", PEERS | {"key_to": {"env_file": "keys.env", "variable": "KEY"}}, CALLS | same)
    with pytest.raises(ManifestError) as raised:
        world.plan()
    (fault,) = raised.value.faults
    assert "goes to KEY of this file already" in fault.message


def test_no_journal_holds_a_key(world):
    """The journal names the calls that make keys, and the ledger knows nothing of them."""
    world.runs = Runs(world.folder.parent / "runs")
    world.bot("bot", PEERS | TO_FILE)
    world.converge()
    world.apply(world.plan(rotate=("App/bot/*",)))
    text = "".join(path.read_text() for path in (world.folder.parent / "runs").rglob("*.jsonl"))
    assert "a2a-channels" in text
    assert text.count('"one_time":true') == 2
    assert "/regenerate-key" in text
    text += "".join(path.read_text() for path in world.folder.with_suffix(".ledger").rglob("*") if path.is_file())
    assert not FORM.search(text)
    assert hashlib.sha256(kept(world)["BOT_PEERS_KEY"].encode()).hexdigest() not in text


def test_no_output_holds_a_key(site):
    """Plan, apply and a rotation, with --debug, in every format: none shows a key, and the file has the last one."""
    site.write(
        "manifests/bot.yaml",
        f"{HEAD}kind: App\nmetadata: {{name: bot}}\nspec:\n  harness: generic\n  channels:\n"
        "    - {name: calls, type: api_endpoint, key_to: {env_file: keys.env}}\n",
    )
    told = [site.run("plan", "--out", "a.plan").text, (site.folder / "a.plan").read_text()]
    applied = site.run("apply", "a.plan", "--json", "--format", "html=a.html")
    assert applied.code == 0, applied.text
    keys = [(site.folder / "manifests/keys.env").read_text()]
    rotated = site.run("apply", "--auto-approve", "--rotate", "App/bot/*", "--debug")
    assert rotated.code == 0, rotated.text
    assert "given a new key" in rotated.out
    assert "the old one dies at once" in site.run("plan", "--rotate", "App/bot/*").out
    keys.append((site.folder / "manifests/keys.env").read_text())
    assert keys[0] != keys[1]
    told += [applied.text, rotated.text, (site.folder / "a.html").read_text()]
    told += [path.read_text() for path in (site.folder / ".reconciler").rglob("*") if path.is_file()]
    assert not FORM.search("\n".join(told))


def test_an_app_is_not_published_while_its_key_is_lost(world):
    """However often the hand-over fails, the next plan makes another key, and publishes only once that arrived."""
    fails = {"key_to": {"command": [sys.executable, "-c", "raise SystemExit(3)"]}}
    world.bot("bot", CALLS | fails, published=True)
    for _ in range(3):
        plan = world.plan()
        assert world.apply(plan).exit_codes != (0,)
        assert world.one("apps", "bot")["status"] != "published"
    assert ("App/bot/Channel/calls", Action.ROTATE) in planned(plan)
    world.bot("bot", CALLS | TO_FILE, published=True)
    assert world.apply().exit_codes == (0,)
    assert has_key(world, "api_endpoint", kept(world)["BOT_CALLS_KEY"])
    assert world.one("apps", "bot")["status"] == "published"
    assert world.plan().is_empty
