//! What the values of a resource point to: the addresses they were computed from, and the names they say.
//!
//! In Kubernetes a name may stand in an object reference (`roleRef`, `scaleTargetRef`, `backendRefs[]`), which also says the
//! kind and the namespace that are meant.

use std::sync::Arc;

use crate::policy::Path;
use crate::resource::{Data, FormatId, Map, Reason, ReasonKind, Resource, Value};

use super::walk::undecided_reason;

/// What values point to, and why it is only perhaps that.
#[derive(Default)]
pub(super) struct Pointers {
    pub(super) references: Vec<(Arc<str>, Option<Reason>)>,
    pub(super) names: Vec<Named>,
    /// There may be more, nobody knows what.
    pub(super) open: Option<Reason>,
}

/// Something that is meant by its name.
#[derive(Clone)]
pub(super) struct Named {
    pub(super) name: Arc<str>,
    /// The kind that is meant; absent where none is said.
    pub(super) kind: Option<Arc<str>>,
    /// The namespace that is meant; absent where none is said.
    pub(super) namespace: Option<Arc<str>>,
    /// Why it is only perhaps this one.
    pub(super) doubt: Option<Reason>,
    /// Where the name is written.
    pub(super) value: Value,
}

impl Pointers {
    /// What the values at a path of a resource point to; the path `*` means anywhere in it.
    pub(super) fn at(resource: &Resource, path: &Path) -> Self {
        let mut pointers = Self::default();
        if path.to_string() == "*" {
            pointers.collect_references(&resource.attributes, None);
            return pointers;
        }
        let mut nodes = vec![&resource.attributes];
        for step in &path.steps {
            let names: Vec<String> = step.names.iter().map(ToString::to_string).collect();
            nodes = nodes.into_iter().flat_map(|node| pointers.children(node, &names)).collect();
        }
        for node in nodes {
            pointers.collect(node, None, resource.format);
        }
        pointers
    }

    /// The children of a node; what lies below one that nobody knows may point to anything.
    fn children<'v>(&mut self, node: &'v Value, names: &[String]) -> Vec<&'v Value> {
        match node.data() {
            Data::List(list) => list.items.iter().flat_map(|item| self.children(item, names)).collect(),
            Data::Unknown(_) | Data::OneOf(_) => {
                self.open = self.open.take().or_else(|| Some(choice_of(node)));
                Vec::new()
            }
            _ => names.iter().filter_map(|name| node.get(name)).collect(),
        }
    }

    /// What a value at the end of a link's path points to; below a choice only perhaps.
    fn collect(&mut self, value: &Value, choice: Option<&Reason>, format: FormatId) {
        let references = value.references();
        self.references.extend(references.iter().map(|reference| (Arc::clone(&reference.address), choice.cloned())));
        let outside = references.iter().any(|reference| reference.address.split('.').any(|part| part == "data"));
        match value.data() {
            Data::Text(text) if references.is_empty() => self.names.push(Named::plain(text, choice, value)),
            Data::List(list) => list.items.iter().for_each(|item| self.collect(item, choice, format)),
            Data::OneOf(alternatives) => {
                let choice = choice_of(value);
                alternatives.iter().for_each(|item| self.collect(item, Some(&choice), format));
            }
            Data::Unknown(unknown) if references.is_empty() || outside => {
                self.open.get_or_insert_with(|| unknown.reason.clone());
            }
            Data::Map(map) => match map.get("name").filter(|_| format == FormatId::Kubernetes) {
                Some(name) => self.collect_object(map, name, choice, format),
                None => map.entries().iter().for_each(|(_, value)| self.collect(value, choice, format)),
            },
            _ => {}
        }
    }

    /// What an object reference points to.
    fn collect_object(&mut self, map: &Map, name: &Value, choice: Option<&Reason>, format: FormatId) {
        let before = self.names.len();
        self.collect(name, choice, format);
        let said = |key: &str| map.get(key).filter(|value| !value.is_null());
        let unknown = |value: &Value| undecided_reason(value).filter(|_| value.as_text().is_none());
        let doubt = said("kind").and_then(unknown).or_else(|| said("namespace").and_then(unknown));
        for named in self.names.iter_mut().skip(before) {
            named.kind = said("kind").and_then(Value::as_text).cloned();
            named.namespace = said("namespace").and_then(Value::as_text).cloned();
            named.doubt = named.doubt.take().or_else(|| doubt.clone());
        }
    }

    /// The references anywhere below a value.
    fn collect_references(&mut self, value: &Value, choice: Option<&Reason>) {
        let references = value.references().iter();
        self.references.extend(references.map(|reference| (Arc::clone(&reference.address), choice.cloned())));
        match value.data() {
            Data::List(list) => list.items.iter().for_each(|item| self.collect_references(item, choice)),
            Data::OneOf(alternatives) => {
                let choice = choice_of(value);
                alternatives.iter().for_each(|item| self.collect_references(item, Some(&choice)));
            }
            Data::Map(map) => map.entries().iter().for_each(|(_, value)| self.collect_references(value, choice)),
            _ => {}
        }
    }

    /// Takes the attribute that identifies a resource; below something unknown it may be anything.
    pub(super) fn identify_at(&mut self, attributes: &Value, attribute: &str) {
        let mut value = attributes;
        for key in attribute.split('.') {
            if matches!(value.data(), Data::Unknown(_) | Data::OneOf(_)) {
                self.open = self.open.take().or_else(|| Some(choice_of(value)));
                return;
            }
            match value.get(key) {
                Some(below) => value = below,
                None => return,
            }
        }
        self.identify(value, None);
    }

    /// Takes a value that identifies its resource.
    fn identify(&mut self, value: &Value, choice: Option<&Reason>) {
        match value.data() {
            Data::Text(text) => self.names.push(Named::plain(text, choice, value)),
            Data::Unknown(unknown) => {
                self.open.get_or_insert_with(|| unknown.reason.clone());
            }
            Data::OneOf(alternatives) => {
                let choice = choice_of(value);
                alternatives.iter().for_each(|one| self.identify(one, Some(&choice)));
            }
            _ => {}
        }
    }
}

