"""Faults with their places: in order, each once."""

from reconciler.errors import Fault, LocatedFault, Source, SourceFile
from reconciler.manifest.locate import located

A = SourceFile("a.yaml", "kind: Agent\nmetadata: {name: x}\n---\nkind: App\n")
B = SourceFile("b.yaml", "")


def test_faults_come_in_the_order_of_files_and_lines():
    """By file, line, column and message, however they were found; a fault that was found twice is told once."""
    faults = [
        Fault("of a file that cannot be read", Source(B, 0, 1), line=1, column=1),
        Fault("of the second document", Source(A, 1, 4), ("kind",), on_value=True),
        Fault("of a key", Source(A, 0, 1), ("metadata", "name")),
        Fault("of a value", Source(A, 0, 1), ("metadata", "name"), hint="mend it", on_value=True),
        Fault("of a key", Source(A, 0, 1), ("metadata", "name")),
        Fault("of the platform"),
    ]
    assert located(faults) == [
        LocatedFault("", 0, 0, "", "of the platform"),
        LocatedFault("a.yaml", 2, 12, "metadata: {name: x}", "of a key"),
        LocatedFault("a.yaml", 2, 18, "metadata: {name: x}", "of a value", "mend it"),
        LocatedFault("a.yaml", 4, 7, "kind: App", "of the second document"),
        LocatedFault("b.yaml", 1, 1, "", "of a file that cannot be read"),
    ]
    assert located(reversed(faults)) == located(faults)
