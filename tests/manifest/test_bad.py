"""What is wrong with a manifest is said once, at its place, with a way out: `tests/bad/` is the table.

Each entry of that folder is a file or a folder of manifests, named for its fault. What must be said of it stands in
comments at its end, one for each fault:

    # expect: LINE:COLUMN: MESSAGE | HINT
    # beyond the schema: WHY JSON SCHEMA CANNOT SAY IT
"""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.errors import LocatedFault
from reconciler.kinds.secrecy import looks_secret
from reconciler.manifest.load import load
from reconciler.manifest.locate import located
from reconciler.manifest.parse import MAX_BYTES, parse
from reconciler.manifest.resolve import resolve
from reconciler.manifest.schema import manifest_schema
from reconciler.manifest.texts import MAX_TEXT
from reconciler.report.faults import fault_text
from reconciler.report.style import Style

BAD = Path(__file__).parents[1] / "bad"
CASES = sorted(path.name for path in BAD.iterdir() if path.is_dir() or path.suffix == ".yaml")
EXPECT = re.compile(r"# expect: (\d+):(\d+): (.*?)(?: \| (.*))?")
BEYOND = re.compile(r"^# beyond the schema: (.+)$", re.MULTILINE)

Told = tuple[str, int, int, str, str | None]

AGENT = """\
apiVersion: everruns.reconciler/v1
kind: Agent
metadata: {name: x}
spec: {system_prompt: {file: prompt.md}}
"""


@dataclass(frozen=True)
class Case:
    """An entry of `tests/bad/`: its manifests, and what must be said of them."""

    name: str

    @property
    def files(self) -> list[Path]:
        """The manifests of the case, relative to the folder of all cases."""
        path = Path(self.name)
        found = [path] if (BAD / path).is_file() else [p.relative_to(BAD) for p in (BAD / path).rglob("*.y*ml")]
        return sorted(found)

    @property
    def expected(self) -> list[Told]:
        """What must be said, in the order of files and lines."""
        return sorted(
            (str(file), int(match[1]), int(match[2]), match[3], match[4])
            for file in self.files
            for line in (BAD / file).read_text().splitlines()
            if (match := EXPECT.fullmatch(line))
        )


def faults_in(path: str, *, below: Path = BAD) -> list[LocatedFault]:
    """Read manifests as the tool does, from the folder that its user stands in."""
    with chdir(below):
        return located(resolve(load([path])).faults)


def told(faults: list[LocatedFault]) -> list[Told]:
    """Return all that is said of faults but the line itself."""
    return sorted((fault.path, fault.line, fault.column, fault.message, fault.hint) for fault in faults)


