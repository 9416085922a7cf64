//! One policy file against the schemas: every type and path it names.

use std::fmt;

use super::node::{Lost, Node};
use super::{Schemas, Shape};
use crate::policy::{
    Check, Condition, Defaults, Fix, Library, Link, Literal, Loaded, Matcher, Part, Path, Place, Placeholder, Related,
    Rule, Step, glob_matches, nearest, nearest_within,
};
use crate::resource::FormatId;
use crate::source_tree::LineColumn;

/// Something in a policy that the types it speaks of do not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of mistake it is: `unknown-path`.
    pub name: &'static str,
    /// The policy file.
    pub path: String,
    /// Where in it.
    pub place: LineColumn,
    /// What is wrong and what was probably meant.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {} [{}]", self.path, self.place.line, self.place.column, self.message, self.name)
    }
}

/// What is wrong with a policy file by the schemas, in the order of the file. `path` is only used in findings.
#[must_use]
pub fn check(path: &str, loaded: &Loaded, library: &Library, schemas: &Schemas) -> Vec<Finding> {
    let mut findings = Vec::new();
    // The instances of a policy have its checks, each with parameters of its own.
    for policy in &loaded.policies {
        for check in &policy.checks {
            let types = types(schemas, check.format, &check.resource);
            let mut sink = Sink {
                schemas,
                defaults: &library.defaults,
                path,
                check,
                params: &policy.params,
                types,
                findings: Vec::new(),
                subject: String::new(),
            };
            sink.whole();
            findings.append(&mut sink.findings);
        }
    }
    findings.sort_by_key(|finding| finding.place);
    findings.dedup();
    findings
}

/// How many of a check's types must have what a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strictness {
    /// All: a requirement on what a type does not have always fails.
    InAll,
    /// One: elsewhere it never holds, which may be meant.
    InSome,
}

/// One check under examination.
pub(super) struct Sink<'s, 'c> {
    pub(super) schemas: &'s Schemas,
    defaults: &'c Defaults,
    path: &'c str,
    check: &'c Check,
    pub(super) params: &'c [(String, Literal)],
    /// The types it speaks of that have a schema.
    types: Vec<(String, Shape<'s>)>,
    findings: Vec<Finding>,
    /// The path that is spoken of.
    subject: String,
}

impl<'s> Sink<'s, '_> {
    pub(super) fn say(&mut self, name: &'static str, place: LineColumn, message: String) {
        let message = if self.subject.is_empty() { message } else { format!("`{}`: {message}", self.subject) };
        self.findings.push(Finding { name, path: self.path.to_owned(), place, message });
    }

    fn whole(&mut self) {
        let check = self.check;
        for (position, name) in check.resource.iter().enumerate() {
            self.known_type(name, check.types_at.get(position));
        }
        check.related.iter().for_each(|link| self.link(link));
        for condition in check.when.iter().chain(&check.unless) {
            self.every_type(condition, Strictness::InSome);
        }
        match &check.rule {
            Rule::Require(conditions) => conditions.iter().for_each(|c| self.every_type(c, Strictness::InAll)),
            Rule::Forbid(conditions) => conditions.iter().for_each(|c| self.every_type(c, Strictness::InSome)),
            Rule::ForbidResource => {}
        }
        self.message_and_fix();
    }

    /// A type that a provider with a schema does not have.
    fn known_type(&mut self, name: &str, place: LineColumn) {
        let format = self.check.format;
        let schemas = self.schemas;
        if name.contains('*') {
            let is_meant = provider(name).is_some_and(|own| schemas.types(format).any(|n| provider(n) == Some(own)));
            if is_meant && name != "*" && !schemas.types(format).any(|known| glob_matches(name, known)) {
                self.say("unknown-type", place, format!("no resource type is like `{name}`"));
            }
            return;
        }
        if schemas.shape(format, name).is_some() {
            return;
        }
        let known: Vec<&str> = schemas.types(format).filter(|known| !known.starts_with('@')).collect();
        if known.is_empty() {
            return;
        }
        let near = nearest(name, &known);
        if !is_closed(format, name, &known) {
            return;
        }
        let hint = match near {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if format == Some(FormatId::Dockerfile) => format!("known are: {}", sorted(known).join(", ")),
            None => "look the name up in the provider's documentation".to_owned(),
        };
        self.say("unknown-type", place, format!("`{name}` is no resource type; {hint}"));
    }

