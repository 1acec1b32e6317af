"""Live values taken into the files that declare them: the right file, each whole or none, secrets never."""

import errno
import os
import shutil
import stat
from pathlib import Path

import pytest

from reconciler.errors import CannotAmend
from reconciler.kinds.contents import spelled
from reconciler.kinds.fields import SET, SecretRef
from reconciler.manifest.amend import REMOVED
from reconciler.manifest.load import load
from reconciler.manifest.resolve import resolve
from reconciler.manifest.rewrite import Draft, drafts, save
from reconciler.manifest.substance import Taken

AGENT = """\
apiVersion: everruns.reconciler/v1
kind: Agent
metadata: {name: triage}   # the address
spec:
  system_prompt: {file: ../prompts/triage.md}   # long
  max_iterations: 5  # few
  tags: [z, a]
  initial_files:
    - {path: /workspace/B.md, content: {file: ../files/b.md}}
    # the second
    - path: /workspace/A.md
      content: short
  mcpServers:
    crm:
      url: https://crm.example/v1
      headers: {Authorization: {env: CRM}}
"""
APP = """\
apiVersion: everruns.reconciler/v1
kind: App
metadata: {name: bot}
spec:
  harness: generic
  channels:
    - name: care
      type: slack
      config: {bot_token: {env: BOT}, signing_secret: {file: ../secrets/signing}}
    - name: hook
      type: webhook
      config:
        token: {env: HOOK}
        message: {file: ../prompts/hook.md}
"""
OTHER = AGENT.replace("triage}", "other}").replace("../files/b.md", "../files/c.md")
FILES = {"agents/triage.yaml": AGENT, "apps/bot.yaml": APP}
TEXTS = {"prompts/triage.md": "Old.\nTwo.\n", "files/b.md": "B", "files/c.md": "B", "prompts/hook.md": "Hi {{body}}"}


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    """Stand in a folder with manifests in `m`; return what writes one more file there."""
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        place = tmp_path / "m" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())

    for name, text in (FILES | TEXTS).items():
        write(name, text)
    return write


def take(*wanted, manifests="m"):
    """Take (file, path, value) into the manifests, without writing; return the drafts."""
    loaded = load([manifests])
    assert loaded.faults == []
    sources = {one.source.file.path: one.source for one in loaded.documents}
    taken = [Taken(sources[f"m/{name}"], path, value) for name, path, value in wanted]
    return drafts(taken, sources=[one.source for one in loaded.documents], roots=loaded.roots)


def texts(found):
    """Return the new text of each file."""
    return {one.path: one.after.decode() for one in found}


def refused(*wanted, why):
    """Insist on a refusal that says why and what to do."""
    with pytest.raises(CannotAmend, match=why) as caught:
        take(*wanted)
    assert caught.value.hint


A, P = "agents/triage.yaml", "apps/bot.yaml"


def test_a_value_is_taken_into_its_manifest(fleet):
    """A changed value stands in its place, everything else is as it was; nothing is written before `save`."""
    found = take((A, ("spec", "max_iterations"), 7), (A, ("spec", "tags"), REMOVED))
    after = AGENT.replace(": 5  # few", ": 7  # few").replace("  tags: [z, a]\n", "")
    assert texts(found) == {"m/agents/triage.yaml": after}
    assert Path("m/agents/triage.yaml").read_text() == AGENT
    save(found)
    assert Path("m/agents/triage.yaml").read_text() == after


def test_what_is_there_already_is_no_draft(fleet):
    """Present values, texts in files among them, change nothing."""
    assert take((A, ("spec", "max_iterations"), 5), (A, ("spec", "system_prompt"), TEXTS["prompts/triage.md"])) == []


def test_a_text_is_changed_in_its_file(fleet):
    """A text that is `{file: ...}` is taken into that file, the manifest stays; in a list and in a channel, too."""
    files = [{"path": "/workspace/A.md", "content": "short"}, {"path": "/workspace/B.md", "content": "BB"}]
    found = take(
        (A, ("spec", "system_prompt"), "New.\nTwo.\n"),
        (A, ("spec", "initial_files"), files),
        (P, ("spec", "channels", 1, "config", "message"), "Ho {{body}}"),
    )
    assert texts(found) == {
        "m/prompts/triage.md": "New.\nTwo.\n",
        "m/files/b.md": "BB",
        "m/prompts/hook.md": "Ho {{body}}",
    }