def width(text: str) -> int:
    """Count the cells of a terminal that a text fills."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def test_the_table_is_long():
    """The table grows; it never shrinks without a word."""
    assert len(CASES) >= 160


@pytest.mark.parametrize("name", CASES)
def test_every_fault_is_told_and_nothing_else(name):
    """All faults of all files are told in one run, each once, with file, line, column and a way out."""
    case = Case(name)
    assert case.expected, "a bad manifest says what is expected of it"
    assert told(faults_in(name)) == case.expected


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_told_in_words_for_its_reader(name):
    """A message is one line without the words of our libraries; something in it or its hint says what to do."""
    for _, _, _, message, hint in Case(name).expected:
        text = f"{message} {hint or ''}"
        for foreign in ("Input should", "pydantic", "Value error", "discriminator", "NoneType", "dict", "None ", "\\d"):
            assert foreign not in text
        assert len(message) <= 160
        assert not message.endswith(".")


@pytest.mark.parametrize("name", CASES)
def test_the_caret_stands_below_the_column(name):
    """A rendered fault quotes its line and points at the column; of a line with a secret, at the key alone."""
    faults = faults_in(name)
    lines = list(fault_text(faults, style=Style(width=10_000)))
    secrets = {
        (fault.path, fault.line)
        for fault in faults
        if fault.message.startswith(("a secret ", "unknown key", "env names ")) or looks_secret(fault.text)
    }
    for fault in faults:
        head = f"{fault.path}:{fault.line}:{fault.column}: {fault.message}"
        at = lines.index(head)
        quote, pointer = lines[at + 1], lines[at + 2]
        margin = f"  {fault.line} | "
        assert quote.startswith(margin)
        assert pointer.strip(" |") == "^"
        if (fault.path, fault.line) in secrets:
            assert quote.endswith("...")
            assert pointer.index("^") < width(quote)
        else:
            assert quote == margin + fault.text.expandtabs(4)
            assert pointer.index("^") == width(margin + fault.text[: fault.column - 1].expandtabs(4))
        if fault.hint:
            assert lines[at + 3] == f"  hint: {fault.hint}"
    files = len({fault.path for fault in faults})
    count = f"{len(faults)} fault{'' if len(faults) == 1 else 's'} in {files} file{'' if files == 1 else 's'}"
    assert lines[-1] == count


@pytest.mark.parametrize(
    "name",
    [name for name in CASES if re.search("secret-in-clear|credentials|is-a-secret|is-a-value|yaml.*secret", name)],
)
def test_a_secret_in_clear_is_not_repeated(name):
    """Neither the message nor the quoted line repeats what is a secret; `--json` has the message too."""
    shown = "\n".join(fault_text(faults_in(name), style=Style(width=10_000)))
    for secret in ("xoxb", "1234567890", "abc123", "hunter2", "0x4AAAAsecret", "user:pass", "ghp_"):
        assert secret not in shown


def single_documents() -> list[str]:
    """Return the cases of one file with one document that is sound YAML."""
    streams = {name: parse((BAD / name).read_text()) for name in CASES if (BAD / name).is_file()}
    return [name for name, (documents, faults) in streams.items() if len(documents) == 1 and not faults]


@pytest.mark.parametrize("name", single_documents())
def test_an_editor_sees_what_json_schema_can_say(name):
    """The published schema refuses every bad document, but for those that say why it cannot."""
    text = (BAD / name).read_text()
    documents, _ = parse(text)
    accepted = Draft202012Validator(manifest_schema()).is_valid(documents[0].value)
    assert accepted is bool(BEYOND.search(text))


# What cannot be kept in git, or should not be: made here, below a folder `root`.


def not_utf_8(root: Path) -> None:
    """Write a manifest in Latin-1."""
    (root / "x.yaml").write_bytes(AGENT.encode() + "# Größe\n".encode("latin-1"))


def too_large(root: Path) -> None:
    """Write a manifest of a byte too many."""
    (root / "x.yaml").write_bytes(b"#" * (MAX_BYTES + 1))


def unreadable(root: Path) -> None:
    """Write a link to nothing in the place of a manifest."""
    (root / "x.yaml").symlink_to("nothing.yaml")


def text_not_utf_8(root: Path) -> None:
    """Write a prompt in Latin-1."""
    (root / "x.yaml").write_text(AGENT)
    (root / "prompt.md").write_bytes("Größe".encode("latin-1"))


def text_too_large(root: Path) -> None:
    """Write a prompt of a byte too many to be read at all."""
    (root / "x.yaml").write_text(AGENT)
    with (root / "prompt.md").open("wb") as stream:
        stream.truncate(MAX_TEXT + 1)


def prompt_over_1_mib(root: Path) -> None:
    """Write a prompt of a byte too many for the platform."""
    (root / "x.yaml").write_text(AGENT)
    (root / "prompt.md").write_text("x" * (2**20 + 1))


def link_out_of_the_root(root: Path) -> None:
    """Let the prompt be a link to a file outside."""
    (root / "x.yaml").write_text(AGENT)
    (root.parent / "outside.md").write_text("Not yours.")
    (root / "prompt.md").symlink_to("../outside.md")


def linked_folder_out_of_the_root(root: Path) -> None:
    """Let the prompt stand in a folder that is a link to one outside."""
    (root / "x.yaml").write_text(AGENT.replace("prompt.md", "prompts/x.md"))
    (root.parent / "outside").mkdir()
    (root.parent / "outside" / "x.md").write_text("Not yours.")
    (root / "prompts").symlink_to("../outside")


def loop_of_links(root: Path) -> None:
    """Let the prompt be a link to itself."""
    (root / "x.yaml").write_text(AGENT)
    (root / "prompt.md").symlink_to("prompt.md")


def name_with_nul(root: Path) -> None:
    """Name a prompt by what no file can be called."""
    (root / "x.yaml").write_text(AGENT.replace("prompt.md", '"a\\0b"'))


INSIDE = "move the file inside, or point -f at a folder above both"
RELATIVE = "the path counts from the folder of this manifest"
MADE: list[tuple[Callable[[Path], None], Told]] = [
    (not_utf_8, ("root/x.yaml", 5, 5, "is not UTF-8 text", "save it as UTF-8")),
    (too_large, ("root/x.yaml", 1, 1, "is larger than 16 MiB", "split it")),
    (unreadable, ("root/x.yaml", 1, 1, f"cannot be read: {os.strerror(errno.ENOENT)}", None)),
    (text_not_utf_8, ("root/x.yaml", 4, 23, '"prompt.md" is not UTF-8 text', None)),
    (text_too_large, ("root/x.yaml", 4, 23, '"prompt.md" is larger than 16 MiB', None)),
    (
        prompt_over_1_mib,
        ("root/x.yaml", 4, 23, "system_prompt may have at most 1048576 bytes in UTF-8", None),
    ),
    (
        link_out_of_the_root,
        ("root/x.yaml", 4, 23, '"prompt.md" leads out of the manifest root "root"', INSIDE),
    ),
    (
        linked_folder_out_of_the_root,
        ("root/x.yaml", 4, 23, '"prompts/x.md" leads out of the manifest root "root"', INSIDE),
    ),
    (loop_of_links, ("root/x.yaml", 4, 23, f'"prompt.md" cannot be read: {os.strerror(errno.ELOOP)}', RELATIVE)),
    (
        name_with_nul,
        ("root/x.yaml", 4, 23, '"a\\x00b" must be a path relative to this manifest', None),
    ),
]


@pytest.mark.parametrize(("make", "expected"), MADE, ids=[make.__name__ for make, _ in MADE])
def test_faults_of_files_that_git_cannot_keep(make, expected, tmp_path):
    """Bytes, sizes and links are judged like any other fault."""
    (tmp_path / "root").mkdir()
    make(tmp_path / "root")
    assert told(faults_in("root", below=tmp_path)) == [expected]
