"""The example fleet: what a run asks and sends, counted at the server, and the demonstration of the Makefile."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from reconciler.kinds import DECLARABLE
from reconciler.kinds.channel_config import CONFIGS
from reconciler.live.client import open_reader
from reconciler.live.endpoint import Endpoint
from reconciler.manifest.config import Config
from reconciler.reconcile import make_plan, read_manifests, want
from reconciler.settings import Settings

RESOURCES = 64


def _reads_only(app):
    """Wrap an application so that anything but a GET fails the test."""

    def guarded(environ, start_response):
        assert environ["REQUEST_METHOD"] == "GET", environ["PATH_INFO"]
        return app(environ, start_response)

    return guarded


def _reordered(text: str) -> str:
    """Write the top-level keys of a one-document manifest in reverse order."""
    parts = re.split(r"^(?=[A-Za-z])", text, flags=re.MULTILINE)
    return parts[0] + "".join(part if part.endswith("\n") else part + "\n" for part in reversed(parts[1:]))


def test_fleet_is_valid(fleet):
    """The example fleet is valid, offline."""
    ran = fleet.run("validate", EVERRUNS_API_URL="", EVERRUNS_API_KEY="")
    assert ran.code == 0
    assert f"Valid: {RESOURCES} resources" in ran.out


def test_reading_verbs_read(fleet):
    """`validate` asks nothing, and `plan` of the whole fleet sends nothing but GET, before and after an apply."""
    assert fleet.run("validate").code == 0
    assert not fleet.world.sent
    for code in (2, 0):
        assert fleet.run("plan", "--detailed-exitcode", "--out", "a.plan").code == code
        assert {sent.method for sent in fleet.world.sent} == {"GET"}
        fleet.converge()


def test_reading_client_cannot_write(fleet, monkeypatch):
    """The same in process: a plan works through an application and a client that take nothing but GET."""
    monkeypatch.chdir(fleet.folder)
    app = _reads_only(fleet.world.emulator)
    settings = Settings(api_url="http://localhost", api_key="evr_pat_x")
    client = open_reader(Endpoint(url=settings.api_url, key=settings.api_key, app=lambda: app))
    try:
        declared = read_manifests(settings.manifests)
        wanted = want(declared, settings, ledger=fleet.world.ledger, config=Config())
        plan = make_plan(wanted, settings, client=client)
        with pytest.raises(AssertionError, match="a reading verb tried to POST"):
            client._connection.request("POST", "/v1/orgs", doing="x", org=None, params=None, body={})
    finally:
        client.close()
    assert len(plan.writes) >= RESOURCES
    assert not hasattr(client, "send")


def test_second_apply_sends_nothing(fleet):
    """Applied twice, the second run writes nothing."""
    fleet.converge()
    ran = fleet.run("apply", "--auto-approve")
    assert ran.code == 0
    assert f"No changes. {RESOURCES} resources are as git wants them." in ran.out
    assert not fleet.lines


def test_one_edited_line_is_one_request(fleet):
    """A prompt edited in one line is exactly one update, of the prompt alone, and exactly one PATCH."""
    fleet.converge()
    prompt = fleet.folder / "manifests/northwind/prompts/support-triage.md"
    prompt.write_text(prompt.read_text().replace("\n", "\nBe kind.\n", 1))
    (change,) = fleet.run("plan", "--json").of("change")
    assert (change["address"], change["action"]) == ("northwind/Agent/support-triage", "update")
    assert [field["path"] for field in change["fields"]] == [["system_prompt"]]
    fleet.world.forget()
    assert fleet.run("apply", "--auto-approve").code == 0
    assert fleet.lines == ["PATCH /v1/agents/agent_"]
    assert list(fleet.world.writes[0].body) == ["system_prompt"]


def test_a_plan_without_the_secrets_is_the_same(fleet, demo_env):
    """Who reviews is not given the values: what is compared before an apply does not depend on them."""
    unset = dict.fromkeys(demo_env, "")
    handover = fleet.folder / "manifests/northwind-labs/apps/on-call.yaml"
    for _ in range(2):
        digests = [fleet.run("plan", "--json", **env).of("plan")[0]["digest"] for env in ({}, unset)]
        assert digests[0] == digests[1]
        fleet.converge()
        handover.write_text(handover.read_text().replace("Write the handover", "Write a handover"))
    assert not fleet.lines


def test_order_means_nothing(fleet):
    """Files renamed, documents gathered in one file, keys and tags in another order: no change at all."""
    fleet.converge()
    agents = fleet.folder / "manifests/northwind/agents"
    for number, path in enumerate(sorted(agents.glob("*.yaml"), reverse=True)):
        text = re.sub(r"tags: \[(.*)\]", _backwards, _reordered(path.read_text()))
        path.unlink()
        (agents / f"{number:02}-{path.stem}.yml").write_text(text)
    labs = fleet.folder / "manifests/northwind-labs"
    memories = sorted((labs / "memories").glob("*.yaml"), reverse=True)
    (labs / "memories.yaml").write_text("\n---\n".join(path.read_text() for path in memories))
    shutil.rmtree(labs / "memories")
    ran = fleet.run("plan", "--detailed-exitcode")
    assert ran.code == 0, ran.text


def _backwards(found: re.Match[str]) -> str:
    return f"tags: [{', '.join(reversed(found[1].split(', ')))}]"


def test_a_large_plan_asks_little(site):
    """A plan of a thousand agents is a page for each hundred and a few lists, and no request for a single agent."""
    names = [f"agent-{number}" for number in range(1000)]
    site.agents(*names)
    site.converge("--parallelism", "64")
    ran = site.run("plan", "--detailed-exitcode")
    assert ran.code == 0
    assert "1,000 resources are as git wants them" in ran.out
    assert len(site.reads) <= 1000 / 100 + 6
    assert all(path.startswith(("/v1/orgs?", "/v1/agents?")) for path in site.reads)


def test_demonstration_of_the_makefile(shell, repository, demo_env):
    """What `make demo` runs works in a copy of the repository's manifests: all is created, then nothing is to do."""
    shutil.copytree(repository / "manifests", shell.folder / "manifests")
    commands = _commands((repository / "Makefile").read_text())
    assert [command[0] for command in commands] == ["apply", "plan"]
    first, second = (shell.run(*command, **demo_env) for command in commands)
    assert first.code == 0
    proof = r"Applied: (\d+) done\.\nProved: what was written is as git wants it \(\1 changes\)\. \d+ secrets sent"
    assert re.search(proof, first.out)
    assert (second.code, second.err) == (0, "")
    assert f"No changes. {RESOURCES} resources are as git wants them." in second.out
    assert (shell.folder / ".reconciler/.gitignore").read_text() == "*\n"