    fn link(&mut self, link: &Related) {
        for (position, name) in link.resource.iter().enumerate() {
            self.known_type(name, link.types_at.get(position));
        }
        if let Some((owner, _)) = self.types.iter().find(|(_, shape)| shape.field(&link.name).is_some()) {
            let message =
                format!("the link `{0}` hides the attribute `{0}` of `{owner}`: name it otherwise", link.name);
            self.say("hidden-attribute", link.place.key, message);
        }
        let (path, is_theirs) = match &link.link {
            Link::Theirs(path) | Link::TheirSelector(path) => (path, true),
            Link::Mine(path) | Link::MySelector(path) => (path, false),
        };
        if path.steps.first().is_some_and(|step| step.to_string() == "*") {
            return;
        }
        let before = link.of.as_ref().and_then(|of| self.check.related.iter().find(|link| link.name == *of));
        let nodes = match (is_theirs, before) {
            (true, _) => self.targets(link),
            (false, Some(before)) => self.targets(before),
            (false, None) => self.root(),
        };
        self.path(&nodes, path, link.place.value, Strictness::InSome);
    }

    fn targets(&self, link: &Related) -> Vec<(String, Node<'s>)> {
        let types = types(self.schemas, self.check.format, &link.resource);
        types.into_iter().map(|(name, shape)| (name, Node::root(shape))).collect()
    }

    pub(super) fn root(&self) -> Vec<(String, Node<'s>)> {
        self.types.iter().map(|(name, shape)| (name.clone(), Node::root(*shape))).collect()
    }

    /// A condition on the checked resource, whatever its type.
    fn every_type(&mut self, condition: &Condition, strictness: Strictness) {
        match condition {
            Condition::All(conditions) => conditions.iter().for_each(|inner| self.every_type(inner, strictness)),
            // One alternative may speak of one type, the next of another.
            Condition::Any(conditions) => {
                conditions.iter().for_each(|inner| self.every_type(inner, Strictness::InSome));
            }
            Condition::Not(condition) => self.every_type(condition, Strictness::InSome),
            Condition::Entry { path, matcher, place } => self.entry(path, matcher, *place, strictness),
        }
    }

    fn entry(&mut self, path: &Path, matcher: &Matcher, place: Place, strictness: Strictness) {
        let link = path.head().and_then(|head| self.check.related.iter().find(|link| link.name == head));
        let (nodes, rest) = match link {
            Some(link) => (self.targets(link), path.tail()),
            None => (self.root(), path.clone()),
        };
        let ends = self.path(&nodes, &rest, place.key, strictness);
        self.subject = path.to_string();
        self.own_default(&nodes, &rest, matcher, place);
        // What is said of one type need not be said of all the others.
        let before = self.findings.len();
        for end in ends {
            if self.findings.len() == before {
                self.matcher(&end, matcher, place);
            }
        }
        self.subject.clear();
    }

