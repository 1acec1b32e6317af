"""The parts of a job by themselves: its environment, markers, commands, outputs, reasons, what was reviewed."""

import json
from dataclasses import replace

import pytest
from git import Actor, Repo

from reconciler.ci.answers import limit_of
from reconciler.ci.environment import read_environment
from reconciler.ci.forge import Forge, Post
from reconciler.ci.marker import Fleet, among, mark, mark_of, remembered_by
from reconciler.ci.reason import reason_of
from reconciler.ci.reviewed import difference, memory_of, recall, reviewable, sent_again, without_syncs
from reconciler.ci.step import Annotation, commands, write_outputs
from reconciler.errors import ForgeError, OutputError, UsageError
from reconciler.plan.change import Action, Change
from reconciler.plan.plan import Plan
from reconciler.resource import Address

from ..cli.conftest import serving  # noqa: TID252 - tests are found by path
from .github import JOB_TOKEN, REPOSITORY, GitHub, limited, used_up

HOME = {"GITHUB_REPOSITORY": "acme/fleet"}


def event(tmp_path, told):
    """Write a payload and return the environment that leads to it."""
    path = tmp_path / "event.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    return {**HOME, "GITHUB_EVENT_PATH": str(path)}


def pull_request(home):
    """Return the payload of a pull request whose head is in some repository."""
    base = {"ref": "main", "sha": "b", "repo": {"full_name": "acme/fleet"}}
    return {"pull_request": {"number": 1, "base": base, "head": {"sha": "h", "repo": home}}}


@pytest.mark.parametrize(
    ("home", "actor", "why"),
    [
        ({"full_name": "acme/fleet"}, "ada", None),
        ({"full_name": "mallory/fleet"}, "ada", "a fork's pull request has no secrets"),
        (None, "ada", "a fork's pull request has no secrets"),
        ({"full_name": "acme/fleet"}, "dependabot[bot]", "a pull request of Dependabot has no secrets"),
    ],
)
def test_who_has_no_secrets(tmp_path, home, actor, why):
    """A fork, one that is gone since, and Dependabot."""
    env = event(tmp_path, pull_request(home)) | {"GITHUB_ACTOR": actor}
    assert read_environment(env).why_offline == why


@pytest.mark.parametrize("told", ["no JSON", '{"pull_request": {"number": 1}}', '{"repository": 3}'])
def test_a_payload_that_is_none_is_refused(tmp_path, told):
    """With what to do instead."""
    with pytest.raises(UsageError):
        read_environment(event(tmp_path, told))


def test_a_token_is_not_shown():
    """Not even by the value's own repr."""
    assert "sesame" not in repr(read_environment({**HOME, "GITHUB_TOKEN": "sesame"}))


@pytest.mark.parametrize("name", ["production", "a-->b", "a b", "--", "ü"])
def test_a_marker_remembers(name):
    """For its purpose and environment alone, and it is one whole HTML comment."""
    for fleet in (Fleet(name, "a/b"), Fleet("x", name)):
        line = mark("plan", fleet, {"digest": "x"})
        assert line.index("-->") == len(line) - 3
        assert mark_of(f"{line}\r\nrest") == ("plan", fleet, {"digest": "x"})
        assert mark_of(f"\n{line}") is None


def test_a_text_is_of_one_fleet():
    """For its purpose, environment and manifests alone; one that names no manifests is there for who has none."""
    old, mine, other = (Post(1, mark("plan", Fleet("x", root), {}), "") for root in ("", "a", "b"))
    aside = [Post(1, mark("drift", Fleet("x", "a"), {}), ""), Post(1, mark("plan", Fleet("y", "a"), {}), "")]
    earlier = Post(1, "<!-- reconciler:plan:x eJyrrgUAAXUA+Q== -->", "")
    assert among([old, other, mine, *aside], "plan", Fleet("x", "a")) == [mine]
    assert among([old, earlier, other, *aside], "plan", Fleet("x", "a")) == [old, earlier]
    assert among([other, *aside], "plan", Fleet("x", "a")) == []


@pytest.mark.parametrize("data", ["", "AAAA", "eJyrVkosLcnILwIADZMDZg==", "!"])
def test_a_marker_that_was_damaged_remembers_nothing(data):
    """It never raises."""
    assert not remembered_by(f"<!-- reconciler:plan:x:a {data} -->")


def test_annotations_are_worst_first_and_ten_of_a_kind(tmp_path):
    """Escaped, so that none is cut or another command."""
    many = [Annotation("warning", "w", "later")] + [Annotation("error", "e", f"{n}", rank=2) for n in range(12)]
    worst = Annotation("error", "a:b,c", "x\n::y 5%", str(tmp_path / "m.yaml"), 3, 7, rank=0)
    lines = list(commands([*many, worst], top=tmp_path))
    assert lines[0] == "::error title=a%3Ab%2Cc,file=m.yaml,line=3,col=7::x%0A::y 5%25"
    assert len(lines) == 11
    assert lines[9] == "::error title=And more::and 4 more: see the summary of this job"
    assert lines[10] == "::warning title=w::later"


def test_an_output_cannot_end_itself(tmp_path):
    """Whatever stands in it is its value."""
    file = tmp_path / "output"
    write_outputs(file, {"a": "x\nb<<EOF\ny"})
    first, *rest, last = file.read_text().splitlines()
    assert first == f"a<<{last}"
    assert rest == ["x", "b<<EOF", "y"]
    with pytest.raises(OutputError):
        write_outputs(tmp_path, {"a": "x"})


