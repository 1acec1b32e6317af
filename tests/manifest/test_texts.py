"""Texts beside the manifests: read from inside the root, and from nowhere else."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from reconciler.manifest.texts import MAX_TEXT, confined, folder_reader, locator, reader


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    """Stand in a folder with a root `m`, two folders in it, and something outside."""
    for name in ("m/agents", "m/prompts", "m/outside.md", "m-other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "m/prompts/a.md").write_bytes("Größe.\r\nZwei.\n".encode())
    (tmp_path / "m/agents/b.md").write_text("Beside.")
    (tmp_path / "secret.md").write_text("Not yours.")
    (tmp_path / "m-other/c.md").write_text("Not yours either.")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(name):
    """Read a text as a manifest in `m/agents` would."""
    return reader(folder="m/agents", root=Path("m"))(name)


def refusal(act, name):
    """Return why a text is refused."""
    with pytest.raises(PydanticCustomError) as caught:
        act(name)
    return caught.value.message()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("b.md", "Beside."),
        ("./b.md", "Beside."),
        ("../prompts/a.md", "Größe.\nZwei.\n"),
        ("../prompts/../agents/b.md", "Beside."),
        ("../../m/agents/b.md", "Beside."),
    ],
)
def test_a_text_is_named_relative_to_its_manifest(fleet, name, text):
    """A name counts from the manifest's folder; line breaks become those of Unix."""
    assert read(name) == text


OUTSIDE = 'leads out of the manifest root "m"'


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../../secret.md", f'"../../secret.md" {OUTSIDE}'),
        ("../../m-other/c.md", f'"../../m-other/c.md" {OUTSIDE}'),
        ("../../nothing-at-all.md", f'"../../nothing-at-all.md" {OUTSIDE}'),
        ("..", '".." is a folder, not a file'),
        ("", '"" is a folder, not a file'),
        ("/etc/hostname", '"/etc/hostname" must be a path relative to this manifest'),
        ("a\0b", '"a\\x00b" must be a path relative to this manifest'),
        ("absent.md", '"absent.md" cannot be read: No such file or directory'),
        ("b.md/x", '"b.md/x" cannot be read: Not a directory'),
        ("x" * 300, f'"{"x" * 57}..." cannot be read: File name too long'),
    ],
)
def test_what_cannot_be_read(fleet, name, why):
    """Whatever is not a text inside the root is refused in one sentence."""
    assert refusal(read, name) == why


@pytest.mark.parametrize(
    ("link", "target", "why"),
    [
        ("m/agents/l.md", "../../secret.md", f'"l.md" {OUTSIDE}'),
        ("m/agents/l.md", "/etc/hostname", f'"l.md" {OUTSIDE}'),
        ("m/agents/l.md", "l.md", '"l.md" cannot be read: Too many levels of symbolic links'),
        ("m/agents/l.md", "../prompts/a.md", None),
        ("m/agents/l.md", "../../m/prompts/a.md", None),
    ],
)
def test_links_are_followed_to_their_end(fleet, link, target, why):
    """Where a link ends decides, not where it stands."""
    (fleet / link).symlink_to(target)
    if why is None:
        assert read("l.md") == "Größe.\nZwei.\n"
    else:
        assert refusal(read, "l.md") == why


def test_the_root_may_itself_be_a_link(fleet):
    """A root that is a link is where it leads."""
    (fleet / "link").symlink_to("m")
    assert reader(folder="link/agents", root=Path("link"))("../prompts/a.md").startswith("Größe")


def test_a_text_is_utf_8(fleet):
    """Another encoding is refused, not guessed."""
    (fleet / "m/agents/l1.md").write_bytes("Größe".encode("latin-1"))
    assert refusal(read, "l1.md") == '"l1.md" is not UTF-8 text'


@pytest.mark.parametrize(("size", "refused"), [(MAX_TEXT, False), (MAX_TEXT + 1, True)])
def test_the_size_of_a_text_is_bounded(fleet, size, refused):
    """A text of the limit is read, one of a byte more is not."""
    with (fleet / "m/agents/big.md").open("wb") as stream:
        stream.truncate(size)
    if refused:
        assert refusal(read, "big.md") == '"big.md" is larger than 16 MiB'
    else:
        assert len(read("big.md")) == size


@pytest.mark.parametrize("name", [".git/config", "../.env", "shown.md", "../agents/.x/../.y/a.md"])
def test_what_is_hidden_is_not_read(fleet, name):
    """Neither a hidden file nor one in a hidden folder, by whatever name; it need not exist."""
    (fleet / "m/agents/.git").mkdir()
    (fleet / "m/agents/.git/config").write_text("token")
    (fleet / "m/agents/shown.md").symlink_to(".git/config")
    assert refusal(read, name) == f'"{name}" is hidden: hidden files and folders are not read'


