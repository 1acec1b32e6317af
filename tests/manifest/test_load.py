"""Which files are manifests, in which order, and what stands below which root."""

import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import UsageError
from reconciler.manifest import load as load_module
from reconciler.manifest.load import load
from reconciler.manifest.parse import MAX_BYTES, parse

FILES = {
    "b.yaml": "name: b",
    "a.yml": "name: a1\n---\nname: a2",
    "README.md": "name: no",
    "notes.yaml.txt": "name: no",
    ".hidden.yaml": "name: no",
    ".git/config.yaml": "name: no",
    "sub/.cache/x.yaml": "name: no",
    "sub/c.yaml": "name: c",
    "sub/deeper/d.yml": "name: d",
    "empty.yaml": "# nothing yet\n",
}


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    """Stand in a folder with a folder `m` of manifests and other files."""
    for name, text in FILES.items():
        path = tmp_path / "m" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(loaded):
    """Return what each document is called, in order."""
    return [document.value["name"] for document in loaded.documents]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["m"], ["a1", "a2", "b", "c", "d"]),
        (["m/"], ["a1", "a2", "b", "c", "d"]),
        (["."], ["a1", "a2", "b", "c", "d"]),
        (["m/sub"], ["c", "d"]),
        (["m/b.yaml"], ["b"]),
        (["m/b.yaml", "m/sub"], ["b", "c", "d"]),
        (["m/notes.yaml.txt"], ["no"]),
        (["m/.hidden.yaml"], ["no"]),
    ],
)
def test_a_folder_gives_its_manifests_in_order(fleet, paths, expected):
    """All `.yaml` and `.yml` below a folder, hidden ones left out; a file that is named is always read."""
    assert names(load(paths)) == expected


@pytest.mark.parametrize(
    "paths",
    [
        ["m", "m"],
        ["m", "./m"],
        ["m", "m/sub"],
        ["m/sub/c.yaml", "m"],
        ["m", "m/b.yaml", "./m/b.yaml"],
        [".", "m/sub/.."],
    ],
)
def test_a_file_is_read_once(fleet, paths):
    """A file that several paths lead to is one manifest, not two of the same address."""
    assert sorted(names(load(paths))) == ["a1", "a2", "b", "c", "d"]


def test_documents_know_where_they_stand(fleet):
    """A document has its file as the user would write it, its number, its line and its folder."""
    found = [(d.source.file.path, d.source.index, d.source.line, d.folder) for d in load(["m"]).documents]
    assert found == [
        ("m/a.yml", 0, 1, "m"),
        ("m/a.yml", 1, 3, "m"),
        ("m/b.yaml", 0, 1, "m"),
        ("m/sub/c.yaml", 0, 1, "m/sub"),
        ("m/sub/deeper/d.yml", 0, 1, "m/sub/deeper"),
    ]


@pytest.mark.parametrize(
    ("paths", "folder", "root"),
    [
        (["m"], "m/sub/deeper", "m"),
        (["m/sub"], "m/sub/deeper", "m/sub"),
        (["m/b.yaml"], "m", "."),
        (["m", "m/b.yaml"], "m", "m"),
        (["m/b.yaml", "m"], "m", "m"),
    ],
)
def test_the_root_is_the_folder_that_was_named(fleet, paths, folder, root):
    """Texts may be taken from the folder named; from the working folder for a file named in it."""
    assert load(paths).roots.get(folder, folder) == root


def test_the_root_of_a_file_elsewhere_is_its_folder(fleet, monkeypatch):
    """A file outside the working folder opens its own folder, no more."""
    monkeypatch.chdir(fleet / "m" / "sub")
    loaded = load([f"{fleet}/m/b.yaml"])
    assert loaded.roots[loaded.documents[0].folder] == f"{fleet}/m"


def test_stdin_is_a_manifest(fleet):
    """A dash reads standard input, whose texts stand in the working folder."""
    loaded = load(["-"], stdin=[b"name: i", b"n\n---\nname: put\n"])
    assert names(loaded) == ["in", "put"]
    assert {(d.source.file.path, d.folder) for d in loaded.documents} == {("<stdin>", ".")}


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["nowhere"], "cannot read nowhere: No such file or directory"),
        (["m", "nowhere.yaml"], "cannot read nowhere.yaml: No such file or directory"),
        (["m/README.md/x"], "cannot read m/README.md/x: Not a directory"),
        (["none"], "no manifests found in none"),
        (["none", "m/empty.yaml"], "no manifests found in none, m/empty.yaml"),
        (["-"], "no manifests found in -"),
        ([], "no manifests found in "),
    ],
)
def test_nothing_to_read_is_a_usage_error(fleet, paths, message):
    """A path that is not there, and a set without a document, are mistakes and not an empty wish."""
    (fleet / "none").mkdir()
    with pytest.raises(UsageError) as caught:
        load(paths)
    assert caught.value.message == message
    assert caught.value.hint


