"""Every case of tests/scenarios/: what is live, what git wants, and the plan and the requests that follow from both.

| key         | holds                                                                                            |
| ----------- | ------------------------------------------------------------------------------------------------ |
| `why`       | the rule, in a sentence                                                                          |
| `server`    | options of the emulator, where the case needs them                                               |
| `org_id`    | what EVERRUNS_ORG_ID says                                                                        |
| `env`       | the secrets                                                                                      |
| `applied`   | manifests that were applied before                                                               |
| `live`      | requests sent by hand after that, as `requests` are spelled                                      |
| `foreign`   | true where what is live is somebody else's; otherwise the ledger knows it as ours                |
| `adopt`     | the rule of adoption for what is foreign and where git says none                                 |
| `manifests` | what git wants: the text of fleet.yaml, or a map from file names to texts                        |
| `plan`      | each change as `symbol address fields...`, with the plan's own signs                             |
| `notes`     | what the plan says beside its changes                                                            |
| `refused`   | why the plan is refused: it is not applied, and nothing is sent                                  |
| `requests`  | each write as `METHOD path: body`; ` @Org` behind the path where it is not the default one       |
| `after`     | what reading back shows, as `GET path: members`                                                  |
| `faults`    | what is said instead of a plan, as `file:line:column message`                                    |

An id is spelled `$kind/name`, that of a session by its address or else its title, that of a channel
`$channel/app/number`, of a version `$version/agent/number`, the UUID in that of an MCP server or a skill
`$uuid/name`; a second one of the same name has `#2` behind it, and what
stands in another organization than the default one has that organization's name in front.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import yaml

from reconciler.errors import Exit, ManifestError, PlanRefused
from reconciler.intake import adopt
from reconciler.kinds import KINDS
from reconciler.kinds.channel_config import CONFIGS
from reconciler.manifest.locate import located
from reconciler.plan.change import Change
from reconciler.plan.plan import Plan
from reconciler.reconcile import apply_plan, make_plan, read_manifests, want
from reconciler.resource import Desired
from reconciler.settings import LOCAL_KEY, LOCAL_URL, Settings

FOLDER = Path(__file__).parent / "scenarios"
CASES = {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in sorted(FOLDER.rglob("*.yaml"))}
KEYS = {"why", "server", "org_id", "env", "applied", "live", "foreign", "adopt", "manifests"}
OUTCOME = {"plan", "notes", "refused", "requests", "after"}
COLLECTIONS = {
    "provider": "/v1/providers",
    "model": "/v1/models",
    "mcp": "/v1/mcp-servers?include_archived=true",
    "skill": "/v1/skills?include_archived=true",
    "harness": "/v1/harnesses?include_archived=true",
    "identity": "/v1/agent-identities?include_archived=true",
    "memory": "/v1/memories?include_archived=true",
    "agent": "/v1/agents?include_archived=true&limit=100",
    "app": "/v1/apps?include_archived=true",
    "session": "/v1/sessions?limit=100",
}


def _title(kind: str, item: dict[str, Any]) -> str:
    """Give what a case calls something: a session by its address, else by its title."""
    if kind == "session":
        ours = [tag.removeprefix("reconciler:") for tag in item["tags"] if tag.startswith("reconciler:")]
        return str(ours[0] if ours else item.get("title", ""))
    return str(item.get("model_id") or item["name"])


class Server:
    """The server's side of a case, asked by hand: ids by the names that a case calls them by."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.http: httpx.Client = world.api
        self.ids: dict[str, str] = {}
        self.refresh()

    def refresh(self) -> None:
        """Name everything that is there; what had a name keeps it, as archived twins change theirs."""
        for org in self.get("/v1/orgs", None)["data"]:
            is_default = org["id"] == self.world.org
            self._name(f"$org/{org['name']}", org["id"])
            for kind, path in COLLECTIONS.items():
                for item in reversed(self.get(path, org["id"])["data"]):
                    start = "$" if is_default else f"${org['name']}/"
                    title = _title(kind, item)
                    self._name(f"{start}{kind}/{title}", item["id"])
                    if kind in ("mcp", "skill"):
                        self._name(f"{start}uuid/{title}", str(UUID(item["id"].partition("_")[2])))
                    below = {"channel": item.get("channels") or ()}
                    if kind == "agent":
                        below["version"] = self.get(f"/v1/agents/{item['id']}/versions", org["id"])
                    for sort, children in below.items():
                        for number, child in enumerate(children, 1):
                            self._name(f"{start}{sort}/{title}/{number}", child["id"])

    def _name(self, name: str, ident: str) -> None:
        if ident not in self.ids.values():
            taken = sum(known == name or known.startswith(f"{name}#") for known in self.ids)
            self.ids[f"{name}#{taken + 1}" if taken else name] = ident

    def get(self, path: str, org: str | None) -> Any:
        """Read as the platform's owner."""
        return self.send("GET", path, None, org)

    def send(self, method: str, path: str, body: Any, org: str | None) -> Any:
        """Send a request that must succeed."""
        reply = self.http.request(method, path, json=body, headers={"X-Org-Id": org} if org else {})
        assert reply.is_success, f"{method} {path}: {reply.text}"
        return reply.json() if reply.content else None

    def known(self, value: Any) -> Any:
        """Put ids where a case has names."""
        text = json.dumps(value)
        for name in sorted(self.ids, key=len, reverse=True):
            text = text.replace(json.dumps(name)[1:-1], self.ids[name])
        return json.loads(text)

    def named(self, value: Any) -> Any:
        """Put names where an answer has ids."""
        text = json.dumps(value)
        for name, ident in self.ids.items():
            text = text.replace(ident, json.dumps(name)[1:-1])
        return json.loads(re.sub(r"\b(archived|renaming)([ -])[0-9a-f]{8}\b", r"\1\2...", text))

    def carry_out(self, requests: Any) -> None:
        """Send the requests of a case."""
        for line, body in _lines(requests):
            method, path, *at = self.known(line).split(" ")
            self.send(method, path, self.known(body), at[0].removeprefix("@") if at else self.world.org)
            self.refresh()


