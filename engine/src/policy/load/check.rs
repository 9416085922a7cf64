//! One check of a section: what it speaks of, what it asks, its links and its examples.

use crate::policy::{
    Check, Condition, Fix, Library, Link, Literal, Matcher, Part, Path, Placeholder, PolicyId, Related, Rule, Template,
    TypePlaces,
};
use crate::resource::{FormatId, Key, Value};

use super::condition::Conditions;
use super::examples::{Example, examples};
use super::fields::{Fields, Reading};

/// Most links of a check.
const RELATED_LIMIT: usize = 16;

/// Where a check stands.
pub(super) struct Scope<'r, 'f> {
    pub(super) reading: &'r Reading<'f>,
    pub(super) library: &'r Library,
    pub(super) params: &'r [(String, Literal)],
    pub(super) format: Option<FormatId>,
    pub(super) policy: &'r PolicyId,
}

impl Scope<'_, '_> {
    pub(super) fn check(&self, value: &Value, index: usize) -> Option<(Check, Vec<Example>)> {
        let reading = self.reading;
        let mut fields = reading.map(value, "a check")?;
        let (resource, types_at) = fields.required(reading, "resource").map(|value| self.types(&value)).unzip();
        let related = fields.take("related").map(|value| self.related(&value)).unwrap_or_default();
        let when = fields.take("when").and_then(|value| self.all(&value));
        let unless = fields.take("unless").and_then(|value| self.all(&value));
        let rule = self.rule(&mut fields, value);
        let message = fields.take("message");
        let fix = fields.take("fix");
        let span = |part: &Option<Value>| part.as_ref().map_or(value.span(), Value::span);
        let says_at = reading.place(span(&message), span(&fix));
        let message = message.and_then(|value| self.template(&value));
        let fix = fix.and_then(|value| self.fix(&value));
        let undecided_blocks = self.undecided(&mut fields);
        let examples = examples(reading, self.policy, self.format, index, fields.required(reading, "examples"));
        fields.finish(reading);
        let check = Check {
            format: self.format,
            resource: resource?,
            types_at: types_at.unwrap_or_default(),
            when,
            unless,
            related,
            rule: rule?,
            message,
            fix,
            undecided_blocks,
            says_at,
        };
        self.related_names_are_used(&check);
        Some((check, examples))
    }

    fn conditions(&self) -> Conditions<'_, '_> {
        Conditions { reading: self.reading, library: self.library, params: self.params, depth: 0 }
    }

    fn all(&self, value: &Value) -> Option<Condition> {
        let mut conditions = self.conditions().entries(value)?;
        if conditions.len() == 1 { conditions.pop() } else { Some(Condition::All(conditions)) }
    }

    /// Type names, globs, or the names of a set; and where each is written.
    fn types(&self, value: &Value) -> (Vec<String>, TypePlaces) {
        let mut types = Vec::new();
        let mut places = Vec::new();
        for item in self.reading.one_or_many(value) {
            let Some(text) = self.reading.text(&item) else { continue };
            let place = self.reading.position(item.span());
            let Some(name) = text.strip_prefix('$') else {
                types.push(text);
                places.push(place);
                continue;
            };
            match self.library.sets.get(name) {
                Some(set) => {
                    types.extend(set.values.iter().map(Literal::to_text));
                    places.resize(types.len(), place);
                }
                None => {
                    let known = self.library.sets.keys().map(String::as_str);
                    self.reading.unknown(item.span(), "set of types", name, known);
                }
            }
        }
        (types, TypePlaces(places))
    }

    fn rule(&self, fields: &mut Fields, check: &Value) -> Option<Rule> {
        let require = fields.take("require");
        let forbid = fields.take("forbid");
        match (require, forbid) {
            (Some(require), None) => self.conditions().entries(&require).map(Rule::Require),
            (None, Some(forbid)) if forbid.as_text().is_some_and(|text| &**text == "exists") => {
                Some(Rule::ForbidResource)
            }
            (None, Some(forbid)) => {
                let conditions = self.conditions().entries(&forbid)?;
                for condition in &conditions {
                    if let Condition::Entry { matcher: Matcher::Absent, place, .. } = condition {
                        let hint = "to forbid `absent` is to require `present`: say that";
                        self.reading.mistake_at(place.value, hint);
                    }
                }
                Some(Rule::Forbid(conditions))
            }
            (Some(_), Some(forbid)) => {
                let hint = "a check has `require` or `forbid`, not both: make it a list of two checks";
                self.reading.mistake(forbid.span(), hint);
                None
            }
            (None, None) => {
                self.reading.mistake(check.span(), "a check needs `require` or `forbid`");
                None
            }
        }
    }

    fn template(&self, value: &Value) -> Option<Template> {
        let text = self.reading.text(value)?;
        let template = Template::parse(text.trim());
        let template = template.map_err(|message| self.reading.mistake(value.span(), &message)).ok()?;
        for part in &template.0 {
            if let Part::Filled(Placeholder::Param(name)) = part
                && !self.params.iter().any(|(param, _)| param == name)
            {
                let known = self.params.iter().map(|(param, _)| param.as_str());
                self.reading.unknown(value.span(), "parameter", name, known);
            }
        }
        Some(template)
    }

