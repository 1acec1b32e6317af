"""Import: manifests of what is live, for every field of every kind, whose plan is empty; and nothing overwritten."""

from pathlib import Path
from typing import get_args

import pytest
import yaml

from reconciler.errors import Exit, ManifestError, UsageError
from reconciler.intake import adopt, import_live
from reconciler.kinds.agent import AgentSpec
from reconciler.kinds.app import AppSpec
from reconciler.kinds.channel_auth import ChannelAuth, Requirements
from reconciler.kinds.channel_config import CONFIGS
from reconciler.kinds.fields import Spec
from reconciler.kinds.memory import MEMORY, GithubSource, GitSource, MemorySpec
from reconciler.kinds.organization import OrganizationSpec
from reconciler.kinds.traits import apart, of_the_apply
from reconciler.manifest.config import Config
from reconciler.plan.change import Action
from reconciler.plan.imported import Fate
from reconciler.plan.owned import Ledger
from reconciler.reconcile import plan_afresh
from reconciler.report.import_text import import_text
from reconciler.report.style import Style
from reconciler.settings import settings

from .conftest import OWNER

TEXT = "Say this.\n"


def do(world, *words, into="imported", **flags):
    """Import into a folder of the world, by somebody who owns nothing yet."""
    return import_live(
        settings(env={}, **flags),
        client=world.reader(),
        ledger=Ledger(OWNER),
        into=str(world.folder / into),
        words=words,
    )


def plan(world, into="imported"):
    """Plan the folder, with a ledger in which nothing is known."""
    chosen = settings(env={}, manifests=(str(world.folder / into),))
    return plan_afresh(chosen, client=world.reader(), read_ledger=lambda: Ledger(OWNER), config=Config())


def pending(world, into="imported"):
    """Give the addresses that a plan of the folder would do more about than to adopt what agrees."""
    return [str(change.address) for change in plan(world, into).changes if change.action is not Action.ADOPT]


def documents(world, into="imported"):
    """Give the documents in the folder, by kind and name."""
    files = sorted((world.folder / into).rglob("*.yaml"))
    found = [one for path in files for one in yaml.safe_load_all(path.read_text()) if one]
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


def spec(world, kind, name, into="imported"):
    """Give the spec of a document."""
    return documents(world, into)[kind, name].get("spec")


def paths(world, into="imported"):
    """Give the path of every file in the folder."""
    folder = world.folder / into
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def said(result):
    """Give the gaps in words."""
    return [f"{gap.address.local} {gap.place}: {gap.message}" for gap in result.gaps]


# --- every field of every kind ---


def example(model, name):
    """Give the example of a field; a text from a file is a text here."""
    value, *_ = model.model_fields[name].examples
    return TEXT if value == {"file": "../prompts/triage.md"} else value


def variants(model, *, without=()):
    """Yield specs of a model: the least, each further field by itself, and all of them."""
    fields = {name: info for name, info in model.model_fields.items() if name not in without}
    least = {name: example(model, name) for name, info in fields.items() if info.is_required()}
    rest = {name: example(model, name) for name in fields if name not in least}
    return [least, *({**least, name: value} for name, value in rest.items()), least | rest]


def auths(model):
    """Yield a config for every way to prove who calls, with every setting of each."""
    least = variants(model)[0]
    providers = [one for one in get_args(ChannelAuth.model_fields["provider"].annotation) if issubclass(one, Spec)]
    assert len(providers) == 5
    for provider in providers:
        for one in variants(provider):
            yield {**least, "auth": {"mode": one["type"], "provider": one}}
    for one in variants(Requirements):
        yield {**least, "auth": {"mode": "anonymous", "requirements": one}}
    if "token" in model.model_fields:
        yield {**least, "token": {"env": "X"}, "auth": {"mode": "shared_secret"}}


def configs(type_):
    """Yield configs of a type of channel that use every setting of it."""
    model = CONFIGS[type_]
    yield from variants(model, without=["auth"])
    if "auth" in model.model_fields:
        yield from auths(model)
    if "captcha" in model.model_fields:
        yield {"captcha": {"site_key": "0x4", "enabled": False}}


