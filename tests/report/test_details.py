"""What changed inside lists and maps."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.fields import SET, SecretRef
from reconciler.report.details import Members, Reordered, Replaced, details

LEAF = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "b", "x\ny"]) | st.just(1.0)
VALUE = st.recursive(
    LEAF,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("kmn"), inner, max_size=3)
        | st.lists(
            st.fixed_dictionaries({"ref": st.sampled_from("abc")}, optional={"config": inner}),
            max_size=3,
            unique_by=lambda item: item["ref"],
        )
    ),
    max_leaves=12,
)
PARTED = st.tuples(*[st.lists(VALUE, max_size=4)] * 2) | st.tuples(*[st.dictionaries(st.sampled_from("ab"), VALUE)] * 2)


def normal(value):
    """Bring a value to a form in which plain equality means sameness: all emptiness is one, true is not 1."""
    if value in (None, [], {}):
        return "nothing"
    match value:
        case dict():
            return {key: normal(item) for key, item in value.items()}
        case list():
            return [normal(item) for item in value]
        case bool():
            return f"bool {value}"
        case str():
            return f"text {value}"
    return float(value)


@given(PARTED)
def test_there_are_details_exactly_when_there_is_a_difference(pair):
    """Nothing that differs is lost on the way through numbers, and nothing is invented."""
    old, new = pair
    assert details(old, old) == []
    assert bool(details(old, new)) == (normal(old) != normal(new))


def test_items_by_what_names_them():
    """An item keeps its name where it moves; what changed is told below it."""
    old = [{"ref": "web", "config": {"ms": 1, "on": True}}, {"ref": "gone"}, {"ref": "same"}]
    new = [{"ref": "same"}, {"ref": "web", "config": {"ms": 2, "on": 1}}, {"ref": "new"}]
    assert details(old, new) == [
        Reordered("", ("same", "web", "new")),
        Members("", ({"ref": "new"},), ({"ref": "gone"},)),
        Replaced("[web].config.ms", 1, 2),
        Replaced("[web].config.on", True, 1),
    ]


def test_items_with_the_same_name_are_told_apart_by_value():
    """A name that stands twice names nothing."""
    old = [{"name": "x", "v": 1}, {"name": "x", "v": 2}]
    assert details(old, old[:1]) == [Members("", (), ({"name": "x", "v": 2},))]


def test_secrets_stay_what_they_are():
    """References come out as they went in."""
    token = SecretRef(source="env", name="T")
    assert details({"h": {"a": SET, "b": SET}}, {"h": {"a": token}}) == [
        Replaced(".h.a", SET, token),
        Replaced(".h.b", SET, None),
    ]
    assert details({"h": token}, {"h": SecretRef(source="env", name="T")}) == []


def test_a_file_that_grew_is_one_replaced_text():
    """Long texts are left to the diff of prose."""
    old, new = "a\n" * 100_000, "b\n" * 100_000
    assert details([{"path": "p", "content": old}], [{"path": "p", "content": new}]) == [
        Replaced("[p].content", old, new)
    ]