def test_a_fault_is_something_to_report(fleet):
    """A set whose only file cannot be read has faults; it is not an empty set."""
    (fleet / "bad.yaml").write_text("- [a")
    loaded = load(["bad.yaml"])
    assert not loaded.documents
    assert [fault.message for fault in loaded.faults] == ['this "[" is never closed']


def test_one_bad_file_does_not_hide_another(fleet):
    """Every file is read, whatever was wrong with those before it."""
    (fleet / "m" / "a.yml").write_bytes(b"\xff")
    (fleet / "m" / "sub" / "c.yaml").write_text("a: [")
    loaded = load(["m"])
    assert names(loaded) == ["b", "d"]
    assert [fault.source.file.path for fault in loaded.faults] == ["m/a.yml", "m/sub/c.yaml"]


def test_a_byte_order_mark_is_no_part_of_the_text(fleet):
    """Files of Windows editors are read, and their places are right."""
    (fleet / "bom.yaml").write_bytes(b"\xef\xbb\xbfname: x\r\nother: *x\r\n")
    (fault,) = load(["bom.yaml"]).faults
    assert (fault.line, fault.column) == (2, 8)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["m/26.yaml", "m/sub/a.yaml"])
def test_a_pipe_in_a_folder_is_not_waited_for(fleet, name):
    """What lies in a folder and is no file is a fault: to open it could take for ever."""
    os.mkfifo(fleet / name)
    (fault,) = load(["m"]).faults
    assert fault.message == "is not a file"
    assert fault.source.file.path == name


def test_a_folder_that_cannot_be_read_is_a_fault(fleet, monkeypatch):
    """Manifests that nobody can see are no reason to plan a smaller fleet."""
    real = os.scandir

    def refused(path):
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refused)
    (fault,) = load(["m"]).faults
    assert fault.message == "cannot be read: Permission denied"
    assert fault.source.file.path == "m/sub"


def test_a_pipe_is_read_to_its_end(fleet):
    """A manifest that another program writes, piece by piece, is read whole."""
    pipe = fleet / "pipe"
    os.mkfifo(pipe)
    items = [f"- item {number}\n" for number in range(20_000)]

    def write():
        with pipe.open("w") as stream:
            for at in range(0, len(items), 2_000):
                stream.write("".join(items[at : at + 2_000]))
                stream.flush()

    writer = threading.Thread(target=write)
    writer.start()
    loaded = load([str(pipe)])
    writer.join()
    assert [len(document.value) for document in loaded.documents] == [20_000]


@pytest.mark.parametrize(("size", "message"), [(MAX_BYTES, None), (MAX_BYTES + 1, "is larger than 16 MiB")])
def test_the_size_of_a_file_is_bounded(fleet, size, message):
    """A file of the limit is read, one of a byte more is not; nor is it kept."""
    path = fleet / "big.yaml"
    path.write_bytes(b"name: x\n".ljust(size, b"#"))
    loaded = load([str(path)])
    assert [fault.message for fault in loaded.faults] == ([message] if message else [])
    assert all(not fault.source.file.text for fault in loaded.faults)


@settings(deadline=None)
@given(texts=st.lists(st.sampled_from(["a: 1\n", "# empty\n", "- x\n", "", "a: [\n", "a: 1\n---\nb: 2\n"]), max_size=5))
def test_loading_is_parsing_each_file(texts, tmp_path_factory):
    """What is loaded is what `parse` finds in each file, no more and no less."""
    folder = tmp_path_factory.mktemp("fleet")
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text)
    found = [parse(text) for text in texts]
    values = [one.value for documents, _ in found for one in documents]
    messages = [fault.message for _, faults in found for fault in faults]
    if not values and not messages:
        with pytest.raises(UsageError):
            load([str(folder)])
        return
    loaded = load([str(folder)])
    assert [document.value for document in loaded.documents] == values
    assert [fault.message for fault in loaded.faults] == messages


def test_nobody_looks_before_the_work_is_shared(fleet, monkeypatch):
    """Who glances may start threads, after which nothing is forked: the first answer comes before the first look."""
    happened = []

    def reading(names, *, roots):
        for _ in names:
            happened.append("read")
            yield None

    monkeypatch.setattr(load_module, "read_together", reading)
    load(["m"], glance=lambda documents: happened.append(f"look at {len(documents)}"))
    assert happened[0] == "read"
    assert "look at 3" in happened
