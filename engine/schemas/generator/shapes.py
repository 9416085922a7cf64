"""What the generators have in common: merging shapes, sharing equal ones, and writing them as text (see ../README.md)."""

import re

SCALARS = {"string": "", "number": "n", "boolean": "b", "any": "a"}


class Field:
    """One attribute or block: `kind` is a scalar, or `container` of a scalar or of a shape (a dict of fields)."""

    __slots__ = ("container", "kind", "computed", "values")

    def __init__(self, kind, container="", computed=False, values=()):
        self.kind, self.container, self.computed, self.values = kind, container, computed, tuple(values)


ANY = "any"


def merged(a, b):
    """The union of two fields of one name: what either version of a provider accepts."""
    if a.computed != b.computed:
        return b if a.computed else a
    if a.container != b.container or isinstance(a.kind, dict) != isinstance(b.kind, dict):
        lists = {"", "["}
        if {a.container, b.container} <= lists and isinstance(a.kind, dict) and isinstance(b.kind, dict):
            # A block that may be repeated in one version only.
            return Field(merged_shapes(a.kind, b.kind), "[", a.computed and b.computed)
        return Field(ANY, computed=a.computed and b.computed)
    if isinstance(a.kind, dict):
        return Field(merged_shapes(a.kind, b.kind), a.container, a.computed and b.computed)
    kind = a.kind if a.kind == b.kind else ANY
    values = sorted(set(a.values) | set(b.values)) if a.values and b.values else ()
    return Field(kind, a.container, a.computed and b.computed, values)


def merged_shapes(a, b):
    union = dict(a)
    for name, field in b.items():
        union[name] = merged(union[name], field) if name in union else field
    return union


def escaped(text):
    """A name or value without the characters that the format itself uses."""
    return re.sub(r"[^A-Za-z0-9_.:/+@*$-]", lambda found: "".join(f"%{byte:02x}" for byte in found[0].encode()), text)


class Writer:
    """Writes types; a shape that occurs in several places is written once, before its first use."""

    def __init__(self):
        self.types = {}
        self.uses = {}
        self.numbers = {}
        self.lines = []

    def add(self, name, shape):
        self.types[name] = merged_shapes(self.types[name], shape) if name in self.types else shape

    def text(self, header):
        self.lines = [f"# {line}" for line in header]
        for name in sorted(self.types):
            fields = self.fields(self.types[name])
            self.lines.append(" ".join([escaped(name), *fields]))
        return "\n".join(self.lines) + "\n"

    def fields(self, shape):
        return [self.field(name, shape[name]) for name in sorted(shape)]

    def field(self, name, field):
        text = escaped(name) + ("!" if field.computed else "")
        if isinstance(field.kind, dict):
            return f"{text}={field.container}{self.number(field.kind)}"
        if field.computed:
            return text
        code = field.container + SCALARS[field.kind]
        if field.values:
            code += "(" + "|".join(escaped(value) for value in field.values) + ")"
        return f"{text}={code}" if code else text

    def number(self, shape):
        """The number of a shape, which equal shapes share."""
        line = " ".join(self.fields(shape))
        if line not in self.numbers:
            self.numbers[line] = len(self.numbers)
            self.lines.append(" ".join([f"@{self.numbers[line]}", line]).rstrip())
        return self.numbers[line]