@pytest.fixture(autouse=True)
def _secrets(monkeypatch):
    """Give a value to every secret of the examples."""
    for (
        name
    ) in """SLACK_SIGNING_SECRET SLACK_BOT_TOKEN CHAT_TOKEN AG_UI_TOKEN WEBHOOK_TOKEN A2A_SIGNING_SECRET FCP_TOKEN
        TURNSTILE_SECRET INTROSPECTION_SECRET PARTNER_PASSWORD PROXY_SECRET MCP_TOKEN X CRM_AUTHORIZATION""".split():
        monkeypatch.setenv(name, f"value of {name}")


def says(written, live, model):
    """Insist that a written spec says all that was declared, less what says nothing."""
    for name, value in live.items():
        default = model.model_fields[name].default
        if value not in ([], {}, None, default):
            assert name in written, name


def settled(world, *, into="imported"):
    """Import everything, insisting that it is complete, that it agrees, and that its plan is empty once it is ours."""
    result = do(world, into=into)
    assert result.exit_code is Exit.DONE
    assert said(result) == []
    before = plan(world, into)
    odd = [(str(one.address), one.fields, one.notes) for one in before.changes if one.action is not Action.ADOPT]
    assert odd == []
    world.lose_ledger()
    adopt(before, client=world.reader(), keeper=world.keeper, chosen=lambda _address: True)
    chosen = settings(env={}, manifests=(str(world.folder / into),))
    after = plan_afresh(chosen, client=world.reader(), read_ledger=world.backend.read, config=Config())
    assert after.changes == ()
    assert after.in_sync == len(before.changes)
    return result


@pytest.mark.parametrize("type_", CONFIGS)
def test_every_setting_of_every_channel(world, type_):
    """Each setting of each type, every provider of `auth` included, is in the manifest, and the plan is empty."""
    cases = [*configs(type_)]
    assert {name for case in cases for name in case} == set(CONFIGS[type_].model_fields)
    for number, config in enumerate(cases):
        channel = {"name": "it", "type": type_, "config": config, "enabled": bool(number % 2)}
        world.bot(f"v-{number}", channel)
    world.converge()
    settled(world)
    for number, config in enumerate(cases):
        (channel,) = spec(world, "App", f"v-{number}")["channels"]
        says(channel.get("config", {}), config, CONFIGS[type_])
        assert channel.get("enabled", True) is bool(number % 2)
        assert "id" not in channel


def test_every_field_of_an_agent(world):
    """Each field of an agent is in its manifest."""
    world.memory("design-docs")
    cases = [one for one in variants(AgentSpec) if "system_prompt" in one]
    cases.append({"system_prompt": TEXT, "capabilities": [{"ref": "memory", "config": {"mounts": [MOUNT]}}]})
    for number, case in enumerate(cases):
        world.agent(f"v-{number}", **case)
    world.converge()
    settled(world)
    for number, case in enumerate(cases):
        says(spec(world, "Agent", f"v-{number}"), case, AgentSpec)


MOUNT = {"memory": "design-docs", "path": "/workspace/docs", "mode": "readwrite"}


def test_every_field_of_an_app(world):
    """Each field of an app is in its manifest, and what it refers to stands there by its name."""
    world.agent("support-triage")
    world.post("/v1/agent-identities", name="support-desk")
    cases = variants(AppSpec, without=["agent_version", "name"])
    cases = [case if case.get("channels") else case | {"published": False} for case in cases]
    for number, case in enumerate(cases):
        world.declare("App", f"v-{number}", case)
    world.converge()
    settled(world)
    for number, case in enumerate(cases):
        says(spec(world, "App", f"v-{number}"), case, AppSpec)


def test_a_pinned_version(world):
    """A pin is imported as the number of the version, and an agent with versions says how it is released."""
    world.agent("triage")
    world.converge()
    version = world.post(f"/v1/agents/{world.one('agents', 'triage')['id']}/versions", version="1.0.0")["id"]
    pinned = {"harness": "generic", "agent": "triage", "agent_version_policy": "pinned", "agent_version": version}
    world.declare("App", "bot", pinned)
    world.converge()
    assert said(do(world)) == []
    assert spec(world, "App", "bot") == pinned | {"agent_version": "0.1.0"}
    assert spec(world, "Agent", "triage")["version"] == {"publish": "on-change"}
    assert pending(world) == []