def test_texts_come_before_the_manifests(fleet):
    """Where both change, the text is first."""
    found = take((A, ("spec", "max_iterations"), 7), (A, ("spec", "system_prompt"), "New."))
    assert [one.path for one in found] == ["m/prompts/triage.md", "m/agents/triage.yaml"]


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        (b"one\r\ntwo\r\n", "one\n2\n", b"one\r\n2\r\n"),
        (b"one\ntwo\r\nthree\n", "one\ntwo\n3\n", b"one\ntwo\r\n3\n"),
        (b"\xef\xbb\xbfone\n", "two\n", b"\xef\xbb\xbftwo\n"),
        (b"one", "two", b"two"),
        (b"one\n", "two", b"two"),
        (b"one", "", b""),
    ],
)
def test_a_text_file_keeps_its_form(fleet, before, new, after):
    """Byte order mark and line ends stay; whether the last line ends is part of the text, and as on the platform."""
    Path("m/prompts/triage.md").write_bytes(before)
    (found,) = take((A, ("spec", "system_prompt"), new))
    assert (found.before, found.after) == (before, after)


@pytest.mark.parametrize("text", ["a\r\nb", "\ufeffa", "\ud800"])
def test_a_text_that_a_file_cannot_hold_is_refused(fleet, text):
    """What would be read from the file as something else is not put there."""
    refused((A, ("spec", "system_prompt"), text), why=r"prompts/triage\.md cannot hold this text")


def test_a_text_that_others_use_is_refused(fleet):
    """A file is not changed under another document; when all its readers want the same, it is."""
    fleet("agents/other.yaml", OTHER)
    one = (A, ("spec", "system_prompt"), "New.")
    refused(
        one, why=r"triage\.yaml: spec\.system_prompt cannot be changed alone: .*spec\.system_prompt in m/agents/other"
    )
    other = ("agents/other.yaml", ("spec", "system_prompt"), "New.")
    assert texts(take(one, other)) == {"m/prompts/triage.md": "New."}
    refused(one, ("agents/other.yaml", ("spec", "system_prompt"), "Else."), why="cannot be changed alone")


def test_a_list_without_order_keeps_the_one_it_has(fleet):
    """The platform's order of a set is no change; what is new comes last."""
    (found,) = take((A, ("spec", "tags"), ["a", "b", "z"]))
    assert "  tags: [z, a, b]\n" in found.after.decode()


def test_a_new_file_of_an_agent_stands_in_the_manifest(fleet):
    """An item that is new is written out, the others keep their comments and files."""
    files = [
        {"path": "/workspace/A.md", "content": "short"},
        {"path": "/workspace/B.md", "content": "B"},
        {"path": "/workspace/C.md", "content": "one\ntwo\n"},
    ]
    (found,) = take((A, ("spec", "initial_files"), files))
    added = "    - path: /workspace/C.md\n      content: |\n        one\n        two\n"
    assert found.after.decode() == AGENT.replace("  mcpServers:", added + "  mcpServers:")


SERVER = ("spec", "mcpServers", "crm")


def test_a_secret_stays_beside_what_changes(fleet):
    """A value compared as a whole comes with its secrets hidden: the manifest's references stay."""
    live = {"crm": {"url": "https://crm.example/v2", "headers": {"Authorization": SET}}}
    (found,) = take((A, ("spec", "mcpServers"), live))
    assert found.after.decode() == AGENT.replace("crm.example/v1", "crm.example/v2")
    own = {"Authorization": SecretRef(source="env", name="CRM")}
    assert take((A, (*SERVER, "headers"), own)) == []


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        (A, (*SERVER, "headers", "Authorization"), "Bearer x"),
        (A, (*SERVER, "headers", "Authorization"), {"env": "OTHER"}),
        (A, (*SERVER, "headers", "Authorization", "env"), "OTHER"),
        (A, (*SERVER, "headers", "Authorization"), REMOVED),
        (A, (*SERVER, "headers", "X-Key"), "sesame"),
        (A, (*SERVER, "headers", "X-Key"), SET),
        (A, (*SERVER, "headers"), {}),
        (P, ("spec", "channels", 0, "config", "bot_token"), REMOVED),
        (P, ("spec", "channels", 0, "config", "signing_secret"), "sesame"),
        (P, ("spec", "channels", 1, "config"), {"token": "sesame", "message": "x"}),
    ],
)
def test_a_secret_is_never_edited(fleet, name, path, value):
    """No secret is changed, removed, added or written in clear, and no value is repeated."""
    with pytest.raises(CannotAmend, match="is a secret, which is never taken from the platform") as caught:
        take((name, path, value))
    assert "sesame" not in caught.value.message


def test_what_has_a_secret_can_go_with_it(fleet):
    """A server or channel that is gone goes with its references."""
    (found,) = take((A, ("spec", "mcpServers"), REMOVED))
    assert found.after.decode() == AGENT.partition("  mcpServers:")[0]
    (found,) = take((P, ("spec", "channels", 0), REMOVED))
    assert "BOT" not in found.after.decode()
    assert "HOOK" in found.after.decode()


def test_the_file_is_named_where_it_cannot_be(fleet):
    """A refusal names file and place."""
    refused((A, ("spec", "nothing", 0), 1), why=r"^m/agents/triage\.yaml: spec\.nothing\[0\] leads nowhere$")


