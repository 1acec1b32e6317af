"""Every exit code, brought about as it happens in life."""

import pytest

USAGE = [
    (["plan", "--bogus"], "--bogus"),
    (["plan", "--parallelism", "0"], "1<=x<=64"),
    (["plan", "--parallelism", "65"], "1<=x<=64"),
    (["plan", "--parallelism", "many"], "many"),
    (["plan", "--reason", "x"], "--reason"),
    (["plan", "-f", "nowhere"], "cannot read nowhere"),
    (["plan", "-f", "empty"], "no manifests found"),
    (["plan", "surplus"], "surplus"),
    (["plan", "--local", "--api-url", "http://127.0.0.1:1"], "exclude each other"),
    (["plan", "--target", "Agent/nobody"], "matches no declared resource"),
    (["plan", "--exclude", "Agent/nobody"], "matches no declared resource"),
    (["plan", "--org", "nobody"], "no manifest belongs to it"),
    (["plan", "--api-url", "everruns.example"], "is not a URL"),
    (["plan", "--api-url", "http://everruns.example"], "not https"),
    (["plan", "--api-url", "https://me:secret@everruns.example"], "must not carry credentials"),
    (["apply"], "no terminal to ask on"),
    (["apply", "nowhere.plan"], "cannot read nowhere.plan"),
    (["apply", "a.plan", "-f", "manifests"], "-f has no say in it"),
    (["apply", "a.plan", "--target", "Agent/triage"], "--target has no say in it"),
    (["apply", "-y", "--reason", " "], "--reason is empty"),
    (["apply", "-y", "--reason", "x" * 1001], "1001 characters"),
    (["apply", "-y", "--reason", "a\x1bb"], "control characters"),
    (["apply", "-y", "--local", "--api-url", "http://127.0.0.1:1"], "exclude each other"),
    (["frobnicate"], "no such verb: frobnicate"),
    (["completion", "tcsh"], "tcsh"),
    (["emulator", "--port", "65536"], "65536"),
]


@pytest.mark.parametrize(("arguments", "says"), USAGE, ids=lambda value: " ".join(value)[:40])
def test_wrong_usage(site, arguments, says):
    """Flags that cannot work are wrong usage, said in a sentence, and nothing is written."""
    site.agents("triage")
    (site.folder / "empty").mkdir()
    ran = site.run(*arguments)
    assert ran.code == 64
    assert says in ran.err
    assert "secret" not in ran.text
    assert not site.lines


def test_done_and_nothing_to_do(site):
    """0 is done, and nothing to do."""
    site.agents("triage")
    assert site.run("plan").code == 0
    assert site.run("apply", "--auto-approve").code == 0
    assert "No changes." in site.run("apply", "--auto-approve").out


def test_changes_pending(site):
    """2 is changes pending, for who asks for it."""
    site.agents("triage")
    assert site.run("plan", "--detailed-exitcode").code == 2
    site.converge()
    assert site.run("plan", "--detailed-exitcode").code == 0


def test_faults_in_manifests(site):
    """1 is faults in the manifests, for every verb that reads them, before the platform is asked anything."""
    site.write("manifests/a.yaml", "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {name: a}\nspec: {}\n")
    for arguments in (["validate"], ["plan"], ["apply", "--auto-approve"]):
        ran = site.run(*arguments)
        assert ran.code == 1
        assert "manifests/a.yaml:4:1: system_prompt is missing" in ran.err
    assert not site.world.sent


def test_stale_plan_names_what_moved(site):
    """5 is a plan that is stale: what moved is named, nothing is written; a new plan sees what is not ours."""
    site.agents("one", "two")
    site.converge()
    site.agents("one", "two", prompt="Help more.")
    site.agents("three", file="manifests/more.yaml")
    assert site.run("plan", "--out", "a.plan").code == 0
    one = site.world.one("agents", "one")["id"]
    site.world.api.patch(f"/v1/agents/{one}", json={"system_prompt": "Meddled with."})
    site.world.post("/v1/agents", name="three", system_prompt="Was here first.")
    site.world.forget()
    ran = site.run("apply", "a.plan")
    assert ran.code == 5
    assert "default/Agent/one was changed on the platform" in ran.err
    assert "default/Agent/three exists on the platform by now" in ran.err
    assert "Agent/two" not in ran.err
    assert not site.lines
    (event,) = site.run("apply", "a.plan", "--json").of("error")
    assert sorted(event["moved"]) == ["default/Agent/one", "default/Agent/three"]
    assert site.run("plan").code == 4
    site.write("manifests/reconciler.yaml", "adopt: overwrite\n")
    site.converge()


