"""What a kind says of itself is what it is: against the declarations, and against what a manifest may say."""

from pathlib import Path as File

import pytest

from reconciler.kinds import BY_NAME, KINDS
from reconciler.kinds.describe import _AGAIN, _EMPTIED, TOLD, FieldFacts, described
from reconciler.kinds.kind import Twin
from reconciler.kinds.markers import Clear, Marker
from reconciler.report.kinds_text import kinds_markdown, kinds_text
from reconciler.report.style import Style

from .declared import SORTS, UNSAYABLE, Path, Sort

FIELDS = [(sort, path) for sort in SORTS for path in sort.fields() if path not in UNSAYABLE.get(sort.label, {})]
PAGE = File(__file__).parents[2] / "docs/kinds.md"


def called(value: Sort | Path) -> str:
    """Name a case."""
    return value.label if isinstance(value, Sort) else ".".join(value)


def facts(sort: Sort, path: Path) -> FieldFacts:
    """Give what is said of a field of one variant, the only thing that is."""
    name, forms = ".".join(path), {None, *(f"{key}: {text}" for key, text in sort.fixed.items())}
    (found,) = [one for one in described(sort.kind).fields if one.path == name and one.when in forms]
    return found


@pytest.mark.parametrize(("sort", "path"), FIELDS, ids=called)
def test_what_is_said_of_a_field_is_so(sort, path):
    """A field is told to be cleared exactly if a manifest may empty it, write-only exactly if it is secret."""
    said = facts(sort, path)
    before, _ = sort.values(path)
    assert bool(said.cleared_by) is (bool(sort.emptied(before, path)) and not sort.is_fixed(path))
    assert said.is_immutable is sort.is_fixed(path)
    assert said.is_write_only is sort.is_secret(path)
    assert (said.turned_by is not None) is sort.is_switch(path)
    assert said.description.endswith(".")


SAID = [
    ("Agent", "capabilities", {"order": "counts", "cleared_by": "[]", "holds": "list of maps"}),
    ("Agent", "tags", {"order": "means nothing", "cleared_by": "[]", "holds": "list of texts"}),
    ("Agent", "mcpServers", {"is_one_value": True, "cleared_by": "{}"}),
    ("Agent", "mcpServers.*.headers", {"holds": "map to secrets by reference"}),
    ("Agent", "default_model", {"references": "Model", "cleared_by": "null, for which the whole resource is written"}),
    ("Agent", "capabilities[].config.mounts[].memory", {"references": "Memory", "when": "ref: memory"}),
    ("Harness", "system_prompt", {"may_stand_in_a_file": True, "cleared_by": "null, which is sent as an empty value"}),
    ("Harness", "parent_harness", {"references": "Harness", "cleared_by": None}),
    ("AgentIdentity", "locale", {"cleared_by": "null"}),
    ("Session", "agent", {"references": "Agent", "is_immutable": True, "cleared_by": None}),
    ("Session", "capabilities[].config", {"is_immutable": True, "cleared_by": None}),
    ("Session", "tags", {"is_immutable": False, "cleared_by": "[]"}),
    ("App", "published", {"turned_by": ("publish", "unpublish"), "default": False}),
    ("App", "channels", {"holds": "list of Channel"}),
    ("App", "harness", {"required": True, "references": "Harness"}),
    ("Memory", "source.type", {"holds": "github or git or manual", "when": None}),
    ("Memory", "files", {"by_member": "goes", "order": None, "cleared_by": "[]"}),
    ("Memory", "wait_for_sync", {"holds": "time, as 90s", "is_never_sent": True, "cleared_by": None}),
    ("Organization", "feature_flags", {"by_member": "stays", "cleared_by": None}),
    ("Memory", "source.url", {"when": "type: git", "required": True}),
    ("Channel", "config.auth.provider.password", {"is_write_only": True, "when": "type: a2a / type: http_basic"}),
    ("Channel", "key_to.env_file", {"required": False, "instead_of": ("command",), "when": "type: a2a"}),
    ("Channel", "key_to.variable", {"when": "type: a2a / env_file", "instead_of": ()}),
    ("Agent", "initial_files[].dir", {"required": False, "instead_of": ("content",)}),
]


@pytest.mark.parametrize(("kind", "path", "said"), SAID, ids=[f"{kind}.{path}" for kind, path, _ in SAID])
def test_what_a_reader_needs_to_know(kind, path, said):
    """References, the order of lists, what is one value, what stands in a file, and the variant that has a field."""
    found = [one for one in described(BY_NAME[kind]).fields if one.path == path]
    assert any({name: getattr(one, name) for name in said} == said for one in found), found


def test_every_rule_has_its_words():
    """A new marker, way to clear or way to come back is put into words before it can be used."""
    assert set(Marker) == TOLD
    assert set(Clear) == set(_EMPTIED)
    assert set(Twin) == set(_AGAIN)


def test_children_are_told_of_once():
    """The fields of a child stand with the child, not with its parent as well."""
    assert not [one.path for one in described(BY_NAME["App"]).fields if one.path.startswith("channels[]")]


def test_the_page_is_fresh():
    """What stands in `docs/kinds.md` is what the kinds say now: write it again with `make schemas`."""
    assert PAGE.read_text() == "\n".join(kinds_markdown(map(described, KINDS))) + "\n"


def test_nothing_in_a_table_breaks_it():
    """Every row of the page has as many cells as its head."""
    for line in PAGE.read_text().splitlines():
        assert not line.startswith("|") or line.count(" | ") == 3, line


def test_text_for_people():
    """The terminal shows the same, with a heading for each form that a kind has."""
    lines = list(kinds_text([described(BY_NAME["Channel"])], style=Style()))
    assert lines[0] == "Channel"
    assert "  Written inside its App." in lines
    assert "  type: webhook" in lines
    assert any(
        line.split()[:6] == ["config.token", "secret", "by", "reference", "required;", "write-only;"] for line in lines
    )
