"""Ordinary YAML in every style that people write, made at random: what the quick reader must read as `parse` does."""

import random

WORDS = (
    'a the agent: answer, customer\'s "quoted" (see) #1 # hash - dash [x] {y} 100% yes no null true 12 3.5 1.10 ~ '
    "é 😀 key: value https://x.y/z?a=b&c=d * item 1. first > quote | pipe `code` @at !bang & and %pct 07 1_000 0x1F -5 "
    "+3 .5 e9 1e5 : :: '' \\n \\ / = == => -> ... --- ? what?"
).split(" ")
PLAIN = (
    "x|hello world|1|-1|1.5|true|no|null|~|a:b|a#b|it's|claude-sonnet-4-5|agent-00007|12:30|2024-01-01|1e3|a, b|x - y|"
    "(paren)|100%|v1.10|1.10|/workspace/x|q & a|what?|* not|C:\\x|é||Yes|TRUE|0|00|0.0|-0|1.|-.5|+.5|1__0|1_|-1_2|0b1|"
    "a'b|=|=="
).split("|")
KEYS = "name spec kind on y key a-b k.x 'q' \"d\" no".split()


class Writer:
    """Writes documents; the same seed writes the same."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.choice, self.chance = self.random.choice, self.random.random

    def document(self):
        """Write one document."""
        start = "---\n" if self.chance() < 0.1 else ""
        return start + self.mapping(0, 0) + "\n" * self.choice([1, 1, 1, 2])

    def words(self, count):
        """Write some words of prose."""
        return " ".join(self.choice(WORDS) for _ in range(count))

    def quoted(self):
        """Write a quoted text."""
        words = self.words(self.random.randrange(4))
        if self.chance() < 0.5:
            return "'" + words.replace("'", "''") + "'"
        escaped = words.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + escaped + self.choice(["", "\\n", "\\t", "\\u00e9", "\\x41", "\\\\"]) + '"'

    def flow(self, depth=0):
        """Write a value in flow style."""
        chance = self.chance()
        if depth > 2 or chance < 0.5:
            return self.choice([self.choice(PLAIN).replace(",", "") or "x", self.quoted(), "x"])
        items = [self.flow(depth + 1) for _ in range(self.random.randrange(3))]
        if chance < 0.75:
            return "[" + self.choice([", ", ",", " , "]).join(items) + "]"
        pairs = [self.choice(["a", "q r", '"s"']) + self.choice([": ", ":"]) + item for item in items]
        return "{" + ", ".join(pairs) + "}"

    def scalar(self, indent):
        """Write what may follow a colon or a dash."""
        chance = self.chance()
        if chance < 0.35:
            return " " + self.choice(PLAIN)
        if chance < 0.5:
            return " " + self.quoted()
        if chance < 0.65:
            return " " + self.flow()
        if chance < 0.92:
            return self.literal(indent)
        deeper = " " * (indent + 2)
        return f" word\n{deeper}continued" if chance < 0.96 else f' "several\n{deeper}lines"'

    def literal(self, indent):
        """Write a block scalar."""
        margin = " " * (indent + self.choice([1, 2, 2, 2, 4]))
        lines = [
            ""
            if self.chance() < 0.2
            else margin + " " * self.choice([0, 0, 0, 1, 2]) + self.words(self.random.randrange(1, 6))
            for _ in range(self.random.randrange(6))
        ]
        header = self.choice([" |", " |-", " |", " |-", " |+", " >", " >-", " |2"])
        return header + "".join("\n" + line for line in lines)

    def mapping(self, indent, depth):
        """Write a block mapping, with comments and blank lines between."""
        lines = []
        for number in range(self.random.randrange(1, 4)):
            if self.chance() < 0.12:
                lines.append(" " * self.random.randrange(6) + "# " + self.words(2))
            if self.chance() < 0.08:
                lines.append("")
            key = self.choice(KEYS)
            key = key[:-1] + f"{number}{key[-1]}" if key[-1] in "'\"" else f"{key}{number}"
            start = " " * indent + key + ":"
            if depth < 3 and self.chance() < 0.4:
                lines.append(start + self.choice(["", " # c"]))
                below = self.mapping(indent + self.choice([2, 2, 4]), depth + 1)
                lines.append(below if self.chance() < 0.6 else self.sequence(indent + self.choice([0, 2]), depth + 1))
            else:
                lines.append(start + self.scalar(indent) + self.choice(["", "", "", " # c"]))
        return "\n".join(lines)

    def sequence(self, indent, depth):
        """Write a block sequence."""
        lines = []
        for _ in range(self.random.randrange(1, 4)):
            start = " " * indent + "-"
            if self.chance() < 0.5 or depth > 2:
                lines.append(start + self.scalar(indent))
            else:
                lines.append(start + " " + self.mapping(indent + 2, depth + 1).lstrip(" "))
        return "\n".join(lines)
