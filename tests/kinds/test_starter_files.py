"""Files that new sessions start with: from files and folders beside the manifest, bytes as base64, in one form."""

import base64

import pytest

from reconciler.errors import ManifestError
from reconciler.kinds import BY_NAME
from reconciler.kinds.traits import beside, sets

PNG = b"\x89PNG\r\n\x1a\n\x00\xff"


def files(world):
    """Give what the platform has, by path."""
    return {one["path"]: one for one in world.one("agents", "triage")["initial_files"]}


@pytest.fixture
def kit(world):
    """Give a world with a folder of files beside its manifests."""
    top = world.folder / "kit"
    (top / "img").mkdir(parents=True)
    (top / ".hidden").mkdir()
    (top / "README.md").write_text("Read me.\n")
    (top / "img" / "logo.png").write_bytes(PNG)
    (top / "utf16.txt").write_bytes("hi".encode("utf-16-le"))
    (top / ".env").write_text("no")
    (top / ".hidden" / "x").write_text("no")
    return world


def test_a_folder(kit):
    """Every file of a folder goes below its path, bytes as base64, hidden ones not; a second plan finds nothing."""
    kit.agent("triage", initial_files=[{"dir": "kit", "path": "/workspace/kit/", "is_readonly": True}])
    kit.converge()
    live = files(kit)
    assert live.keys() == {f"/workspace/kit/{name}" for name in ("README.md", "img/logo.png", "utf16.txt")}
    assert {one["is_readonly"] for one in live.values()} == {True}
    text, logo = live["/workspace/kit/README.md"], live["/workspace/kit/img/logo.png"]
    assert (text["content"], text["encoding"]) == ("Read me.\n", "text")
    assert (base64.b64decode(logo["content"]), logo["encoding"]) == (PNG, "base64")
    assert live["/workspace/kit/utf16.txt"]["encoding"] == "base64"
    assert kit.plan().is_empty


def test_the_file_system_is_listed_by_the_server(kit):
    """The capability that the server puts first is no difference, whether capabilities are declared or not."""
    kit.agent("triage", initial_files=[{"dir": "kit"}], capabilities=[{"ref": "web_fetch"}])
    kit.converge()
    assert kit.one("agents", "triage")["capabilities"][0]["ref"] == "session_file_system"
    assert kit.plan().is_empty


def test_a_changed_file_is_an_update(kit):
    """What changes in the folder is written, what is taken out of it goes."""
    kit.agent("triage", initial_files=[{"dir": "kit"}, {"path": "x", "content": "X"}])
    kit.converge()
    (kit.folder / "kit" / "README.md").write_text("Read me again.\n")
    (kit.folder / "kit" / "utf16.txt").unlink()
    (change,) = kit.plan().changes
    assert [one.name for one in change.fields] == ["initial_files"]
    kit.converge()
    assert files(kit)["/workspace/README.md"]["content"] == "Read me again.\n"
    assert len(files(kit)) == 3
    assert kit.plan().is_empty


def test_a_file_of_bytes(kit):
    """A file that is no text is sent as base64, one that says it is base64 already as it is."""
    (kit.folder / "coded.txt").write_text("aGk=")
    kit.agent(
        "triage",
        initial_files=[
            {"path": "logo.png", "content": {"file": "kit/img/logo.png"}},
            {"path": "hi", "content": {"file": "coded.txt"}, "encoding": "base64"},
        ],
    )
    kit.converge()
    assert base64.b64decode(files(kit)["/workspace/logo.png"]["content"]) == PNG
    assert files(kit)["/workspace/hi"]["content"] == "aGk="
    assert kit.plan().is_empty


BAD = [
    ({"dir": "nowhere"}, '"nowhere" is no folder'),
    ({"dir": "fleet.yaml"}, '"fleet.yaml" is no folder'),
    ({"dir": "kit/.hidden"}, "is hidden"),
    ({"dir": "empty"}, '"empty" holds no file'),
    ({"dir": "many"}, '"many" holds 101 files, and 100 are the most'),
    ({"dir": "../.."}, "leads out of the manifest root"),
    ({"dir": "/etc"}, "must be a path relative to this manifest"),
    ({"dir": "out"}, "leads out of the manifest root"),
    ({"dir": "kit", "content": "x"}, "unknown key content"),
]


@pytest.mark.parametrize(("item", "says"), BAD, ids=[row[1] for row in BAD])
def test_what_is_no_folder_of_files(kit, item, says):
    """What cannot be read is told at the item, and a link leads nowhere outside."""
    (kit.folder / "empty").mkdir()
    (kit.folder / "many").mkdir()
    for number in range(101):
        (kit.folder / "many" / str(number)).write_text("")
    (kit.folder / "out").mkdir()
    (kit.folder / "out" / "passwd").symlink_to("/etc/passwd")
    kit.agent("triage", initial_files=[{"path": "x", "content": ""}, item])
    with pytest.raises(ManifestError) as raised:
        kit.plan()
    (fault,) = raised.value.faults
    assert says in fault.message
    assert fault.path[:3] == ("spec", "initial_files", 1)


def test_more_than_the_platform_takes(kit):
    """Files and folders are counted together."""
    (kit.folder / "many").mkdir()
    for number in range(99):
        (kit.folder / "many" / str(number)).write_text("")
    kit.agent("triage", initial_files=[{"dir": "many"}, {"dir": "kit"}])
    with pytest.raises(ManifestError) as raised:
        kit.plan()
    assert "these are 102 files, and 100 are the most" in raised.value.faults[0].message


@pytest.mark.parametrize("kind", ["Agent", "Harness"])
def test_texts_are_still_marked(kind):
    """What stands in a file of its own is known as before, and so is a list without order."""
    assert ("initial_files", "*", "content") in [path for path, _ in beside(BY_NAME[kind])]
    assert ("initial_files",) in sets(BY_NAME[kind])


@pytest.mark.parametrize(("size", "refused"), [(5 * 2**20, False), (5 * 2**20 + 1, True)])
def test_more_bytes_than_the_platform_takes(kit, size, refused):
    """All files together are measured as they are sent, whichever way they are listed."""
    (kit.folder / "big").mkdir()
    (kit.folder / "big" / "a").write_bytes(b"x" * (size - 9))
    kit.agent("triage", initial_files=[{"dir": "big"}, {"path": "b", "content": "123456789"}])
    if not refused:
        kit.converge()
        return
    with pytest.raises(ManifestError) as raised:
        kit.plan()
    assert "more than 5 MiB together" in raised.value.faults[0].message


def test_base64_is_measured_as_it_is_sent(kit):
    """Bytes that are no text are a third longer on their way, and that is what the platform measures."""
    (kit.folder / "big").mkdir()
    (kit.folder / "big" / "a").write_bytes(b"\xff" * (4 * 2**20))
    kit.agent("triage", initial_files=[{"dir": "big"}])
    with pytest.raises(ManifestError) as raised:
        kit.plan()
    assert "more than 5 MiB together" in raised.value.faults[0].message