def test_versions_that_are_behind(world):
    """What is newer than its newest version, or does not run it, is imported as what people see to themselves."""
    made = world.post("/v1/agents", name="triage", system_prompt="Help.")
    first = world.post(f"/v1/agents/{made['id']}/versions")
    world.post(f"/v1/agents/{made['id']}/versions")
    world.post(f"/v1/agents/{made['id']}/versions/default", version_id=first["id"])
    world.api.patch(f"/v1/agents/{made['id']}", json={"system_prompt": "Help more."})
    assert said(do(world)) == []
    assert spec(world, "Agent", "triage")["version"] == {"publish": "manual", "default": False}
    assert pending(world) == []


def test_versions_where_the_feature_is_off(world):
    """Where versions cannot be read, a pin keeps its id and nothing is said of versions."""
    made = world.post("/v1/agents", name="triage", system_prompt="Help.")
    version = world.post(f"/v1/agents/{made['id']}/versions")["id"]
    pin = {"agent_version_policy": "pinned", "agent_version_id": version}
    world.post("/v1/apps", name="bot", harness_id=world.harness, agent_id=made["id"], **pin)
    world.api.patch(f"/v1/orgs/{world.org}/feature-flags", json={"flags": {"agent_versions": False}})
    assert said(do(world)) == []
    assert "version" not in spec(world, "Agent", "triage")
    assert spec(world, "App", "bot")["agent_version"] == version
    assert pending(world) == []


def test_every_field_of_a_memory(world):
    """Each field of a memory and of each source is in its manifest; a manual source says nothing."""
    sources = [*variants(GithubSource), *variants(GitSource), {"type": "manual"}]
    cases = [*variants(MemorySpec, without=["name", *of_the_apply(MEMORY), *apart(MEMORY)])]
    cases += ({"source": source} for source in sources)
    for number, case in enumerate(cases):
        world.memory(f"v-{number}", **case)
    world.converge()
    settled(world)
    for number, case in enumerate(cases):
        manual = case.get("source") == {"type": "manual"}
        says(spec(world, "Memory", f"v-{number}") or {}, {} if manual else case, MemorySpec)


def test_every_field_of_an_organization(world):
    """An organization is declared with its defaults by name, and with its flags."""
    said = example_of(OrganizationSpec)
    world.declare("Organization", "acme", said)
    world.converge()
    settled(world)
    written = spec(world, "Organization", "acme-corp")
    assert written.pop("feature_flags").items() >= said.pop("feature_flags").items()
    assert written == said


def example_of(model):
    """Give a spec with every field of a model."""
    return {name: example(model, name) for name in model.model_fields}


# --- what is chosen ---


@pytest.fixture
def fleet(world):
    """Give a world with two agents, a memory with a name for people, and an app that uses all of it."""
    world.memory("docs", name="Design docs")
    mounts = [{"memory": "docs", "path": "/workspace/docs"}]
    world.agent("triage", capabilities=[{"ref": "memory", "config": {"mounts": mounts}}])
    world.agent("triage-eu", system_prompt="One.\nTwo.\nThree.\nFour.\n")
    world.bot("bot", {"name": "in", "type": "webhook", "config": HOOK}, agent="triage", name="Support bot")
    world.converge()
    return world


HOOK = {"token": {"env": "WEBHOOK_TOKEN"}, "message": "Go."}
EVERYTHING = [
    "default-org/agents/triage-eu.yaml",
    "default-org/agents/triage.yaml",
    "default-org/apps/support-bot.yaml",
    "default-org/memories/design-docs.yaml",
    "default-org/organization.yaml",
    "default-org/prompts/triage-eu.md",
]
CHOICES = [
    (["Agent"], ["agents/triage-eu.yaml", "agents/triage.yaml", "prompts/triage-eu.md"]),
    (["Agent/triage"], ["agents/triage.yaml"]),
    (["Agent/triage*"], ["agents/triage-eu.yaml", "agents/triage.yaml", "prompts/triage-eu.md"]),
    (["default-org/App/*"], ["apps/support-bot.yaml"]),
    (["App/Support bot"], ["apps/support-bot.yaml"]),
    (["Memory", "App"], ["apps/support-bot.yaml", "memories/design-docs.yaml"]),
    (["*/triage"], ["agents/triage.yaml"]),
    (["Organization"], []),
]


