//! The part of GitHub's GraphQL schema that the stand-in knows: reading repositories, objects and the rate limit.

/// What a field gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    /// A value.
    Leaf,
    /// Something of a type, or a list of such.
    Node(&'static str),
}

/// A field of a type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) gives: Gives,
    /// Arguments and whether they must be given.
    pub(super) arguments: &'static [(&'static str, bool)],
}

const fn leaf(name: &'static str) -> Field {
    Field { name, gives: Gives::Leaf, arguments: &[] }
}

const fn node(name: &'static str, of: &'static str, arguments: &'static [(&'static str, bool)]) -> Field {
    Field { name, gives: Gives::Node(of), arguments }
}

const QUERY: &[Field] = &[
    node("repository", "Repository", &[("owner", true), ("name", true), ("followRenames", false)]),
    node("rateLimit", "RateLimit", &[("dryRun", false)]),
];

const REPOSITORY: &[Field] = &[
    leaf("id"),
    leaf("databaseId"),
    leaf("name"),
    leaf("nameWithOwner"),
    leaf("isPrivate"),
    leaf("isFork"),
    node("object", "GitObject", &[("expression", false), ("oid", false)]),
    node("defaultBranchRef", "Ref", &[]),
    node("ref", "Ref", &[("qualifiedName", true)]),
];

const REF: &[Field] = &[leaf("id"), leaf("name"), leaf("prefix"), node("target", "GitObject", &[])];

const GIT_OBJECT: &[Field] = &[leaf("id"), leaf("oid"), leaf("abbreviatedOid")];

const BLOB: &[Field] = &[
    leaf("id"),
    leaf("oid"),
    leaf("abbreviatedOid"),
    leaf("byteSize"),
    leaf("isBinary"),
    leaf("isTruncated"),
    leaf("text"),
];

const TREE: &[Field] = &[leaf("id"), leaf("oid"), leaf("abbreviatedOid"), node("entries", "TreeEntry", &[])];

const COMMIT: &[Field] = &[
    leaf("id"),
    leaf("oid"),
    leaf("abbreviatedOid"),
    leaf("message"),
    leaf("messageHeadline"),
    leaf("committedDate"),
    node("tree", "Tree", &[]),
];

const TREE_ENTRY: &[Field] = &[
    leaf("name"),
    leaf("path"),
    leaf("type"),
    leaf("oid"),
    leaf("mode"),
    leaf("size"),
    leaf("extension"),
    node("object", "GitObject", &[]),
];

const RATE_LIMIT: &[Field] =
    &[leaf("cost"), leaf("limit"), leaf("nodeCount"), leaf("remaining"), leaf("resetAt"), leaf("used")];

/// The fields of a type.
pub(super) fn fields(of: &str) -> &'static [Field] {
    match of {
        "Query" => QUERY,
        "Repository" => REPOSITORY,
        "Ref" => REF,
        "GitObject" => GIT_OBJECT,
        "Blob" => BLOB,
        "Tree" => TREE,
        "Commit" => COMMIT,
        "TreeEntry" => TREE_ENTRY,
        "RateLimit" => RATE_LIMIT,
        _ => &[],
    }
}

/// A field of a type.
pub(super) fn field(of: &str, name: &str) -> Option<Field> {
    if name == "__typename" {
        return Some(leaf("__typename"));
    }
    fields(of).iter().find(|field| field.name == name).copied()
}

/// The type of a name, if the schema has it.
pub(super) fn known_type(name: &str) -> Option<&'static str> {
    const TYPES: [&str; 9] =
        ["Query", "Repository", "Ref", "GitObject", "Blob", "Tree", "Commit", "TreeEntry", "RateLimit"];
    TYPES.into_iter().find(|known| *known == name)
}

/// Whether something of one type can be of another.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    const OBJECTS: [&str; 3] = ["Blob", "Tree", "Commit"];
    one == other || (one == "GitObject" && OBJECTS.contains(&other)) || (other == "GitObject" && OBJECTS.contains(&one))
}