def test_a_reason_fits(tmp_path):
    """The subject gives way; commit, pull request and run stay."""
    repo = Repo.init(tmp_path)
    ada = Actor("Ada", "ada@example.com")
    repo.index.commit("Say " + "why " * 100, author=ada, committer=ada)
    repo.close()
    url = "https://github.example/" + "x" * 850
    said = reason_of(str(tmp_path), sha="a" * 40, number=12, run_url=url)
    assert len(said) == 1000
    assert said.startswith("aaaaaaaaaaaa Say why")
    assert said.endswith(f"… (pull request #12) {url}")
    short = reason_of(str(tmp_path), sha="a" * 40, number=None, run_url="")
    assert short.startswith("aaaaaaaaaaaa Say why why")
    assert "pull request" not in short


def change(name, action=Action.UPDATE, **members):
    """Make a step."""
    return Change(Address("acme", "Agent", name), action, name, **members)


def test_the_difference_to_what_was_reviewed():
    """New steps, other content, another action, steps that are gone; what is the same is not told."""
    before = Plan((change("a"), change("b"), change("c"), change("d")))
    after = Plan((change("a"), change("b", id="x"), change("c", Action.CREATE), change("e")))
    reviewed = recall(json.loads(json.dumps(memory_of(before, head="h"))))
    assert (reviewed.digest, reviewed.count, reviewed.head) == (before.digest, 4, "h")
    assert dict(difference(reviewed, before)) == {}
    assert dict(difference(reviewed, after)) == {
        "acme/Agent/b": "update: was reviewed with other content",
        "acme/Agent/c": "create: was to update",
        "acme/Agent/e": "update: was not in the plan that was reviewed",
        "acme/Agent/d": "was to update, and no longer is",
    }


def test_a_sync_need_not_be_reviewed():
    """Whether one is due lies with a branch that moves by itself: it may come, go, and be to another commit."""
    sync = Change(Address("acme", "Memory", "docs"), Action.SYNC, "docs", notes=("its branch moved on",))
    before = Plan((change("a"), sync))
    for after in (Plan((change("a"),)), Plan((change("a"), replace(sync, notes=("its branch moved on again",))))):
        reviewed = recall(memory_of(before, head="h"))
        assert reviewed.digest == without_syncs(after).digest
        assert dict(difference(reviewed, after)) == {}
    assert without_syncs(before).digest != without_syncs(Plan((change("b"), sync))).digest


def test_a_large_plan_is_remembered_by_its_digest():
    """Its steps would not leave room for the comment."""
    plan = Plan(tuple(change(f"n{number}") for number in range(5_000)))
    memory = memory_of(plan, head="")
    assert len(mark("plan", Fleet("x", "a"), memory)) < 1_000
    reviewed = recall(memory)
    assert (reviewed.digest, reviewed.count, list(difference(reviewed, replace(plan, changes=())))) == (
        plan.digest,
        5_000,
        [],
    )


@pytest.mark.parametrize("memory", [{}, {"digest": 3, "head": [], "count": "x", "steps": [1]}])
def test_an_odd_memory_is_none(memory):
    """It is no review."""
    assert recall(memory).digest == ""


def test_a_new_value_that_replaces_a_resource_is_for_review():
    """An update that sends a secret is none; what goes and is made anew for it is not done unseen."""
    sales, bot = (change(name, Action.CREATE) for name in ("sales", "bot"))
    bare = Plan(changes=(sales,))
    sent = replace(bot, action=Action.UPDATE)
    plan = Plan(changes=(sent, replace(sales, after=(sent.step,))))
    assert sent_again(plan, bare) == (sent,)
    assert reviewable(plan, bare) is bare
    plan = Plan(changes=(sales, bot))
    assert reviewable(plan, bare) is plan


LIMITS = [
    (403, {"Retry-After": "30"}, "You have exceeded a secondary rate limit.", 30),
    (429, {"retry-after": "0"}, "", 1),
    (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1040"}, "API rate limit exceeded", 41),
    (429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "900"}, "", 1),
    (403, {}, "You have exceeded a secondary rate limit.", 60),
    (429, {}, "", 60),
    (403, {"X-RateLimit-Remaining": "17", "X-RateLimit-Reset": "1040"}, "Resource not accessible", None),
    (502, {"Retry-After": "30"}, "", None),
]


@pytest.mark.parametrize(("status", "headers", "message", "wait"), LIMITS)
def test_a_limit_says_for_how_long(status, headers, message, wait):
    """By the header for it, by when a limit begins anew, or not at all: then it is a minute."""
    assert limit_of(status, headers, message, now=1000.0) == wait


def test_a_limit_that_lasts_too_long_is_not_waited_for(tmp_path):
    """Two minutes are, for one request and in all; a job that waits for an hour tells nobody anything."""
    github, slept = GitHub(), []
    github.stumbles = [limited(seconds=50), limited(seconds=60), limited(seconds=20), used_up(seconds=3600)]
    with serving(github) as url:
        env = {"GITHUB_API_URL": url, "GITHUB_TOKEN": JOB_TOKEN}
        forge = Forge(read_environment({"GITHUB_REPOSITORY": REPOSITORY, **env}), sleep=slept.append)
        for _ in range(2):
            with pytest.raises(ForgeError, match="GitHub's limit is reached") as caught:
                forge.comment(7, "Hello")
            assert not caught.value.may_pass
        assert forge.comment(7, "Hello").body == "Hello"
        forge.close()
    assert slept == [50, 60]
    assert len(github.comments[7]) == 1