def _lines(requests: Any) -> Iterator[tuple[str, Any]]:
    """Yield each request of a case with its body; one without a body is plain text."""
    for request in requests or ():
        yield (request, None) if isinstance(request, str) else next(iter(request.items()))


class Run:
    """Our side of a case: the run on one page, with the secrets and settings of the case."""

    def __init__(self, world: Any, case: dict[str, Any], server: Server) -> None:
        self.world, self.case, self.server = world, case, server

    @property
    def settings(self) -> Settings:
        """The settings of the case; one change at a time, so that the order of the requests is the plan's."""
        return Settings(
            manifests=(str(self.world.folder),),
            api_url=LOCAL_URL,
            api_key=LOCAL_KEY,
            org_id=self.server.known(self.case.get("org_id")),
            parallelism=1,
        )

    def write(self, manifests: str | dict[str, str]) -> None:
        """Write the manifests in place of those before."""
        for path in self.world.folder.rglob("*.*"):
            path.unlink()
        files = {"fleet.yaml": manifests} if isinstance(manifests, str) else manifests
        for name, text in files.items():
            path = self.world.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.server.known(text), encoding="utf-8")

    def plan(self, declared: Sequence[Desired] | None = None) -> Plan:
        """Plan what is written, or what is said to be declared; a plan sends nothing but reads."""
        self.world.forget()
        declared = read_manifests(self.settings.manifests) if declared is None else declared
        wanted = want(declared, self.settings, ledger=self.world.ledger, config=self.world.config)
        plan = make_plan(wanted, self.settings, client=self.world.reader())
        assert not self.world.writes
        return plan

    def own(self) -> None:
        """Make what is live and declared ours, whether it agrees or not, as if it had been ours for long.

        What is to be archived was ours as well, before git said so; where both cannot be had at once, one by one.
        """
        with suppress(ManifestError):
            declared = read_manifests(self.settings.manifests)
            going = [replace(one, archive=False) for one in declared if one.archive]
            staying = [one for one in declared if not one.archive]
            for each in ([*going, *staying], going, staying):
                with suppress(ManifestError):
                    self._take_over(each)

    def _take_over(self, declared: Sequence[Desired]) -> None:
        take = partial(adopt, client=self.world.reader(), keeper=self.world.keeper, also_differing=True)
        take(self.plan(declared), chosen=lambda _address: True)

    def apply(self, plan: Plan) -> list[Any]:
        """Apply a plan, insist that it converged, and return the writes as a case spells them."""
        self.world.forget()
        applied = apply_plan(
            plan,
            self.settings,
            client=self.world.writer(),
            keeper=self.world.keeper,
            listen=lambda _news: None,
            recheck=True,
        )
        sent = list(self.world.writes)
        assert applied.exit_codes == (Exit.DONE,), applied
        self.server.refresh()
        return [self._spelled(one) for one in sent]

    def _spelled(self, one: Any) -> Any:
        place = "" if one.org in (None, self.world.org) else f" @{one.org}"
        line = self.server.named(f"{one.method} {one.path}{place}").replace("@$org/", "@")
        body = {key: value for key, value in one.body.items() if key != "id"} if one.body else one.body
        return line if body is None else {line: self.server.named(body)}