impl Named {
    fn plain(name: &Arc<str>, doubt: Option<&Reason>, value: &Value) -> Self {
        Self { name: Arc::clone(name), kind: None, namespace: None, doubt: doubt.cloned(), value: value.clone() }
    }
}

/// Why nobody can know which of its alternatives a value is.
fn choice_of(value: &Value) -> Reason {
    let subject = "a choice that depends on an unknown value";
    undecided_reason(value).unwrap_or_else(|| Reason::new(ReasonKind::Unsupported, subject, Some(value.span())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{FileTable, Span};
    use crate::source_tree::{SourceFile, TreePath};
    use crate::syntax::{Scalars, parse_yaml};

    fn pointers(format: FormatId, text: &str, path: &str) -> Pointers {
        let file = Arc::new(SourceFile::from_bytes(TreePath::new("a.yaml").unwrap(), text.into()).unwrap());
        let read = parse_yaml(text, FileTable::default().add(&file), Scalars::Yaml11);
        let resource = Resource {
            address: "a".into(),
            type_name: "A".into(),
            name: "a".into(),
            format,
            span: Span::NOWHERE,
            header: Span::NOWHERE,
            attributes: read.documents[0].value.clone(),
            auxiliary: false,
            maybe: None,
            owner: None,
            called_from: None,
        };
        Pointers::at(&resource, &Path::parse(path).unwrap())
    }

    fn names(pointers: &Pointers) -> Vec<String> {
        let said = |named: &Named| {
            let part = |part: &Option<Arc<str>>| part.as_deref().unwrap_or("-").to_owned();
            format!("{}/{}/{}", part(&named.kind), part(&named.namespace), named.name)
        };
        pointers.names.iter().map(said).collect()
    }

    #[test]
    fn object_references_say_kind_and_namespace() {
        let text = "subjects: [{kind: User, name: a, apiGroup: x}, {kind: ServiceAccount, namespace: shop, name: b}, {name: c}]";
        assert_eq!(
            names(&pointers(FormatId::Kubernetes, text, "subjects")),
            ["User/-/a", "ServiceAccount/shop/b", "-/-/c"]
        );
    }

    #[test]
    fn maps_of_other_formats_are_no_object_references() {
        let found = pointers(FormatId::Terraform, "block: {name: a, bucket: b}", "block");
        assert_eq!(names(&found), ["-/-/a", "-/-/b"]);
    }

    #[test]
    fn lists_on_the_way_are_looked_through() {
        let text = "rules: [{paths: [{to: {name: a}}]}, {paths: [{to: {name: b}}, {other: 1}]}]";
        assert_eq!(names(&pointers(FormatId::Kubernetes, text, "rules.paths.to")), ["-/-/a", "-/-/b"]);
    }
}