def test_stdin_cannot_be_amended(fleet):
    """What was piped in has no place to write to."""
    loaded = load(["-"], stdin=[AGENT.replace("../", "m/").encode()])
    source = loaded.documents[0].source
    with pytest.raises(CannotAmend, match="piped in"):
        drafts([Taken(source, ("spec", "max_iterations"), 6)], sources=[source], roots=loaded.roots)


MEMORY = """\
apiVersion: everruns.reconciler/v1
kind: Memory
metadata: {name: docs}
spec:
  source:
    type: github
    repository: https://github.com/acme/docs.git
    branch: main
    root_folder: docs/
  description: Old
"""


def test_what_agrees_stays_as_it_is_written(fleet):
    """Where the canonical value is known that the document declares, only what differs from it is written."""
    fleet("memories/docs.yaml", MEMORY)
    loaded = load(["m/memories/docs.yaml"])
    (one,) = resolve(loaded).desired
    source = dict(one.spec["source"])
    live = source | {"root_folder": "handbook"}
    taken = [Taken(one.source, ("spec", "source"), live, declared=source)]
    (found,) = drafts(taken, sources=[one.source], roots=loaded.roots)
    assert found.after.decode() == MEMORY.replace("docs/\n", "handbook\n")


def test_another_variant_brings_nothing_of_the_old_one(fleet):
    """Where the live value is of another type, what only the old one has goes."""
    fleet("memories/docs.yaml", MEMORY)
    loaded = load(["m/memories/docs.yaml"])
    (one,) = resolve(loaded).desired
    live = {"type": "git", "url": "https://git.example/docs.git"}
    taken = [Taken(one.source, ("spec", "source"), live, declared=one.spec["source"])]
    (found,) = drafts(taken, sources=[one.source], roots=loaded.roots)
    words = "  source:\n    type: git\n    url: https://git.example/docs.git\n  description: Old\n"
    assert found.after.decode() == MEMORY.partition("  source:")[0] + words


def test_a_default_that_is_written_stays(fleet):
    """What the canonical form leaves out on both sides is no reason to take it out of the manifest."""
    fleet("agents/triage.yaml", AGENT.replace("    crm:\n", "    crm:\n      type: http\n"))
    loaded = load(["m/agents/triage.yaml"])
    (one,) = resolve(loaded).desired
    declared = one.spec["mcpServers"]
    assert "type" not in declared["crm"]
    live = {"crm": declared["crm"] | {"url": "https://crm.example/v2", "headers": {"Authorization": SET}}}
    taken = [Taken(one.source, ("spec", "mcpServers"), live, declared=declared)]
    (found,) = drafts(taken, sources=[one.source], roots=loaded.roots)
    assert found.after.decode() == Path("m/agents/triage.yaml").read_text().replace("example/v1", "example/v2")


# --- onto the disk ---


def names():
    """Return every file below the manifests."""
    return sorted(path.as_posix() for path in Path("m").rglob("*") if path.is_file())


def test_a_file_that_changed_meanwhile_is_left_alone(fleet):
    """Somebody's edit wins, and no other file is written without the one it belongs to."""
    found = take((A, ("spec", "max_iterations"), 7), (A, ("spec", "system_prompt"), "New."))
    before = names()
    Path("m/agents/triage.yaml").write_text(AGENT + "# mine\n")
    with pytest.raises(CannotAmend, match=r"m/agents/triage\.yaml changed since it was read"):
        save(found)
    assert Path("m/agents/triage.yaml").read_text() == AGENT + "# mine\n"
    assert Path("m/prompts/triage.md").read_text() == TEXTS["prompts/triage.md"]
    assert names() == before