@pytest.mark.parametrize(("words", "chosen"), CHOICES, ids=[" ".join(row[0]) for row in CHOICES])
def test_what_is_chosen(fleet, words, chosen):
    """A kind, an address or a glob brings what it means and the organization it stands in, and nothing else."""
    do(fleet, *words)
    assert paths(fleet) == sorted([*(f"default-org/{path}" for path in chosen), "default-org/organization.yaml"])
    assert pending(fleet) == []


def test_everything(fleet):
    """Without a choice it is everything, in the layout of the house, each referring to the others by address."""
    do(fleet)
    assert paths(fleet) == EVERYTHING
    assert spec(fleet, "App", "support-bot") == {
        "name": "Support bot",
        "harness": "generic",
        "agent": "triage",
        "channels": [
            {
                "name": "webhook",
                "type": "webhook",
                "config": {"token": {"env": "DEFAULT_ORG_SUPPORT_BOT_WEBHOOK_TOKEN"}, "message": "Go."},
            }
        ],
    }
    (capability,) = spec(fleet, "Agent", "triage")["capabilities"]
    assert capability["config"]["mounts"] == [{"memory": "design-docs", "path": "/workspace/docs"}]
    assert spec(fleet, "Agent", "triage-eu")["system_prompt"] == {"file": "../prompts/triage-eu.md"}
    assert (fleet.folder / "imported/default-org/prompts/triage-eu.md").read_text() == "One.\nTwo.\nThree.\nFour.\n"


def test_what_is_not_imported_is_referred_to_by_its_title(fleet):
    """What has no address goes by the name it has on the platform."""
    do(fleet, "Agent/triage")
    (capability,) = spec(fleet, "Agent", "triage")["capabilities"]
    assert capability["config"]["mounts"][0]["memory"] == "Design docs"


MISSES = [
    ("Agent/triag", "nothing live is called that", "did you mean Agent/triage"),
    ("default-org/Agent/triag", "nothing live is called that", "did you mean default-org/Agent/triage"),
    ("Agent/zzzzzzz", "nothing live is called that", "there are: Agent/triage, Agent/triage-eu"),
    ("agent", "no such kind", "did you mean Agent?"),
    ("memories", "no such kind", "did you mean Memory?"),
    ("zzz", "no such kind", "a kind (Organization, Memory, Harness, AgentIdentity, Agent, App, Session, ChatSession)"),
    ("Model", "models are only referred to", "known: Organization"),
    ("Channel", "channels are written inside their App", "import the App"),
    ("App/bot/Channel/in", "channels are written inside their App", "import the App"),
]


@pytest.mark.parametrize(("word", "message", "hint"), MISSES, ids=[row[0] for row in MISSES])
def test_a_choice_of_nothing(fleet, word, message, hint):
    """What means nothing is an error that says what would, and writes nothing."""
    with pytest.raises(UsageError) as caught:
        do(fleet, word)
    assert caught.value.message == f"{word}: {message}"
    assert hint in caught.value.hint
    assert not (fleet.folder / "imported").exists()


def test_archived_things_are_left_out(fleet):
    """What is archived is counted and not imported; to ask for it by name is an error that says so."""
    fleet.api.delete(f"/v1/agents/{fleet.one('agents', 'triage-eu')['id']}")
    for word in ("Agent/triage-eu", "default-org/Agent/triage-eu"):
        with pytest.raises(UsageError, match="archived, and therefore left out"):
            do(fleet, word)
    assert do(fleet, "App", into="apps").archived == 0
    result = do(fleet)
    assert result.archived == 1
    assert ("Agent", "triage-eu") not in documents(fleet)


def test_archived_references_stay_ids(fleet):
    """What refers to something archived keeps its id, and the plan is empty."""
    fleet.api.delete(f"/v1/memories/{fleet.one('memories', 'Design docs')['id']}")
    do(fleet)
    (capability,) = spec(fleet, "Agent", "triage")["capabilities"]
    assert capability["config"]["mounts"][0]["memory"].startswith("mem_")
    assert pending(fleet) == []


# --- what is there already ---


