"""Faults with their places: in order, each once."""

import time

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


def test_a_line_number_beyond_the_text_has_an_empty_line():
    """A fault that knows its place is not asked whether the text goes that far."""
    (found,) = located([Fault("x", Source(A, 0, 1), line=9, column=1)])
    assert (found.line, found.text) == (9, "")


def test_thousands_of_faults_of_one_file_take_no_time():
    """The text is read once for all of them: 3,000 unknown keys took half a minute when it was read for each."""
    file = SourceFile("c.yaml", "".join(f"k{number}: {number}\n" for number in range(3_000)))
    faults = [Fault("unknown", Source(file, 0, 1), (f"k{number}",)) for number in range(3_000)]
    started = time.process_time()
    assert [one.line for one in located(faults)] == [*range(1, 3_001)]
    assert time.process_time() - started < 5