def test_partly_applied(site):
    """6 is partly applied: what failed is named with the platform's words, what depends on it is blocked."""
    site.agents("one", "two")
    site.write(
        "manifests/app.yaml",
        "apiVersion: everruns.reconciler/v1\nkind: App\nmetadata: {name: bot}\n"
        "spec: {harness: generic, agent: one, channels: [{name: chat, type: ag_ui}]}\n",
    )
    refusal = {"title": "Bad Request", "status": 400, "detail": "The moon is in the wrong house"}
    site.world.meddler.instead("POST", "/v1/agents", (400, refusal))
    ran = site.run("apply", "--auto-approve", "--parallelism", "1")
    assert ran.code == 6
    assert "The moon is in the wrong house" in ran.out
    assert "blocked default/App/bot by default/Agent/one" in ran.out
    assert "Applied: 1 done, 1 failed, 2 blocked." in ran.out
    assert site.lines == ["POST /v1/agents", "POST /v1/agents"]
    site.converge()
    assert [agent["name"] for agent in site.world.live("agents")] == ["one", "two"]


def test_nothing_applied(site):
    """1 is an error: when every change failed, nothing was partly applied."""
    site.agents("one")
    site.world.meddler.instead("POST", "/v1/agents", (400, {"title": "Bad Request", "status": 400, "detail": "No."}))
    ran = site.run("apply", "--auto-approve", "--json")
    assert ran.code == 1
    assert [event["status"] for event in ran.of("outcome")] == ["failed"]


def test_not_converged(site):
    """7 is applied but not converged: the server took the write and keeps something else, which is shown."""
    site.agents("triage")
    site.converge()
    site.agents("triage", prompt="Help more.")

    def altered(answer):
        for agent in answer["data"]:
            agent["system_prompt"] = agent["system_prompt"].replace("more", "less")
        return answer

    site.world.meddler.edit("GET", "/v1/agents", altered, skip=1, times=None)
    ran = site.run("apply", "--auto-approve")
    assert ran.code == 7
    assert "differs default/Agent/triage" in ran.out
    assert "Help more." in ran.out
    assert "Help less." in ran.out
    assert "Not converged: 1 resource read back not as written." in ran.out


def test_server_that_ignores_a_null(site):
    """A server that takes null for unchanged is found out, too: success is proved, never assumed."""
    document = "apiVersion: everruns.reconciler/v1\nkind: Organization\nmetadata: {name: acme}\n"
    site.write("manifests/org.yaml", document + "spec: {default_model: gpt-4o}\n")
    site.converge()
    site.write("manifests/org.yaml", document + "spec: {default_model: null}\n")
    ran = site.run("apply", "--auto-approve", "--json")
    assert ran.code == 7
    (remainder,) = ran.of("remainder")
    assert remainder["address"] == "acme/Organization/acme"


def test_frozen_server(open_site):
    """A server that only reads apps any more is found out before anything is written."""
    with open_site(profile="frozen") as site:
        refusal = {"title": "Bad Request", "status": 400, "detail": "Invalid app ID: config"}
        site.world.meddler.instead("GET", "/v1/apps/config", (400, refusal), times=None)
        site.agents("one")
        site.write(
            "manifests/app.yaml",
            "apiVersion: everruns.reconciler/v1\nkind: App\nmetadata: {name: bot}\nspec: {harness: generic}\n",
        )
        ran = site.run("apply", "--auto-approve")
        assert ran.code == 1
        assert "this server has frozen apps" in ran.err
        assert not site.lines
        site.converge("--exclude", "App/*")