def test_what_is_declared_is_skipped(fleet):
    """A resource that a manifest stands for, under whatever address, is not written a second time."""
    do(fleet, "Memory")
    manifest = fleet.folder / "imported/default-org/memories/design-docs.yaml"
    manifest.write_text(manifest.read_text().replace("name: design-docs", "name: handbook"))
    result = do(fleet)
    assert {str(one.address.local) for one in result.declared} == {"Memory/handbook", "Organization/default-org"}
    (capability,) = spec(fleet, "Agent", "triage")["capabilities"]
    assert capability["config"]["mounts"][0]["memory"] == "handbook"
    assert pending(fleet) == []


def test_a_file_is_never_overwritten(fleet):
    """What is in the way is left alone and told, with all files of the same resource; the others are written."""
    folder = fleet.folder / "imported/default-org"
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts/triage-eu.md").write_text("Mine.")
    (folder / "apps").mkdir()
    (folder / "apps/support-bot.yaml").write_text("# nothing yet\n")
    result = do(fleet)
    fates = {saved.path.removeprefix(f"{folder}/"): saved.fate for saved in result.saved}
    assert fates["prompts/triage-eu.md"] is fates["apps/support-bot.yaml"] is Fate.IN_THE_WAY
    assert fates["agents/triage-eu.yaml"] is Fate.LEFT_OUT
    assert fates["agents/triage.yaml"] is Fate.WRITTEN
    assert result.exit_code is Exit.ERROR
    assert (folder / "prompts/triage-eu.md").read_text() == "Mine."
    assert (folder / "apps/support-bot.yaml").read_text() == "# nothing yet\n"
    assert not (folder / "agents/triage-eu.yaml").exists()
    assert pending(fleet) == []


def test_what_is_blocked_is_referred_to_by_its_title(fleet):
    """What gets no manifest has no address: what refers to it names it as the platform does, and the plan is empty."""
    manifest = fleet.folder / "imported/default-org/memories/design-docs.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("# not yet\n")
    assert do(fleet).exit_code is Exit.ERROR
    (capability,) = spec(fleet, "Agent", "triage")["capabilities"]
    assert capability["config"]["mounts"][0]["memory"] == "Design docs"
    assert pending(fleet) == []


def test_without_its_organization_nothing_is_written(fleet):
    """What would lose its organization, since another file has the place of the document, is left out with it."""
    (fleet.folder / "imported/default-org").mkdir(parents=True)
    (fleet.folder / "imported/default-org/organization.yaml").write_text("# not yet\n")
    result = do(fleet)
    assert {one.fate for one in result.saved} == {Fate.IN_THE_WAY, Fate.LEFT_OUT}
    assert paths(fleet) == ["default-org/organization.yaml"]


def test_a_folder_of_others_is_not_taken_over(fleet):
    """A new organization gets a folder in which nothing is declared yet: what is there belongs to another."""
    (fleet.folder / "imported/default-org/deep").mkdir(parents=True)
    other = ORGANIZATION.format(name="other", title="Other")
    (fleet.folder / "imported/default-org/deep/a.yaml").write_text(f"{other}\n---\n{AGENT.format(name='other')}")
    do(fleet, "Memory")
    assert paths(fleet)[0] == "default-org-2/memories/design-docs.yaml"
    assert set(pending(fleet)) == {"other/Agent/other", "other/Organization/other"}


def test_the_same_file_is_no_obstacle(fleet):
    """A text that is there already to the byte is used as it is."""
    do(fleet)
    (fleet.folder / "imported/default-org/agents/triage-eu.yaml").unlink()
    result = do(fleet)
    assert [(Path(one.path).name, one.fate) for one in result.saved] == [
        ("triage-eu.md", Fate.UNCHANGED),
        ("triage-eu.yaml", Fate.WRITTEN),
    ]
    assert result.exit_code is Exit.DONE


def test_nothing_half_written_is_left(fleet):
    """Beside the files there is nothing, and they have the rights of any new file."""
    do(fleet)
    plain = fleet.folder / "plain"
    plain.touch()
    folder = fleet.folder / "imported"
    assert {path.stat().st_mode for path in folder.rglob("*") if path.is_file()} == {plain.stat().st_mode}
    assert not [path for path in paths(fleet) if ".part" in path]


def test_faults_in_what_is_declared(fleet):
    """Manifests with faults are mended first: nobody could say what they stand for."""
    (fleet.folder / "imported").mkdir()
    (fleet.folder / "imported/a.yaml").write_text("kind: Agent\n")
    with pytest.raises(ManifestError):
        do(fleet)
    assert paths(fleet) == ["a.yaml"]