    /// A `default` of the rule's own where the provider has one: it is never used.
    fn own_default(&mut self, nodes: &[(String, Node<'s>)], path: &Path, matcher: &Matcher, place: Place) {
        let Matcher::Operators { default: Some(own), .. } = matcher else { return };
        let names: Vec<String> = path.steps.iter().map(ToString::to_string).collect();
        let known = nodes.iter().map(|(owner, _)| {
            let attribute = self.defaults.of(owner)?.iter().find(|attribute| attribute.path == names)?;
            (names.len() == 1 || attribute.without_block).then(|| attribute.values.first())?
        });
        let known: Option<Vec<_>> = known.collect();
        if let Some(value) = known.and_then(|values| values.first().map(|value| value.value.clone())) {
            let message = if value == *own {
                format!("the provider's default is {value} already: leave `default` out")
            } else {
                format!("the provider's default is {value}, so `default: {own}` is never used")
            };
            self.say("unused-default", place.value, message);
        }
    }

    /// Where a path leads in each of the types that have it.
    pub(super) fn path(
        &mut self,
        nodes: &[(String, Node<'s>)],
        path: &Path,
        place: LineColumn,
        strictness: Strictness,
    ) -> Vec<Node<'s>> {
        let mut ends = Vec::new();
        let mut lost = Vec::new();
        for (owner, node) in nodes {
            match node.follow(self.schemas, &path.steps) {
                Ok(end) => ends.push(end),
                Err(why) => lost.push((owner, why)),
            }
        }
        let is_wrong = ends.is_empty() || strictness == Strictness::InAll;
        if let Some((owner, why)) = lost.first().filter(|_| is_wrong) {
            self.lost(owner, &path.steps, why, place);
        }
        let is_read = nodes.iter().any(|(owner, _)| owner.starts_with("data."));
        if !ends.is_empty() && ends.iter().all(|end| end.computed) && !is_read && path.steps.len() == 1 {
            let message = format!("`{path}` is computed by the provider: nobody writes it, so it is never there");
            self.say("computed", place, message);
        }
        ends
    }

    fn lost(&mut self, owner: &str, steps: &[Step], why: &Lost, place: LineColumn) {
        let path = Path { steps: steps.to_vec() };
        let message = match why {
            Lost::Unknown { name, meant } => {
                let hint = match meant {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "look it up in the provider's documentation".to_owned(),
                };
                let within = if path.steps.len() > 1 { format!(" (in `{path}`)") } else { String::new() };
                format!("`{owner}` has no `{name}`{within}; {hint}")
            }
            Lost::Below { name, what } => {
                let hint = if *what == "text" { "; text is read with `@json`, `@yaml` or `@iam`" } else { "" };
                format!("`{path}` leads below what is {what} in `{owner}`: there is no `{name}` in it{hint}")
            }
        };
        self.say("unknown-path", place, message);
    }

    /// A condition on a node of one type.
    pub(super) fn condition(&mut self, node: &Node<'s>, condition: &Condition) {
        match condition {
            Condition::All(conditions) | Condition::Any(conditions) => {
                conditions.iter().for_each(|inner| self.condition(node, inner));
            }
            Condition::Not(condition) => self.condition(node, condition),
            Condition::Entry { path, matcher, place } => {
                if node.is_any() {
                    return;
                }
                let outer = std::mem::take(&mut self.subject);
                let owner = (outer.clone(), node.clone());
                let ends = self.path(&[owner], path, place.key, Strictness::InAll);
                self.subject = path.to_string();
                for end in ends {
                    self.matcher(&end, matcher, *place);
                }
                self.subject = outer;
            }
        }
    }

    fn message_and_fix(&mut self) {
        let check = self.check;
        let parts = check.message.iter().flat_map(|message| &message.0);
        for part in parts {
            if let Part::Filled(Placeholder::This(keys)) = part
                && let Ok(path) = Path::parse(&keys.join("."))
            {
                self.path(&self.root(), &path, check.says_at.key, Strictness::InSome);
            }
        }
        match &check.fix {
            Some(Fix::Set(pairs)) => {
                for (path, literal) in pairs {
                    let ends = self.path(&self.root(), path, check.says_at.value, Strictness::InSome);
                    self.subject = path.to_string();
                    let place = Place { key: check.says_at.value, value: check.says_at.value };
                    ends.iter().take(1).for_each(|end| self.matcher(end, &Matcher::Is(literal.clone()), place));
                    self.subject.clear();
                }
            }
            Some(Fix::Remove(path)) => {
                self.path(&self.root(), path, check.says_at.value, Strictness::InSome);
            }
            Some(Fix::Add(_)) | None => {}
        }
    }
}

/// The types among those named that have a schema; a glob stands for all it matches.
fn types<'s>(schemas: &'s Schemas, format: Option<FormatId>, names: &[String]) -> Vec<(String, Shape<'s>)> {
    let mut types = Vec::new();
    for name in names {
        if name.contains('*') && name != "*" {
            let matched: Vec<&str> = schemas.types(format).filter(|known| glob_matches(name, known)).collect();
            types.extend(sorted(matched).into_iter().filter_map(|n| Some((n.to_owned(), schemas.shape(format, n)?))));
        } else {
            types.extend(schemas.shape(format, name).map(|shape| (name.clone(), shape)));
        }
    }
    types
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names.dedup();
    names
}

/// The provider of a type: `aws` of `aws_s3_bucket` and of `data.aws_caller_identity`.
fn provider(name: &str) -> Option<&str> {
    let name = name.strip_prefix("data.").unwrap_or(name);
    name.split_once("::").or_else(|| name.split_once('_')).map(|(provider, _)| provider)
}

/// Whether an unlisted type is a mistake: its provider's types are all listed, or it is all but one of them.
fn is_closed(format: Option<FormatId>, name: &str, known: &[&str]) -> bool {
    // Short names are near many others.
    let is_near = name.len() > 4 && nearest_within(name, known, 1).is_some();
    let is_misspelt = is_near || known.iter().any(|known| known.eq_ignore_ascii_case(name));
    match format {
        None | Some(FormatId::Dockerfile) => true,
        // Serverless and custom types are made into others before they are created.
        Some(FormatId::Cloudformation) => name.starts_with("AWS::") && !name.starts_with("AWS::Serverless::"),
        Some(FormatId::Terraform) => {
            let own = provider(name);
            is_misspelt || (own.is_some() && known.iter().any(|known| provider(known) == own))
        }
        Some(FormatId::Kubernetes | FormatId::Azure | FormatId::Compose | FormatId::GithubActions) => is_misspelt,
    }
}
