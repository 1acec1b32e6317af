"""Which file says what: long texts beside the manifest when they would be read back as they are, all else in it."""

import json

import pytest
import yaml

from reconciler.kinds.fields import SecretRef
from reconciler.manifest.layout import Sheet, lay_out
from reconciler.plan.capture import Captured, Home
from reconciler.resource import Address

HOMES = {"acme": Home("acme", "org_1", "Acme", is_new=True)}
LONG = "A line.\n" * 4


def sheet_of(kind, spec, *, name="it", children=(), tmp="nowhere/manifests"):
    """Lay out one resource."""
    sheets, gaps = lay_out([captured(kind, name, spec, children=children)], HOMES, [], root=tmp)
    assert gaps == []
    return sheets[0]


def captured(kind, name, spec, *, id_=None, parent=None, children=()):
    """Make what was captured of a resource."""
    return Captured(Address("acme", kind, name, parent), id_, spec, tuple(children), ())


def texts(sheet):
    """Give the text of every file, by path; the manifest's as it is read."""
    found = {file.path: file.data.decode() for file in sheet.files}
    return found | {sheet.manifest.path: yaml.safe_load(found[sheet.manifest.path])["spec"]}


IN_FILES = [LONG, "x" * 301, LONG + "é 😀\n", "\tx\n" * 4, "\r" + LONG, LONG + "\0"]
IN_PLACE = ["", "Short.", "1\n2\n3", "1\n2\n", "x" * 300, LONG.replace("\n", "\r\n"), "\ufeff" + LONG]


@pytest.mark.parametrize("text", IN_FILES, ids=range(len(IN_FILES)))
def test_long_texts_have_files(text):
    """A text of more than three lines or 300 characters has a file of its own, with exactly its bytes."""
    sheet = sheet_of("Agent", {"system_prompt": text})
    assert texts(sheet) == {
        "acme/prompts/it.md": text,
        "acme/agents/it.yaml": {"system_prompt": {"file": "../prompts/it.md"}},
    }


@pytest.mark.parametrize("text", IN_PLACE, ids=range(len(IN_PLACE)))
def test_other_texts_stand_in_the_manifest(text):
    """Short texts stay, and so does what a file would not give back: its line ends and marks are not kept."""
    assert texts(sheet_of("Agent", {"system_prompt": text})) == {"acme/agents/it.yaml": {"system_prompt": text}}


NAMES = [
    ("/workspace/docs/Read Me.MD", "it-read-me.md"),
    ("/workspace/.env", "it-env.txt"),
    ("/workspace/日本", "it-file.txt"),
    ("/workspace/a.tar.gz", "it-a-tar.gz"),
]


@pytest.mark.parametrize(("path", "name"), NAMES)
def test_files_are_called_like_what_they_become(path, name):
    """A file of an agent's sessions goes by the last part of its path, hidden ones and odd ones too."""
    sheet = sheet_of("Agent", {"system_prompt": "x", "initial_files": [{"path": path, "content": LONG}]})
    assert sheet.files[0].path == f"acme/files/{name}"


def test_no_two_texts_claim_a_file():
    """Texts of one name are numbered, those of other resources included."""
    files = [{"path": f"/workspace/{folder}/a.md", "content": LONG} for folder in "xy"]
    agents = [captured("Agent", "it", {"initial_files": files}), captured("Agent", "it-a", {"system_prompt": LONG})]
    channel = captured("Channel", "a", {"name": "a", "type": "a2a", "config": {"message": LONG}}, parent="it")
    app = captured("App", "it", {"harness": "h"}, children=[channel])
    sheets, _ = lay_out([*agents, app], HOMES, [], root="manifests")
    assert [file.path for sheet in sheets for file in sheet.files] == [
        "acme/files/it-a.md",
        "acme/files/it-a-2.md",
        "acme/agents/it.yaml",
        "acme/prompts/it-a.md",
        "acme/agents/it-a.yaml",
        "acme/prompts/it-a-2.md",
        "acme/apps/it.yaml",
    ]
    spec = texts(sheets[2])["acme/apps/it.yaml"]
    assert spec["channels"] == [{"name": "a", "type": "a2a", "config": {"message": {"file": "../prompts/it-a-2.md"}}}]


def test_how_it_reads():
    """A manifest looks as somebody would have written it: secrets on one line, an id behind the type."""
    config = {"token": SecretRef(source="env", name="T"), "message": "Go.\nNow.\n"}
    child = {"name": "in", "type": "webhook", "config": config}
    channel = captured("Channel", "in", child, parent="it", id_="appchan_1")
    sheet = sheet_of("App", {"name": "It: all", "harness": "generic"}, children=[channel])
    assert sheet.manifest.data.decode() == (
        "apiVersion: everruns.reconciler/v1\n"
        "kind: App\n"
        "metadata:\n"
        "  name: it\n"
        "spec:\n"
        "  name: 'It: all'\n"
        "  harness: generic\n"
        "  channels:\n"
        "    - name: in\n"
        "      type: webhook\n"
        "      id: appchan_1\n"
        "      config:\n"
        "        token: {env: T}\n"
        "        message: |\n"
        "          Go.\n"
        "          Now.\n"
    )


DEEP = json.loads("[" * 65 + "]" * 65)


@pytest.mark.parametrize("value", ["\ud800", 2**63, DEEP])
def test_what_cannot_be_written(value):
    """What would not be read back equal is a gap, not a broken file."""
    one = captured("Agent", "it", {"capabilities": [{"ref": "x", "config": {"a": value}}]})
    sheets, gaps = lay_out([one], HOMES, [], root="manifests")
    assert sheets == []
    assert [(str(gap.address), gap.is_total) for gap in gaps] == [("acme/Agent/it", True)]


def test_the_schema_is_named_where_it_is(tmp_path):
    """A manifest begins with its JSON Schema when that lies beside the folder."""
    root = str(tmp_path / "manifests")
    plain = sheet_of("Agent", {"system_prompt": "x"}, tmp=root)
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/manifest.schema.json").touch()
    headed = sheet_of("Agent", {"system_prompt": "x"}, tmp=root)
    assert isinstance(headed, Sheet)
    line = b"# yaml-language-server: $schema=../../../schemas/manifest.schema.json\n"
    assert headed.manifest.data == line + plain.manifest.data
