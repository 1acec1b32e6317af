"""The law of taint for jobs: no value of a secret, no key and no token in a comment, an issue, a summary or a file."""

from ..cli.conftest import KEY  # noqa: TID252 - tests are found by path
from ..no_secret import leaked  # noqa: TID252 - tests are found by path
from .github import JOB_TOKEN

VALUE = "sesame-0-open-00000"
BOT = """apiVersion: everruns.reconciler/v1
kind: App
metadata: {name: bot}
spec:
  harness: generic
  agent: triage
  channels: [{name: in, type: webhook, config: {token: {env: DESK_TOKEN}, message: Go.}}]
"""


def test_no_value_comes_out_of_any_job(yard):
    """Planned, faulty, refused, applied, failed, drifted and healed."""
    yard.env["DESK_TOKEN"] = VALUE
    yard.write("manifests/bot.yaml", BOT)
    yard.push()
    said = []

    def run(job, *arguments):
        ran = job(*arguments, "--debug")
        said.extend([ran.text, yard.summary, *yard.output.values()])
        return ran

    assert run(yard.plan).code == 0
    yard.write("manifests/bad.yaml", BOT.replace("{env: DESK_TOKEN}", VALUE).replace("name: bot", "name: bad"))
    assert run(yard.plan).code == 1
    (yard.folder / "manifests/bad.yaml").unlink()
    assert run(yard.plan).code == 0
    yard.merge()
    echo = (400, {"title": f"no {VALUE}", "detail": f"{VALUE} {KEY}", "status": 400})
    yard.world.meddler.instead("POST", "/v1/apps", echo, times=1)
    assert run(yard.apply).code == 1
    assert run(yard.apply, "--replan").code == 0
    assert any(VALUE in str(write.body) for write in yard.world.writes)
    triage = yard.world.one("agents", "triage")["id"]
    yard.world.api.patch(f"/v1/agents/{triage}", json={"system_prompt": "Moved."})
    run(yard.drift, "--sarif", "d.sarif", "--junit", "d.xml")
    assert run(yard.drift, "--heal").code == 0
    files = [path for path in yard.folder.rglob("*") if path.is_file() and path.name != "bad.yaml"]
    said += [path.read_bytes().decode(errors="replace") for path in files]
    assert len(yard.github.texts) > 4
    assert leaked("\n".join([*said, *yard.github.texts]), [VALUE, KEY, JOB_TOKEN]) == []
