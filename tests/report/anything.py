"""Strategies: plans, applies and drifts with anything in them, from manifests and from the platform."""

from hypothesis import strategies as st

from reconciler.errors import ReconcilerError
from reconciler.kinds.fields import SET, SecretRef
from reconciler.plan.change import Action, Change, FieldChange, Side
from reconciler.plan.drift import Drift, Drifted, What
from reconciler.plan.outcome import Applied, Blocked, Conflicted, Done, Failed, NotStarted, Remainder
from reconciler.plan.plan import OrgRef, Plan
from reconciler.plan.verdict import Refusal
from reconciler.resource import Address

CONTROL = st.text(st.sampled_from("ab \n\t\r\x00\x1b[31m\x07\x7f\x9b\u2028\u202e\u200b\ud800漢é👩"), max_size=12)
MARKUP = st.sampled_from(
    [
        "zork",
        "`zork`",
        "``` zork",
        "\n```\nzork\n~~~~\n",
        "a | zork \\| b \\",
        "\n\n# zork\n- zork\n> zork\n    zork\n---\n1. zork",
        "@zork #12 GH-1 acme/fleet#3 :zork:",
        "<b>zork</b> <!-- zork",
        "</code></summary></details>zork\n\nzork",
        "]]> &lt;zork&gt; &amp; \" '",
        "[zork](http://zork) ![zork](zork) [zork]: zork",
        "https://zork.example www.zork.example zork@zork.example",
        "*zork* _zork_ **zork** ~~zork~~",
        "</script><script>zork</script>",
        "zork" * 90,
    ]
)
NASTY = CONTROL | MARKUP
LEAF = NASTY | st.none() | st.booleans() | st.integers() | st.floats() | st.just(SET)
SECRET = st.builds(SecretRef, source=st.sampled_from(["env", "file"]), name=NASTY)
VALUE = st.recursive(
    LEAF | SECRET | NASTY.map(lambda text: (text + "\n") * 30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NASTY, inner, max_size=3),
    max_leaves=8,
)
FIELD = st.builds(FieldChange, path=st.tuples(NASTY), old=VALUE, new=VALUE, side=st.none() | st.sampled_from(Side))
ADDRESS = st.builds(Address, org=NASTY, kind=st.just("Agent"), name=NASTY)
CHANGE = st.builds(
    Change,
    address=ADDRESS,
    action=st.sampled_from(Action),
    title=NASTY,
    fields=st.lists(FIELD, max_size=3).map(tuple),
    body=st.dictionaries(NASTY, VALUE, max_size=2),
    replace=st.booleans(),
    notes=st.tuples(NASTY),
    where=NASTY,
    since=st.none() | NASTY,
)
ORGS = st.dictionaries(NASTY, st.builds(OrgRef, id=NASTY, title=NASTY), max_size=2)
PLAN = st.builds(
    Plan,
    changes=st.lists(CHANGE, max_size=3).map(tuple),
    orgs=ORGS,
    partial=st.none() | NASTY,
    refusals=st.lists(st.builds(Refusal, NASTY, NASTY), max_size=2).map(tuple),
)
ERROR = st.builds(ReconcilerError, NASTY, hint=NASTY)
OUTCOME = (
    st.builds(Done, CHANGE, adopted=st.booleans(), note=NASTY)
    | st.builds(Failed, CHANGE, ERROR)
    | st.builds(Blocked, CHANGE, by=NASTY)
    | st.builds(Conflicted, CHANGE, NASTY, st.tuples(FIELD), NASTY)
    | st.builds(NotStarted, CHANGE)
)
APPLIED = st.builds(
    Applied,
    outcomes=st.lists(OUTCOME, max_size=3).map(tuple),
    interrupted=st.booleans(),
    remainders=st.lists(st.builds(Remainder, ADDRESS, st.tuples(FIELD), NASTY), max_size=2).map(tuple),
)
DRIFTED = st.builds(
    Drifted,
    address=ADDRESS,
    what=st.sampled_from(What),
    title=NASTY,
    fields=st.lists(FIELD, max_size=3).map(tuple),
    message=NASTY,
    since=NASTY,
    where=NASTY,
    id=NASTY,
    file=NASTY,
)
DRIFT = st.builds(
    Drift,
    drifted=st.lists(DRIFTED, max_size=3).map(tuple),
    orgs=ORGS,
    watched=st.integers(0, 9),
    unowned=st.integers(0, 9),
    partial=st.none() | NASTY,
)
