"""reconciler.yaml: where it is looked for, what it says, and every fault with its place."""

import pytest

from reconciler.errors import ManifestError, UsageError
from reconciler.manifest.config import Config, Limit, read_config
from reconciler.manifest.load import load
from reconciler.manifest.locate import located
from reconciler.plan.verdict import Policy


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Give a working directory with a folder of manifests, and room above it."""
    folder = tmp_path / "fleet"
    (folder / "manifests" / "a").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def faults(folder, text):
    """Give what is wrong with a reconciler.yaml, as `line:column message (hint)`."""
    (folder / "reconciler.yaml").write_text(text)
    with pytest.raises(ManifestError) as caught:
        read_config(["manifests"])
    found = located(caught.value.faults)
    assert {fault.path for fault in found} == {"reconciler.yaml"}
    return [f"{fault.line}:{fault.column} {fault.message} ({fault.hint})" for fault in found]


def test_without_one_everything_is_as_ever(folder):
    """Without the file, or with an empty one, every rule is the default."""
    assert read_config(["manifests"]) == Config()
    (folder / "reconciler.yaml").write_text("# nothing yet\n")
    assert read_config(["manifests"]) == Config()
    assert (Config().limit, Config().limits, Config().adopt) == (Limit(30, 5), {}, "exact")


def test_what_it_says(folder):
    """Times become seconds, the path is the file's own folder's, and a kind's limit fills up from the general one."""
    (folder / "reconciler.yaml").write_text(
        "ledger: {backend: file, path: kept/here}\nenvironment: production\nmax_sync_age: 7d\n"
        "removal: {floor: 2, per_kind: {Agent: {percent: 10}, Channel: {floor: 0}}}\n"
    )
    config = read_config(["manifests"])
    assert (config.ledger.backend, config.ledger.path) == ("file", folder / "kept" / "here")
    assert (config.environment, config.max_sync_age) == ("production", 604_800)
    policy = Policy(config.limit, config.limits)
    limits = [policy.limit_of(kind) for kind in ("App", "Agent", "Channel")]
    assert limits == [Limit(30, 2), Limit(10, 2), Limit(30, 0)]
    (folder / "reconciler.yaml").write_text("ledger: {branch: ops/ledger, remote: up, lock_lasts: 90m}\n")
    place = read_config(["manifests"]).ledger
    assert (place.backend, place.branch, place.remote, place.lock_lasts) == (None, "ops/ledger", "up", 5400)


def test_where_it_is_looked_for(folder, monkeypatch):
    """In the root of the manifests and upwards to the repository's top, no further; the nearest one counts."""
    (folder / ".git").mkdir()
    monkeypatch.chdir(folder / "manifests" / "a")
    (folder.parent / "reconciler.yaml").write_text("environment: outside\n")
    assert read_config(["."]) == Config()
    (folder / "reconciler.yaml").write_text("environment: top\n")
    assert read_config(["."]).environment == "top"
    (folder / "manifests" / "reconciler.yaml").write_text("environment: near\n")
    assert read_config(["."]).environment == "near"
    assert read_config(["-"]).environment == "near"
    assert read_config([str(folder)]).environment == "top"


def test_outside_of_git_it_stands_beside_the_manifests(folder):
    """Outside of a repository nothing further up than one folder is taken for ours."""
    (folder / "reconciler.yaml").write_text("environment: beside\n")
    (folder / "manifests" / "a" / "x.yaml").write_text("")
    assert read_config(["manifests"]).environment == "beside"
    assert read_config(["manifests/a"]).environment is None
    assert read_config(["manifests/a/x.yaml"]).environment is None


def test_it_is_no_manifest(folder):
    """In the root of manifests it is not read as one; deeper down the name means nothing."""
    (folder / "manifests" / "reconciler.yaml").write_text("environment: x\n")
    (folder / "manifests" / "a" / "reconciler.yaml").write_text("kind: Agent\n")
    loaded = load(["manifests"])
    assert [document.source.file.path for document in loaded.documents] == ["manifests/a/reconciler.yaml"]


def test_manifests_with_different_rules(folder):
    """Manifests that stand below different files have no rules together."""
    (folder / "other").mkdir()
    for name in ("manifests", "other"):
        (folder / name / "reconciler.yaml").write_text("environment: x\n")
    with pytest.raises(UsageError, match=r"manifests/reconciler\.yaml and other/reconciler\.yaml"):
        read_config(["manifests", "other"])
    assert read_config(["manifests", "manifests/a"]).environment == "x"


def test_every_fault_is_told(folder):
    """Unknown keys and wrong values are told all at once, each at its place, with a way out."""
    assert faults(
        folder,
        "ledgr: {}\n"
        "ledger: {backend: gti, branch: -x, lock_lasts: 5}\n"
        "removal: {percent: 130, per_kind: {Agent: {floor: -1, flor: 2}}}\n"
        "max_sync_age: tomorrow\n"
        "environment: Prod\n",
    ) == [
        "1:1 unknown key ledgr (did you mean ledger?)",
        '2:19 "gti" is not allowed here (did you mean git?)',
        "2:32 is not a name that git knows: use letters, digits, - _ . and / (None)",
        "2:48 must be a number and its unit: 90s, 30m, 12h or 7d (None)",
        "3:20 must be at most 100 (None)",
        "3:51 must be at least 0 (None)",
        "3:55 unknown key flor (did you mean floor?)",
        "4:15 must be a number and its unit: 90s, 30m, 12h or 7d (None)",
        '5:14 "Prod" is not a name: use lowercase letters, digits and single hyphens (None)',
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("removal: {per_kind: {Agnt: {}}}\n", '1:22 unknown kind "Agnt" (did you mean Agent?)'),
        ("ledger: {backend: file, branch: x}\n", "1:25 a file has no branch (remove the line)"),
        ("ledger: {path: x}\n", "1:10 a path is only for a file (write backend: file beside it)"),
        ("ledger:\n", "1:8 must be a map, not null (remove the line)"),
        ("- a\n", "1:1 must be a map (for example removal: {percent: 10})"),
        ("a: 1\n---\nb: 2\n", "3:1 must be one document, not several (None)"),
        ("a: [\n", '1:5 a "[" or "{" above is never closed (None)'),
        ("environment: a\nenvironment: b\n", '2:1 duplicate key "environment" (first on line 1) (None)'),
    ],
)
def test_a_fault(folder, text, says):
    """Whatever is wrong is told at its place."""
    (told,) = faults(folder, text)
    assert told == says


def test_what_cannot_be_read(folder):
    """A file that is not UTF-8 is wrong usage, named."""
    (folder / "reconciler.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"reconciler\.yaml:1 is not UTF-8"):
        read_config(["manifests"])


def test_manifests_that_are_yet_to_come(folder):
    """A folder that an import is about to make has the rules it will have once it is there."""
    (folder.parent / "reconciler.yaml").write_text("environment: further up\n")
    assert read_config(["yet/to/come"]).environment is None
    assert read_config(["yet"]).environment is None
    (folder / "reconciler.yaml").write_text("environment: beside\n")
    assert read_config(["yet"]).environment == "beside"