def _shown(change: Change) -> str:
    return " ".join([change.action.symbol, str(change.address), *(field.name for field in change.fields)])


def _faults(error: ManifestError, folder: Path) -> list[str]:
    return [
        f"{one.path.removeprefix(f'{folder}/')}:{one.line}:{one.column} {one.message}" for one in located(error.faults)
    ]


def _load(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return case


@pytest.mark.parametrize("name", CASES)
def test_scenario(name, open_world, monkeypatch):
    """The plan and its requests are those of the case; planned again there is nothing to do, and nothing is sent."""
    case = _load(CASES[name])
    for variable, value in case.get("env", {}).items():
        monkeypatch.setenv(variable, value)
    with open_world(**case.get("server", {})) as world:
        server = Server(world)
        run = Run(world, case, server)
        if "applied" in case:
            run.write(case["applied"])
            run.apply(run.plan())
        server.carry_out(case.get("live"))
        run.write(case["manifests"])
        world.adopt = "exact"
        if not case.get("foreign"):
            run.own()
        world.adopt = case.get("adopt", "exact" if case.get("foreign") else "overwrite")
        if "faults" in case:
            with pytest.raises(ManifestError) as caught:
                run.plan()
            assert [server.named(fault) for fault in _faults(caught.value, world.folder)] == case["faults"]
            assert not world.writes
            return
        plan = run.plan()
        notes = [note for change in plan.changes for note in change.notes]
        assert [server.named(_shown(change)) for change in plan.changes] == case.get("plan", [])
        assert server.named(notes) == case.get("notes", [])
        assert server.named([one.message for one in plan.refusals]) == case.get("refused", [])
        if plan.refusals:
            with pytest.raises(PlanRefused):
                run.apply(plan)
            assert not world.writes
            return
        assert run.apply(plan) == case.get("requests", [])
        _check_after(case, server)
        again = run.plan()
        assert again.is_empty, [_shown(change) for change in again.changes]
        assert run.apply(again) == []


def _check_after(case: dict[str, Any], server: Server) -> None:
    for line, members in _lines(case.get("after")):
        answer = server.named(server.get(server.known(line.removeprefix("GET ")), server.world.org))
        assert {key: answer.get(key) for key in members} == members


@pytest.mark.parametrize("name", CASES)
def test_case_is_well_formed(name):
    """A case says why, knows no other keys than the table above, and expects a plan or faults, never both."""
    case = _load(CASES[name])
    assert case["why"].strip().endswith(".")
    assert set(case) <= KEYS | OUTCOME | {"faults"}
    assert "manifests" in case
    assert not OUTCOME & set(case) if "faults" in case else "plan" in case


def test_every_case_says_something_of_its_own():
    """No two cases give the same reason."""
    reasons = Counter(_load(path)["why"] for path in CASES.values())
    assert [reason for reason, times in reasons.items() if times > 1] == []


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.managed])
def test_managed_kind_has_scenarios(kind):
    """Every managed kind has cases in its folder."""
    assert [name for name in CASES if name.startswith(f"{kind}/")]


@pytest.mark.parametrize("type_", CONFIGS)
def test_channel_type_has_scenario(type_):
    """Every type of channel is created by a case of its own."""
    case = _load(CASES[f"Channel/create_{type_}"])
    assert any(line.startswith("+ ") and "/Channel/" in line for line in case["plan"])
    assert type_ in str(case["manifests"])


def test_folders_are_kinds():
    """A case stands in the folder of a managed kind, so that none is lost to a misspelling."""
    assert {name.split("/")[0] for name in CASES} == {kind.name for kind in KINDS if kind.managed}
