"""Kubernetes' kinds from the models of its official Python client, which are generated from its OpenAPI description."""

import ast
import re
import zipfile

from shapes import ANY, Field

MODEL = re.compile(r"kubernetes/client/models/\w+\.py")
VERSION = re.compile(r"^(?:[A-Z][a-z]+)*?(?=V\d)V\d+(?:(?:alpha|beta)\d+)?")
SCALAR = {"str": "string", "int": "number", "float": "number", "bool": "boolean", "datetime": "string", "date": "string", "bytes": "string"}
SERVER = {"status", "managedFields", "creationTimestamp", "deletionTimestamp", "selfLink", "uid", "resourceVersion", "generation"}
# The client's models have no enumerations; these are those of the API reference that policies speak of.
ENUMS = {
    ("Container", "imagePullPolicy"): ["Always", "IfNotPresent", "Never"],
    ("Container", "terminationMessagePolicy"): ["FallbackToLogsOnError", "File"],
    ("ContainerPort", "protocol"): ["SCTP", "TCP", "UDP"],
    ("PodSpec", "restartPolicy"): ["Always", "Never", "OnFailure"],
    ("PodSpec", "dnsPolicy"): ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
    ("SecurityContext", "procMount"): ["Default", "Unmasked"],
    ("SeccompProfile", "type"): ["Localhost", "RuntimeDefault", "Unconfined"],
    ("AppArmorProfile", "type"): ["Localhost", "RuntimeDefault", "Unconfined"],
    ("ServiceSpec", "type"): ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    ("ServiceSpec", "externalTrafficPolicy"): ["Cluster", "Local"],
    ("CronJobSpec", "concurrencyPolicy"): ["Allow", "Forbid", "Replace"],
    ("NetworkPolicySpec", "policyTypes"): ["Egress", "Ingress"],
    ("DeploymentStrategy", "type"): ["Recreate", "RollingUpdate"],
}


def read(package, add):
    """Adds every kind of a package."""
    models = {}
    with zipfile.ZipFile(package) as archive:
        for name in archive.namelist():
            if MODEL.fullmatch(name):
                models.update(classes(archive.read(name).decode()))
    for name, (types, keys) in models.items():
        kind = VERSION.sub("", name)
        if {"api_version", "kind", "metadata"} <= types.keys() and not kind.endswith("List"):
            add(kind, fields(models, name, ()))


def classes(text):
    """The classes of a module: the types of their attributes, and what these are called in a manifest."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            tables = {}
            for part in node.body:
                target = part.target if isinstance(part, ast.AnnAssign) else part.targets[0] if isinstance(part, ast.Assign) else None
                if isinstance(target, ast.Name) and target.id in ("openapi_types", "attribute_map"):
                    tables[target.id] = ast.literal_eval(part.value)
            if len(tables) == 2:
                yield node.name, (tables["openapi_types"], tables["attribute_map"])


def fields(models, name, open_models):
    types, keys = models[name]
    shape = {}
    for attribute, kind in types.items():
        key = keys[attribute]
        field = Field(ANY, computed=True) if key in SERVER and key != "uid" else typed(models, kind, (*open_models, name))
        field.values = tuple(ENUMS.get((VERSION.sub("", name).removeprefix("Ephemeral"), key), ()))
        shape[key] = field
    return shape


def typed(models, kind, open_models):
    container = re.fullmatch(r"(list|List|dict|Dict)[\[(](?:str, )?(.*)[\])]", kind)
    if container:
        inner = typed(models, container[2], open_models)
        sign = "[" if container[1].lower() == "list" else "{"
        return Field(ANY if inner.container else inner.kind, sign)
    if kind in SCALAR:
        return Field(SCALAR[kind])
    # JSON schemas hold themselves.
    if kind not in models or kind in open_models:
        return Field(ANY)
    return Field(fields(models, kind, open_models))
