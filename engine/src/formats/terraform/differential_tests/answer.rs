//! What terraform answered, and whether a value of ours agrees with it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::resource::{Data, ListKind, MapKind, Type, Value};

/// A value as terraform shows it.
#[derive(Debug)]
pub(super) enum Told {
    Unknown,
    Sensitive,
    /// JSON.
    Scalar(Json),
    List(ListKind, Vec<Told>),
    Map(MapKind, BTreeMap<String, Told>),
}

/// Ours is known where theirs is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KnowsMore(pub bool);

impl Told {
    /// Reads one line: JSON with `L[`, `S[` and `M{` for collections of one type, `?` for unknown, `!` for sensitive.
    pub(super) fn read(text: &str) -> Self {
        let mut left = text;
        let told = Self::next(&mut left);
        assert_eq!(left, "", "in {text}");
        told
    }

    fn next(left: &mut &str) -> Self {
        let starts = [("L[", ListKind::List), ("S[", ListKind::Set), ("[", ListKind::Tuple)];
        for (start, kind) in starts {
            if let Some(rest) = left.strip_prefix(start) {
                *left = rest;
                return Self::List(kind, until(left, ']', Self::next));
            }
        }
        for (start, kind) in [("M{", MapKind::Map), ("{", MapKind::Object)] {
            if let Some(rest) = left.strip_prefix(start) {
                *left = rest;
                let entry = |left: &mut &str| {
                    let Json::String(key) = json(left) else { panic!("no key in {left}") };
                    *left = left.strip_prefix(':').unwrap();
                    (key, Self::next(left))
                };
                return Self::Map(kind, until(left, '}', entry).into_iter().collect());
            }
        }
        for (sign, told) in [("?", Self::Unknown), ("!", Self::Sensitive)] {
            if let Some(rest) = left.strip_prefix(sign) {
                *left = rest;
                return told;
            }
        }
        // What JSON cannot write.
        for sign in ["+Inf", "-Inf"] {
            if let Some(rest) = left.strip_prefix(sign) {
                *left = rest;
                return Self::Scalar(Json::String(sign.into()));
            }
        }
        Self::Scalar(json(left))
    }

    /// Whether ours is the same, or `None` where it is not.
    pub(super) fn agrees(&self, ours: &Value) -> Option<KnowsMore> {
        match (self, ours.data()) {
            (Self::Unknown, Data::Unknown(_) | Data::OneOf(_)) => Some(KnowsMore(false)),
            // Terraform may know how much there is where we know each possibility.
            (told, Data::OneOf(alternatives)) => {
                all(alternatives.iter().map(|one| told.agrees(one))).map(|_| KnowsMore(false))
            }
            (Self::Unknown, _) => Some(KnowsMore(true)),
            (Self::Sensitive, _) => ours.is_sensitive().then_some(KnowsMore(false)),
            _ if ours.is_sensitive() => None,
            (Self::Scalar(json), _) => is(ours, json).then_some(KnowsMore(false)),
            (Self::List(kind, told), Data::List(list)) => {
                let same = *kind == list.kind && told.len() == list.items.len();
                same.then(|| all(told.iter().zip(&list.items).map(|(told, ours)| told.agrees(ours))))?
            }
            (Self::Map(kind, told), Data::Map(map)) => {
                let same = *kind == map.kind && map.entries().iter().all(|(key, _)| told.contains_key(&*key.text));
                same.then(|| all(told.iter().map(|(key, told)| map.get(key).and_then(|ours| told.agrees(ours)))))?
            }
            _ => None,
        }
    }
}

fn all(answers: impl Iterator<Item = Option<KnowsMore>>) -> Option<KnowsMore> {
    answers.collect::<Option<Vec<_>>>().map(|all| KnowsMore(all.contains(&KnowsMore(true))))
}

fn until<T>(left: &mut &str, end: char, one: impl Fn(&mut &str) -> T) -> Vec<T> {
    let mut items = Vec::new();
    loop {
        if let Some(rest) = left.strip_prefix(end) {
            *left = rest;
            return items;
        }
        *left = left.strip_prefix(',').unwrap_or(left);
        items.push(one(left));
    }
}