# --- organizations ---


def test_the_organization_of_the_environment(fleet):
    """EVERRUNS_ORG_ID chooses an organization where no --org does."""
    fleet.post("/v1/orgs", name="Acme")
    client, into = fleet.reader(), str(fleet.folder / "imported")
    import_live(settings(env={"EVERRUNS_ORG_ID": fleet.org}), client=client, ledger=Ledger(OWNER), into=into, words=())
    assert paths(fleet) == EVERYTHING


def test_manifests_without_an_organization(fleet):
    """Beside manifests that declare no organization, those imported declare none either."""
    (fleet.folder / "imported").mkdir()
    (fleet.folder / "imported/a.yaml").write_text(AGENT.format(name="other"))
    do(fleet)
    assert "organization.yaml" not in paths(fleet)
    assert "agents/triage.yaml" in paths(fleet)
    assert pending(fleet) == ["default/Agent/other"]


AGENT = "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {{name: {name}}}\nspec: {{system_prompt: Hi}}\n"


def test_manifests_that_name_the_id(fleet):
    """Beside manifests that name the organization by its id, those imported do the same."""
    (fleet.folder / "imported").mkdir()
    own = AGENT.format(name="other").replace("name: other", f"name: other, org: {fleet.org}")
    (fleet.folder / "imported/a.yaml").write_text(own)
    do(fleet)
    assert documents(fleet)["Agent", "triage"]["metadata"] == {"name": "triage", "org": fleet.org}
    assert pending(fleet) == [f"{fleet.org}/Agent/other"]


def test_two_organizations(fleet):
    """Each organization has its folder; those of one name say by id which they are; --org chooses one."""
    ids = [fleet.post("/v1/orgs", name="Acme")["id"] for _ in range(2)]
    for id_ in ids:
        fleet.api.post("/v1/agents", json={"name": "helper", "system_prompt": "Hi"}, headers={"X-Org-Id": id_})
    do(fleet, orgs=(ids[0],), into="one")
    assert paths(fleet, "one") == ["acme/agents/helper.yaml", "acme/organization.yaml"]
    assert documents(fleet, "one")["Organization", "acme"]["metadata"] == {"name": "acme", "id": ids[0]}
    do(fleet)
    assert {path.split("/")[0] for path in paths(fleet)} == {"acme", "acme-2", "default-org"}
    assert pending(fleet) == []
    with pytest.raises(UsageError, match="--org acmee: no organization of this key") as caught:
        do(fleet, orgs=("acmee",))
    assert caught.value.hint == "did you mean acme?"


def test_organizations_in_one_folder(fleet):
    """In a folder that declares several organizations, each document says to which it belongs."""
    other = fleet.post("/v1/orgs", name="Acme")["id"]
    fleet.api.post("/v1/agents", json={"name": "helper", "system_prompt": "Hi"}, headers={"X-Org-Id": other})
    (fleet.folder / "imported").mkdir()
    both = "\n---\n".join(ORGANIZATION.format(name=name, title=title) for name, title in NAMES)
    (fleet.folder / "imported/orgs.yaml").write_text(both)
    do(fleet)
    assert documents(fleet)["Agent", "helper"]["metadata"] == {"name": "helper", "org": "acme"}
    assert documents(fleet)["Agent", "triage"]["metadata"] == {"name": "triage", "org": "main"}
    assert pending(fleet) == []


ORGANIZATION = (
    "apiVersion: everruns.reconciler/v1\nkind: Organization\nmetadata: {{name: {name}}}\nspec: {{name: {title}}}"
)
NAMES = [("acme", "Acme"), ("main", "Default")]


# --- what identity needs ---


def test_names_that_several_have(world):
    """Apps of one name get addresses of their own and say by id which they are; a name alone needs no id."""
    ids = [world.post("/v1/apps", name="Bot", harness_id=world.harness)["id"] for _ in range(2)]
    world.post("/v1/apps", name="Café ☕", harness_id=world.harness)
    world.post("/v1/apps", name="日本", harness_id=world.harness)
    settled(world)
    found = documents(world)
    assert found["App", "bot"]["metadata"]["id"] == ids[0]
    assert found["App", "bot-2"]["metadata"]["id"] == ids[1]
    assert found["App", "cafe"] == found["App", "cafe"] | {"spec": {"name": "Café ☕", "harness": "generic"}}
    assert [name for _, name in found if name.startswith("app-")]