def test_a_root_may_be_hidden(fleet):
    """Only what lies below the root counts."""
    (fleet / "m").rename(fleet / ".m")
    assert reader(folder=".m/agents", root=Path(".m"))("b.md") == "Beside."


@pytest.mark.parametrize("name", ["ghp_1", "../x/sk-1", "https://u:p@h/a", "0123456789abcdef01234567"])
def test_a_name_that_is_a_secret_is_not_repeated(fleet, name):
    """Somebody may have written the text itself where its file should be named."""
    assert refusal(read, name).startswith("what stands here cannot be read: ")


def test_a_secret_is_located_and_not_read(fleet):
    """The file of a secret need not exist here: it is read where it is sent. Where it lies is checked all the same."""
    locate = locator(folder="m/agents", root=Path("m"))
    assert locate("../secrets/token") == "m/agents/../secrets/token"
    assert locate("../.secrets/token") == "m/agents/../.secrets/token"
    assert refusal(locate, "../../secret.md") == f'"../../secret.md" {OUTSIDE}'
    assert "must be a path relative" in refusal(locate, "/run/secrets/token")


@settings(deadline=None)
@given(
    steps=st.lists(st.sampled_from(["..", ".", "agents", "prompts", "a.md", "m", "", "x"]), max_size=8),
    folder=st.sampled_from(["m", "m/agents", "m/prompts"]),
)
def test_no_name_leads_out(steps, folder, tmp_path_factory):
    """Whatever the name, what is opened lies below the root, or nothing is."""
    base = tmp_path_factory.getbasetemp()
    name = "/".join(steps)
    root = base / "m"
    try:
        path = confined(name, folder=str(base / folder), root=root)
    except PydanticCustomError:
        assert name.startswith("/") or not Path(os.path.normpath(base / folder / name)).is_relative_to(root)
    else:
        assert path.is_relative_to(root.resolve())


def test_folder_is_read_as_it_is(fleet):
    """All files of a folder are read by their paths in it, bytes as they are; hidden ones are left out."""
    (fleet / "m/prompts/deep").mkdir()
    (fleet / "m/prompts/deep/b.bin").write_bytes(b"\xff\r\n")
    (fleet / "m/prompts/.hidden").write_text("Draft.")
    found = folder_reader(folder="m/agents", root=Path("m"))("../prompts", 9, 999)
    assert found == {"a.md": "Größe.\r\nZwei.\n".encode(), "deep/b.bin": b"\xff\r\n"}


@pytest.mark.parametrize(
    ("name", "limits", "why"),
    [
        ("../prompts", (0, 999), "files, and 0 are the most"),
        ("../prompts", (9, 3), "more than 0 MiB"),
        ("../nowhere", (9, 999), "is no folder"),
        ("../../m-other", (9, 999), "leads out of the manifest root"),
        ("linked", (9, 999), "leads out of the manifest root"),
    ],
)
def test_folder_refused(fleet, name, limits, why):
    """A folder that is too large, absent or outside of the root is refused, and so is a link out of it."""
    (fleet / "m/agents/linked").mkdir()
    (fleet / "m/agents/linked/secret.md").symlink_to(fleet / "secret.md")
    read_folder = folder_reader(folder="m/agents", root=Path("m"))
    assert why in refusal(lambda one: read_folder(one, *limits), name)


def test_a_pipe_is_no_file(fleet):
    """Nobody waits for a writer: what is neither a file nor a folder is refused, by its name and in a folder."""
    os.mkfifo(fleet / "m/prompts/pipe")
    assert refusal(read, "../prompts/pipe") == '"../prompts/pipe" is no file of a disk'
    read_folder = folder_reader(folder="m/agents", root=Path("m"))
    assert refusal(lambda one: read_folder(one, 9, 999), "../prompts") == '"../prompts/pipe" is no file of a disk'


def test_a_name_is_utf_8(fleet):
    """A name that the platform could not be told is refused, with its bytes."""
    place = os.fsencode(fleet / "m/prompts") + b"/caf\xe9"
    try:
        Path(os.fsdecode(place)).write_bytes(b"")
    except OSError:
        pytest.skip("this disk takes no such names")
    read_folder = folder_reader(folder="m/agents", root=Path("m"))
    said = refusal(lambda one: read_folder(one, 9, 999), "../prompts")
    assert said.endswith("a name that is not UTF-8")
    assert "caf" in said
    said.encode()