/// The JSON a text begins with.
fn json(left: &mut &str) -> Json {
    let number = left.len() - left.trim_start_matches(|c: char| c.is_ascii_digit() || "+-.eE".contains(c)).len();
    if number > 0 {
        // Numbers have more digits than JSON's reader keeps.
        let (number, rest) = left.split_at(number);
        *left = rest;
        return Json::Array(vec![Json::String(number.into())]);
    }
    let mut stream = serde_json::Deserializer::from_str(left).into_iter::<Json>();
    let json = stream.next().unwrap().unwrap();
    let read = stream.byte_offset();
    *left = &left[read..];
    json
}

fn is(ours: &Value, json: &Json) -> bool {
    match (ours.data(), json) {
        (Data::Null, Json::Null) => true,
        (Data::Bool(ours), Json::Bool(json)) => ours == json,
        (Data::Text(ours), Json::String(json)) => **ours == **json,
        (Data::Number(ours), Json::Array(number)) => number.first().is_some_and(|text| *text == ours.to_string()),
        _ => false,
    }
}

/// Whether ours, of which something may be unknown, may turn out to be this.
pub(super) fn admits(ours: &Value, json: &Json) -> bool {
    match (ours.data(), json) {
        (Data::OneOf(alternatives), _) => alternatives.iter().any(|one| admits(one, json)),
        (Data::Unknown(unknown), _) => {
            let members = ours.notes().map_or(&[][..], |notes| &notes.members);
            let holds = |member: &Value| json.as_array().is_none_or(|all| all.iter().any(|item| admits(member, item)));
            let begins = |text: &str| unknown.prefix.as_ref().is_none_or(|prefix| text.starts_with(&**prefix));
            !(json.is_null() && unknown.not_null)
                && json.as_str().is_none_or(begins)
                && is_of(&unknown.shape, json)
                && members.iter().all(holds)
        }
        (Data::Number(ours), Json::Number(json)) => {
            json.as_f64().is_some_and(|json| (ours.as_f64() - json).abs() <= json.abs() * 1e-12)
        }
        (Data::List(list), Json::Array(items)) => {
            if list.kind == ListKind::Set && list.items.iter().any(|item| item.as_unknown().is_some()) {
                return items.iter().all(|json| list.items.iter().any(|ours| admits(ours, json)));
            }
            list.items.len() == items.len() && list.items.iter().zip(items).all(|(ours, json)| admits(ours, json))
        }
        (Data::Map(map), Json::Object(entries)) => {
            map.entries().len() == entries.len()
                && entries.iter().all(|(key, json)| map.get(key).is_some_and(|ours| admits(ours, json)))
        }
        // A branch of unknown type may yet make text of the other branch.
        (Data::Bool(_) | Data::Number(_), Json::String(text)) => ours.scalar_text().is_some_and(|ours| *ours == **text),
        _ => is(ours, json),
    }
}

fn is_of(shape: &Type, json: &Json) -> bool {
    match (shape, json) {
        (Type::Any, _) | (_, Json::Null) => true,
        (Type::Bool, _) => json.is_boolean(),
        (Type::Number, _) => json.is_number(),
        (Type::Text, _) => json.is_string(),
        (Type::List(element) | Type::Set(element), Json::Array(items)) => items.iter().all(|item| is_of(element, item)),
        (Type::Tuple(elements), Json::Array(items)) => {
            elements.len() == items.len() && elements.iter().zip(items).all(|(shape, item)| is_of(shape, item))
        }
        (Type::Map(element), Json::Object(entries)) => entries.values().all(|item| is_of(element, item)),
        (Type::Object(fields), Json::Object(entries)) => {
            fields.len() == entries.len()
                && fields.iter().all(|field| entries.get(&*field.name).is_some_and(|item| is_of(&field.shape, item)))
        }
        _ => false,
    }
}
