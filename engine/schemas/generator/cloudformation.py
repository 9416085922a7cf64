"""CloudFormation's resource types from the schemas that cfn-lint brings along: AWS' own registry schemas, mended by its authors."""

import json
import zipfile

from shapes import ANY, Field, merged

REGION = "cfnlint/data/schemas/providers/us-east-1.json"
RESOURCE = "cfnlint/data/schemas/resources/{}.json"
SCALAR = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}
# Longer ones (instance types, engine versions) grow with every release of AWS: a list of them is wrong before it is shipped.
ENUM_LIMIT = 40


def read(package, add):
    """Adds every type of a package."""
    with zipfile.ZipFile(package) as archive:
        for name, blob in json.loads(archive.read(REGION)).items():
            document = json.loads(archive.read(RESOURCE.format(blob)))
            shape = Reader(document).properties(document, ())
            for path in document.get("readOnlyProperties", []):
                parts = path.removeprefix("/properties/").split("/")
                if len(parts) == 1 and parts[0] not in written(document):
                    shape[parts[0]] = Field(ANY, computed=True)
            add(name, shape)


def written(document):
    """The read-only properties that are nevertheless written: cfn-lint lists those that a template may set as required."""
    return set(document.get("required", []))


class Reader:
    """Reads the properties of one type; `open_refs` are the definitions it is in, which may hold themselves."""

    def __init__(self, document):
        self.document = document

    def resolved(self, schema, open_refs):
        while "$ref" in schema:
            name = schema["$ref"]
            if name in open_refs:
                return None, open_refs
            open_refs = (*open_refs, name)
            target = self.document
            for part in name.removeprefix("#/").split("/"):
                target = target[part]
            schema = target
        return schema, open_refs

    def properties(self, schema, open_refs):
        shape = {}
        parts = [schema, *schema.get("oneOf", []), *schema.get("anyOf", []), *schema.get("allOf", [])]
        for part in parts:
            part, inner = self.resolved(part, open_refs)
            for name, value in (part or {}).get("properties", {}).items():
                # Alternatives only repeat what is required; `true` says nothing of the type.
                if isinstance(value, dict):
                    field = self.field(value, inner)
                    shape[name] = merged(shape[name], field) if name in shape and part is schema else shape.get(name, field)
        return shape

    def field(self, schema, open_refs):
        schema, open_refs = self.resolved(schema, open_refs)
        if schema is None:
            return Field(ANY)
        kinds = schema.get("type", [])
        kinds = {kinds} if isinstance(kinds, str) else set(kinds)
        if "properties" in schema and (kinds == {"object"} or not kinds):
            return Field(self.properties(schema, open_refs))
        if kinds == {"array"}:
            inner = self.field(schema.get("items", {}), open_refs) if isinstance(schema.get("items"), dict) else Field(ANY)
            return Field(inner.kind, "[", values=inner.values) if not inner.container else Field(ANY, "[")
        if kinds == {"object"}:
            return self.map(schema, open_refs)
        if len(kinds) == 1 and (kind := SCALAR.get(next(iter(kinds)))):
            values = schema.get("enum", []) if kind == "string" else []
            return Field(kind, values=sorted(values) if 0 < len(values) <= ENUM_LIMIT else ())
        alternatives = [*schema.get("oneOf", []), *schema.get("anyOf", [])]
        return Field(self.properties(schema, open_refs) or ANY) if alternatives else Field(ANY)

    def map(self, schema, open_refs):
        patterns = list(schema.get("patternProperties", {}).values())
        if len(patterns) == 1 and isinstance(patterns[0], dict):
            inner = self.field(patterns[0], open_refs)
            if not inner.container:
                return Field(inner.kind, "{")
        alternatives = self.properties(schema, open_refs)
        return Field(alternatives) if alternatives else Field(ANY, "{")