def test_rights_and_links_stay(fleet):
    """A file keeps its mode; a link stays a link, and what it leads to is written."""
    place = Path("m/agents/triage.yaml")
    place.rename("m/agents/real.txt")
    Path("m/agents/real.txt").chmod(0o640)
    place.symlink_to("real.txt")
    save(take((A, ("spec", "max_iterations"), 7)))
    assert place.is_symlink()
    assert ": 7  # few" in Path("m/agents/real.txt").read_text()
    assert stat.S_IMODE(Path("m/agents/real.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_refuses(fleet, monkeypatch, call):
    """What the disk does not allow is said, and nothing half written is left."""

    def full(*_arguments, **_flags):
        raise OSError(errno.ENOSPC, "No space left on device", "x")

    found = take((A, ("spec", "max_iterations"), 7))
    before = names()
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(CannotAmend, match="No space left on device"):
            save(found)
    assert names() == before


def test_a_file_that_is_gone(fleet):
    """A file that was removed meanwhile is not made anew."""
    found = take((A, ("spec", "max_iterations"), 7))
    Path("m/agents/triage.yaml").unlink()
    with pytest.raises(CannotAmend, match="cannot write"):
        save(found)
    assert "m/agents/triage.yaml" not in names()


def test_a_draft_shows_no_text():
    """What a file holds does not slip into a message."""
    assert "sesame" not in repr(Draft("a", b"sesame", b"sesame 2"))


# --- the example fleet ---

FREE = ("description", "display_name", "system_prompt", "max_iterations", "tags", "initial_files", "mcpServers")


def altered(value):
    """Return another value of the same form, as somebody could have made it on the platform."""
    match value:
        case {"content": content}:
            return value | {"content": f"{content}\nlive\n"}
        case {"url": url, **rest}:
            return rest | {"url": f"{url}/live"}
        case dict():
            return {key: altered(item) for key, item in value.items()}
        case [str(), *_]:
            return ["live", *value]
        case list():
            return [altered(item) for item in value]
        case str():
            return value.replace("e", "E", 1) + " (live)"
        case int():
            return value + 1
    return value


def test_the_example_fleet_takes_what_is_live(tmp_path, monkeypatch):
    """Other values for all that can be said freely: resolved again they are there, and the rest is as before."""
    shutil.copytree("manifests", tmp_path / "m")
    monkeypatch.chdir(tmp_path)
    loaded = load(["m"])
    before = resolve(loaded).desired
    live = {one.address: {key: altered(one.spec[key]) for key in FREE if key in one.spec} for one in before}
    wanted = {one.address: one.kind.canonical(one.spec | live[one.address]) for one in before}
    taken = [
        Taken(one.source, (*one.path, key), wanted[one.address][key], declared=one.spec[key])
        for one in before
        for key in one.spec
        if key in FREE
    ]
    lines = sum(path.read_text().count("\n") for path in Path("m").rglob("*.yaml"))
    save(drafts(taken, sources=[one.source for one in loaded.documents], roots=loaded.roots))
    again = resolve(load(["m"]))
    assert again.faults == []
    assert len(taken) > 80
    assert {one.address: one.spec for one in again.desired} == wanted
    assert sum(path.read_text().count("\n") for path in Path("m").rglob("*.yaml")) - lines < len(taken) / 4


def test_a_file_of_a_memory_within_the_manifest_is_not_taken_in(fleet):
    """A file whose content stands in the list has no place of its own, and that is told."""
    fleet("memories/notes.yaml", MEMORY_OF_FILES)
    why = "is a file on the platform whose content stands in the manifest"
    refused(("memories/notes.yaml", ("spec", "files", "/a.md"), "B."), why=why)


MEMORY_OF_FILES = """\
apiVersion: everruns.reconciler/v1
kind: Memory
metadata: {name: notes}
spec:
  files: [{path: a.md, content: A.}]
"""


HOME = "apiVersion: everruns.reconciler/v1\nkind: Memory\nmetadata: {name: notes}\nspec:\n"
FILE = "memories/notes.yaml"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ("{dir: ../kept}", "kept/guides/a.md"),
        ("[{path: guides/a.md, content: {file: ../kept/b.bin}}]", "kept/b.bin"),
    ],
)
def test_a_file_of_a_memory_is_taken_in_byte_for_byte(fleet, files, place):
    """What lies in the folder, or in a file that the list names, becomes what is live; the manifest stays."""
    fleet("kept/guides/a.md", "One.\r\n")
    fleet("kept/b.bin", "B")
    fleet(FILE, f"{HOME}  files: {files}\n")
    live = spelled(b"\xff\xfe\r\n\0")
    save(take((FILE, ("spec", "files", "/guides/a.md"), live)))
    assert Path("m", place).read_bytes() == b"\xff\xfe\r\n\0"
    assert Path("m", FILE).read_text() == f"{HOME}  files: {files}\n"


@pytest.mark.parametrize(
    ("more", "path", "value", "why"),
    [
        ("", "/b.md", "B.", "came or went on the platform"),
        ("", "/a.md", REMOVED, "came or went on the platform"),
        ("[{path: x.md, content: {file: ../kept/a.md}}]", "/a.md", "B.", "m/memories/other.yaml reads the same file"),
        ("{dir: ../kept}", "/a.md", "B.", "m/memories/other.yaml reads the same file"),
    ],
)
def test_a_file_of_a_memory_that_is_not_taken_in(fleet, more, path, value, why):
    """One that came or went is people's to make or remove, one that others read as well is not changed for one."""
    fleet("kept/a.md", "A.")
    fleet(FILE, f"{HOME}  files: {{dir: ../kept}}\n")
    if more:
        fleet("memories/other.yaml", f"{HOME.replace('notes', 'other')}  files: {more}\n")
    refused((FILE, ("spec", "files", path), value), why=why)
    assert Path("m/kept/a.md").read_text() == "A."