def test_channels_of_one_type(world):
    """Of several channels of a type each says its id, so that a later edit is no guess; one alone says none."""
    hooks = [{"name": f"h-{n}", "type": "webhook", "config": HOOK | {"message": f"Go {n}"}} for n in range(2)]
    world.bot("bot", *hooks, {"name": "api", "type": "api_endpoint"})
    world.converge()
    settled(world)
    channels = spec(world, "App", "bot")["channels"]
    assert [channel["name"] for channel in channels] == ["api-endpoint", "webhook", "webhook-2"]
    assert [list(channel)[:3] for channel in channels[1:]] == [["name", "type", "id"]] * 2
    assert "id" not in channels[0]
    assert [one.variable for one in do(world, into="again").needed] == [
        "DEFAULT_ORG_BOT_WEBHOOK_TOKEN",
        "DEFAULT_ORG_BOT_WEBHOOK_2_TOKEN",
    ]


def test_variables_are_used_once(world):
    """No two secrets share a variable, those of what is declared already included."""
    world.bot("a-b", {"name": "in", "type": "webhook", "config": HOOK})
    world.bot("bot", {"name": "in", "type": "webhook", "config": HOOK})
    world.agent("a-b-webhook", mcpServers={"x": {"url": "https://x.example", "headers": {"Token": {"env": "X"}}}})
    world.converge()
    do(world, "App/bot")
    manifest = world.folder / "imported/default-org/apps/bot.yaml"
    manifest.write_text(manifest.read_text().replace("DEFAULT_ORG_BOT_WEBHOOK_TOKEN", "DEFAULT_ORG_A_B_WEBHOOK_TOKEN"))
    names = [one.variable for one in do(world).needed]
    assert names == ["DEFAULT_ORG_A_B_WEBHOOK_X_TOKEN", "DEFAULT_ORG_A_B_WEBHOOK_TOKEN_2"]


# --- what no manifest can say ---


def test_a_secret_in_an_address_of_an_mcp_server(world):
    """What may be a secret and cannot be referred to is told, and everything that is one value with it left alone."""
    servers = {
        "crm": {"type": "http", "url": "https://mcp.example.com/v1?key=s3cr3t"},
        "erp": {"url": "https://e.example"},
    }
    world.post("/v1/agents", name="triage", system_prompt="Hi", mcpServers=servers)
    result = do(world)
    (gap,) = result.gaps
    assert (gap.place, gap.left_out) == ("mcpServers.crm.url", ("mcpServers",))
    assert gap.message == "holds a secret where a manifest cannot refer to one"
    assert "mcpServers" not in spec(world, "Agent", "triage")
    assert "s3cr3t" not in repr(result) + "".join(path.read_text() for path in world.folder.rglob("*.yaml"))
    assert pending(world) == []


def test_news_of_the_platform(world):
    """Members that this version does not know are told, wherever they stand; the rest is imported all the same."""
    world.agent("triage", tools=TOOLS)
    world.bot("bot", {"name": "in", "type": "webhook", "config": HOOK})
    world.converge()

    def agent(answer):
        for item in answer["data"]:
            item["mood"] = "good"
            item["tools"][0]["colour"] = "red"
        return answer

    def app(answer):
        for channel in (channel for item in answer["data"] for channel in item["channels"]):
            channel["channel_config"] |= {"volume": 11, "session_mode": "session_per_century"}
            channel["region"] = "eu"
        return answer

    world.meddler.edit("GET", "/v1/agents", agent, times=None)
    world.meddler.edit("GET", "/v1/apps", app, times=None)
    world.meddler.contract.settle = lambda: None
    assert said(do(world)) == [
        "Agent/triage mood: manifests have no field for it",
        "Agent/triage tools.0.colour: manifests have no field for it",
        "App/bot/Channel/webhook region: manifests have no field for it",
        "App/bot/Channel/webhook config.session_mode: Input should be 'shared_session' or 'session_per_invocation'",
        "App/bot/Channel/webhook config.volume: manifests have no field for it",
    ]
    assert "tools" not in spec(world, "Agent", "triage")
    assert spec(world, "App", "bot")["channels"][0]["config"]["message"] == "Go."
    assert pending(world) == []


