"""Terraform's resource types from the `@cdktf/provider-*` packages of npm, which are generated from the providers' own schemas."""

import re
import tarfile

from shapes import ANY, Field

ENTRY = re.compile(
    r'^ {8,12}"?([\w$.-]+)"?: \{\n\s+value: (.*),\n\s+isBlock: (true|false),\n\s+type: "(\w+)",\n\s+storageClassType: "(.*)",\n',
    re.M,
)
FUNCTION = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}\n", re.M | re.S)
OUTPUT = re.compile(r"^class (\w+)OutputReference extends .*?\{\n(.*?)^\}\n", re.M | re.S)
CLASS = re.compile(r"^class (\w+) extends cdktf\.Terraform(Resource|DataSource|Provider) \{\n(.*?)^\}\n", re.M | re.S)
TYPE = re.compile(r'^(\w+)\.tfResourceType = "(.*)";', re.M)
FLAGS = re.compile(r"// ([\w-]+) - computed: true, optional: false, required: false")
MAPPER = re.compile(r"(?:\(0, )?(?:\w+\.)?(\w+)ToHclTerraform")
SCALAR = {"string": "string", "number": "number", "boolean": "boolean", "any": "any"}
PREFIX = {"Resource": "", "DataSource": "data.", "Provider": "provider."}


def read(package, add):
    """Adds every type of a package."""
    files = {}
    with tarfile.open(package) as archive:
        for member in archive:
            found = re.fullmatch(r"package/lib/([^/]+)/.*\.js", member.name)
            if found:
                files.setdefault(found[1], []).append(archive.extractfile(member).read().decode())
    for texts in files.values():
        folder("\n".join(texts), add)


def folder(text, add):
    """One folder of a package: one type with its nested blocks."""
    functions = dict(FUNCTION.findall(text))
    outputs = {name[0].lower() + name[1:]: body for name, body in OUTPUT.findall(text)}
    names = dict(TYPE.findall(text))
    total = 0
    for class_name, what, body in CLASS.findall(text):
        shape = fields(body, functions, outputs, set())
        total += len(shape)
        shape.update({name: Field(ANY, computed=True) for name in FLAGS.findall(body) if name not in shape})
        add(PREFIX[what] + names[class_name], shape)


def fields(body, functions, outputs, open_functions):
    shape = {}
    if body.count("isBlock:") != len(ENTRY.findall(body)):
        raise ValueError(f"an attribute is written in a way this generator does not know:\n{body[:2000]}")
    for name, value, _, kind, storage in ENTRY.findall(body):
        shape[name] = field(value, kind, storage, functions, outputs, open_functions)
    return shape


def field(value, kind, storage, functions, outputs, open_functions):
    mapper = MAPPER.search(value.split("null : ")[-1].replace("cdktf.", ""))[1]
    many = "listMapperHcl" in value
    container = "{" if kind == "map" else "[" if many else ""
    if mapper not in SCALAR:
        # A block that holds itself is as deep as its author likes.
        if mapper in open_functions:
            return Field(ANY)
        inner = fields(functions[mapper], functions, outputs, open_functions | {mapper})
        computed = FLAGS.findall(outputs.get(mapper, ""))
        inner.update({name: Field(ANY, computed=True) for name in computed if name not in inner})
        return Field(inner, container)
    if re.search(r"(List|Map)(List|Map)$", storage):
        return Field(ANY, container)
    return Field(SCALAR[mapper], container)