def _commands(makefile: str) -> list[list[str]]:
    """Find the commands that the demo target runs."""
    target = makefile.partition("\ndemo:")[2].partition("\n\n")[0]
    return [shlex.split(found) for found in re.findall(r"\$\(BIN\)/reconciler ([^\\&\n\"']*--[\w -]+)", target)][:2]


def test_every_kind_has_an_example(fleet):
    """The fleet has each kind, type of channel and source of memories, and a version that an app is held to."""
    documents = [one for path in fleet.folder.rglob("*.yaml") for one in yaml.safe_load_all(path.read_text())]
    specs = [(one["kind"], one.get("spec") or {}) for one in documents]
    channels = [channel for kind, spec in specs if kind == "App" for channel in spec.get("channels", ())]
    sources = {spec.get("source", {}).get("type", "manual") for kind, spec in specs if kind == "Memory"}
    assert {kind for kind, _ in specs} == {kind.name for kind in DECLARABLE}
    assert {channel["type"] for channel in channels} == set(CONFIGS)
    assert sources == {"manual", "git", "github"}
    released = {one["metadata"]["name"] for one in documents if "version" in one.get("spec", {})}
    assert released & {spec.get("agent") for _, spec in specs if spec.get("agent_version_policy") == "pinned"}


def test_every_secret_has_a_made_up_value(fleet, demo_env):
    """demo.env gives a value to every secret that the fleet names, and to nothing else."""
    named = set(re.findall(r"\{env: (\w+)\}", "".join(p.read_text() for p in Path(fleet.folder).rglob("*.yaml"))))
    assert named == set(demo_env)