TOOLS = [{"type": "client_side", "name": "open", "description": "x", "parameters": {}}]


def test_a_channel_of_an_unknown_type(world):
    """A channel of a type that this version does not know stays out of its app, which is imported."""
    world.bot("bot", {"name": "in", "type": "webhook", "config": HOOK}, {"name": "api", "type": "api_endpoint"})
    world.converge()

    def telepathy(answer):
        answer["data"][0]["channels"][0]["channel_type"] = "telepathy"
        return answer

    world.meddler.edit("GET", "/v1/apps", telepathy, times=None)
    result = do(world)
    assert result.exit_code is Exit.ERROR
    assert said(result)[-1] == "App/bot/Channel/telepathy : a manifest needs what it cannot say"
    assert len(spec(world, "App", "bot")["channels"]) == 1
    assert {one.action for one in plan(world).changes} == {Action.ADOPT, Action.REPORT}


def test_a_name_that_cannot_be_an_address(world):
    """An agent whose name no address can have is told and left alone."""
    world.post("/v1/agents", name="triage", system_prompt="Hi")

    def renamed(answer):
        answer["data"][0]["name"] = "Triage_1"
        return answer

    world.meddler.edit("GET", "/v1/agents", renamed, times=None)
    result = do(world)
    assert result.exit_code is Exit.ERROR
    assert 'its name "Triage_1" cannot be an address' in said(result)[0]
    assert [name for kind, name in documents(world) if kind == "Agent"] == []


def test_what_looks_like_a_secret(world):
    """A text that the platform shows to everybody and that looks like a secret is imported, and its place is told."""
    key = "sk-ant-api03-abcdef"
    world.agent("triage", system_prompt=f"Use {key}.", capabilities=[{"ref": "web_fetch", "config": {"key": [key]}}])
    world.bot("bot", {"name": "in", "type": "webhook", "config": HOOK | {"message": "See https://u:p@x.example"}})
    world.converge()
    result = settled(world)
    assert [(str(one.address.local), one.path) for one in result.suspects] == [
        ("Agent/triage", ("system_prompt",)),
        ("Agent/triage", ("capabilities", 0, "config", "key", 0)),
        ("App/bot/Channel/webhook", ("config", "message")),
    ]
    lines = "\n".join(import_text(result, style=Style()))
    assert "! default-org/Agent/triage capabilities.0.config.key.0" in lines
    assert key not in lines


def test_a_name_that_the_platform_keeps(world):
    """What has the name of a built-in and is none cannot be said by any manifest, and that is told."""

    def editable(answer):
        return {"data": [one | {"is_built_in": False} for one in answer["data"] if one["name"] == "platform-chat"]}

    world.meddler.edit("GET", "/v1/harnesses", editable, times=None)
    result = do(world, "Harness")
    assert result.exit_code is Exit.ERROR
    assert 'its name "platform-chat" is one that the platform keeps for itself' in " ".join(said(result))
    assert "harnesses" not in "".join(paths(world))


def test_harnesses_and_identities_refer_to_one_another(world):
    """What is imported together goes by its address: harnesses by their parents, apps by their identities."""
    world.declare("Harness", "house", {"parent_harness": "generic", "system_prompt": "One.\nTwo.\nThree.\nFour.\n"})
    world.declare("Harness", "desk", {"parent_harness": "house", "embedder_metadata": {"team": "desk"}})
    world.declare("AgentIdentity", "desk", {"name": "Care desk", "locale": "de-DE"})
    world.bot("bot", harness="desk", agent_identity="desk")
    world.converge()
    settled(world)
    assert spec(world, "Harness", "desk") == {"parent_harness": "house", "embedder_metadata": {"team": "desk"}}
    assert spec(world, "Harness", "house")["system_prompt"] == {"file": "../prompts/house.md"}
    assert spec(world, "AgentIdentity", "care-desk") == {"name": "Care desk", "locale": "de-DE"}
    assert spec(world, "App", "bot") == {"harness": "desk", "agent_identity": "care-desk"}
    assert ("Harness", "generic") not in documents(world)