    fn undecided(&self, fields: &mut Fields) -> bool {
        let Some(value) = fields.take("undecided") else { return false };
        match self.reading.text(&value).as_deref() {
            Some("block") => true,
            Some("report") | None => false,
            Some(other) => {
                self.reading.unknown(
                    value.span(),
                    "way to treat undecided answers",
                    other,
                    ["report", "block"].into_iter(),
                );
                false
            }
        }
    }

    fn related(&self, value: &Value) -> Vec<Related> {
        let entries = self.reading.entries(value, "related").unwrap_or_default();
        if entries.len() > RELATED_LIMIT {
            self.reading.mistake(value.span(), &format!("a check has at most {RELATED_LIMIT} links"));
        }
        let mut links: Vec<Related> = Vec::new();
        for (key, value) in entries.iter().take(RELATED_LIMIT) {
            if let Some(link) = self.link(key, value, &links) {
                links.push(link);
            }
        }
        links
    }

    fn link(&self, key: &Key, value: &Value, before: &[Related]) -> Option<Related> {
        let reading = self.reading;
        let mut fields = reading.map(value, "a link")?;
        let (resource, types_at) = fields.required(reading, "resource").map(|value| self.types(&value)).unzip();
        let (except, _) = fields.take("except").map(|value| self.types(&value)).unwrap_or_default();
        let of = fields.take("of").and_then(|value| {
            let name = reading.text(&value)?;
            if !before.iter().any(|link| link.name == name) {
                reading.unknown(
                    value.span(),
                    "link above this one",
                    &name,
                    before.iter().map(|link| link.name.as_str()),
                );
            }
            Some(name)
        });
        let (via, selector) = (fields.take("via"), fields.take("selector"));
        let path_at = via.as_ref().or(selector.as_ref()).map_or(value.span(), Value::span);
        let place = reading.place(key.span, path_at);
        let link = match (via, selector) {
            (Some(via), None) => self.direction(&via, Link::Mine, Link::Theirs),
            (None, Some(selector)) => self.direction(&selector, Link::MySelector, Link::TheirSelector),
            _ => {
                reading.mistake(value.span(), "a link has `via` or `selector`");
                None
            }
        };
        fields.finish(reading);
        let types_at = types_at.unwrap_or_default();
        Some(Related { name: key.text.to_string(), resource: resource?, except, of, link: link?, place, types_at })
    }

    /// `this.x` is mine, `x` is theirs.
    fn direction(&self, value: &Value, mine: fn(Path) -> Link, theirs: fn(Path) -> Link) -> Option<Link> {
        let text = self.reading.text(value)?;
        let path = |text: &str| self.conditions().path(text, value.span());
        match text.strip_prefix("this.") {
            Some(rest) => path(rest).map(mine),
            None => path(&text).map(theirs),
        }
    }

    fn fix(&self, value: &Value) -> Option<Fix> {
        let reading = self.reading;
        let mut fields = reading.map(value, "a fix")?;
        let set = fields.take("set").map(|value| {
            let entries = reading.entries(&value, "`set`").unwrap_or_default();
            let pair = |(key, value): &(Key, Value)| {
                Some((self.conditions().path(&key.text, key.span)?, reading.literal(value)?))
            };
            Fix::Set(entries.iter().filter_map(pair).collect())
        });
        let remove = fields
            .take("remove")
            .and_then(|value| self.conditions().path(&reading.text(&value)?, value.span()).map(Fix::Remove));
        let add = fields.take("add").and_then(|value| reading.text(&value)).map(Fix::Add);
        fields.finish(reading);
        let fix = set.or(remove).or(add);
        if fix.is_none() {
            reading.mistake(value.span(), "a fix has `set`, `remove` or `add`");
        }
        fix
    }

    fn related_names_are_used(&self, check: &Check) {
        for link in &check.related {
            let goes_on = check.related.iter().any(|other| other.of.as_ref() == Some(&link.name));
            let mut heads = Vec::new();
            let (Rule::Require(rule) | Rule::Forbid(rule)) = &check.rule else { continue };
            rule.iter()
                .chain(&check.when)
                .chain(&check.unless)
                .for_each(|condition| collect_heads(condition, &mut heads));
            if !goes_on && !heads.contains(&link.name.as_str()) {
                let hint = format!("the link `{0}` is never used: begin a path with `{0}.`, or remove it", link.name);
                self.reading.mistake_at(link.place.key, &hint);
            }
        }
    }
}

/// The first names of every path of a condition.
fn collect_heads<'c>(condition: &'c Condition, heads: &mut Vec<&'c str>) {
    match condition {
        Condition::Entry { path, .. } => heads.extend(path.head()),
        Condition::All(conditions) | Condition::Any(conditions) => {
            conditions.iter().for_each(|condition| collect_heads(condition, heads));
        }
        Condition::Not(condition) => collect_heads(condition, heads),
    }
}
