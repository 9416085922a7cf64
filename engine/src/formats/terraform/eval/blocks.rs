//! Bodies of blocks as maps: attributes as their author wrote them, nested blocks as lists, dynamic blocks expanded.

use std::sync::Arc;

use super::{Evaluator, Frame, Scope, reason, unknown};
use crate::formats::terraform::syntax::ir::{Block, Body, Item};
use crate::resource::{Data, Key, ListKind, MapKind, Reason, ReasonKind, Span, Type, Value};

/// Arguments that say how many there are, or when; they are no attributes.
const META: [&str; 2] = ["count", "for_each"];

impl<'a> Evaluator<'a> {
    /// The entries of a body. Blocks of one kind stand together, where the first of them does.
    pub(crate) fn body(&self, body: &Body, scope: &Scope<'a, '_>) -> Vec<(Key, Value)> {
        let mut entries: Vec<(Key, Value)> = Vec::with_capacity(body.items.len());
        let mut blocks: Vec<(Key, Vec<Value>)> = Vec::new();
        for item in &body.items {
            match item {
                Item::Attribute(attribute) if META.contains(&&*attribute.name.text) => {}
                Item::Attribute(attribute) => {
                    let scope = self.at_file(scope, attribute.file);
                    let key = Key::new(Arc::clone(&attribute.name.text), scope.span(attribute.name.place));
                    let value = if is_written(&attribute.name.text) {
                        self.written(&attribute.value, &scope)
                    } else {
                        self.eval_whole(&attribute.value, &scope)
                    };
                    entries.push((key, value));
                }
                Item::Block(block) => {
                    let scope = self.at_file(scope, block.file);
                    let (key, values) = self.nested(block, &scope);
                    match blocks.iter_mut().find(|(known, _)| known.text == key.text) {
                        Some((_, all)) => all.extend(values),
                        None => blocks.push((key, values)),
                    }
                }
            }
        }
        let listed = blocks.into_iter().filter(|(_, values)| !values.is_empty()).map(|(key, values)| {
            let span = values.iter().map(Value::span).reduce(Span::to).unwrap_or(key.span);
            let list = Value::list(ListKind::Blocks, values, span);
            (key, list)
        });
        entries.extend(listed);
        entries
    }

    /// The blocks of one kind in a body, if it has any.
    pub(super) fn blocks_of_kind(&self, body: &Body, kind: &Arc<str>, scope: &Scope<'a, '_>) -> Option<Value> {
        let mut values = Vec::new();
        for block in body.blocks() {
            let dynamic = &*block.kind.text == "dynamic" && block.label(0) == &**kind;
            if dynamic || block.kind.text == *kind {
                values.extend(self.nested(block, &self.at_file(scope, block.file)).1);
            }
        }
        let span = values.iter().map(Value::span).reduce(Span::to)?;
        Some(Value::list(ListKind::Blocks, values, span))
    }

    fn at_file<'s>(&self, scope: &Scope<'a, 's>, file: u32) -> Scope<'a, 's> {
        let file = scope.instance.map_or(scope.file, |instance| instance.file(file));
        Scope { file, ..*scope }
    }

    /// What a nested block adds under which name.
    fn nested(&self, block: &Block, scope: &Scope<'a, '_>) -> (Key, Vec<Value>) {
        if &*block.kind.text == "dynamic" && block.labels.len() == 1 {
            return self.dynamic(block, scope);
        }
        let key = Key::new(Arc::clone(&block.kind.text), scope.span(block.kind.place));
        let span = scope.span(block.place);
        let body = match &*block.kind.text {
            "precondition" | "postcondition" => self.written_body(&block.body, scope, &[]),
            _ => self.body(&block.body, scope),
        };
        let mut value = Value::map(MapKind::Block, body, span);
        for label in block.labels.iter().rev() {
            let key = Key::new(Arc::clone(&label.text), scope.span(label.place));
            let inner = Value::list(ListKind::Blocks, vec![value], span);
            value = Value::map(MapKind::Block, vec![(key, inner)], span);
        }
        (key, vec![value])
    }

    /// `dynamic "kind" { for_each = …, content { … } }`: one block for each element.
    fn dynamic(&self, block: &Block, scope: &Scope<'a, '_>) -> (Key, Vec<Value>) {
        let (kind, place) = block.labels.first().map_or((&block.kind.text, block.kind.place), |l| (&l.text, l.place));
        let key = Key::new(Arc::clone(kind), scope.span(place));
        let span = scope.span(block.place);
        let iterator = block.body.attribute("iterator").and_then(|name| name.value.as_name());
        let iterator = iterator.unwrap_or(kind);
        let Some(content) = block.body.block("content") else {
            let reason = Reason::new(ReasonKind::Invalid, "a dynamic block without content", Some(span));
            return (key, vec![unknown(reason, Type::Any, true, span)]);
        };
        let collection = match block.body.attribute("for_each") {
            Some(each) => self.eval(&each.value, scope),
            None => self.fault("a dynamic block without for_each", span),
        };
        let one = |(at, value, maybe): (Value, Value, Option<Reason>)| {
            let entries = ["key", "value"].into_iter().zip([at, value]);
            let entries = entries.map(|(name, value)| (Key::new(name, value.span()), value)).collect();
            let bindings = [(Arc::clone(iterator), Value::map(MapKind::Object, entries, span))];
            let frame = Frame { bindings: &bindings, outer: scope.frame };
            let inner = Scope { frame: Some(&frame), ..*scope };
            let body = self.body(&content.body, &inner);
            let value = Value::map(MapKind::Block, body, scope.span(content.place));
            match maybe {
                Some(reason) => value.noted(|notes| notes.maybe = Some(reason)),
                None => value,
            }
        };
        (key, self.dynamic_elements(&collection, span).into_iter().map(one).collect())
    }

    /// What a dynamic block is repeated over: key, value, and why it may not be there.
    fn dynamic_elements(&self, collection: &Value, span: Span) -> Vec<(Value, Value, Option<Reason>)> {
        if let Data::OneOf(alternatives) = collection.data() {
            let choice = reason(collection);
            return alternatives
                .iter()
                .flat_map(|one| self.dynamic_elements(one, span))
                .map(|(key, value, maybe)| (key, value, maybe.or_else(|| choice.clone())))
                .collect();
        }
        let open = |reason: Reason| {
            let part = || unknown(reason.clone(), Type::Any, false, span);
            vec![(part(), part(), Some(reason.clone()))]
        };
        match self.attempt(|| self.elements(collection, span)).0 {
            Ok(elements) => elements.into_iter().map(|(key, value)| (key, value, None)).collect(),
            Err(other) => reason(&other).map(open).unwrap_or_default(),
        }
    }

    /// The entries of a body whose expressions are not for now: a type, a condition on a value that does not exist yet.
    pub(crate) fn written_body(&self, body: &Body, scope: &Scope<'a, '_>, evaluated: &[&str]) -> Vec<(Key, Value)> {
        let mut entries = Vec::with_capacity(body.items.len());
        for item in &body.items {
            match item {
                Item::Attribute(attribute) => {
                    let scope = self.at_file(scope, attribute.file);
                    let key = Key::new(Arc::clone(&attribute.name.text), scope.span(attribute.name.place));
                    let value = if evaluated.contains(&&*attribute.name.text) {
                        self.eval(&attribute.value, &scope)
                    } else {
                        self.written(&attribute.value, &scope)
                    };
                    entries.push((key, value));
                }
                Item::Block(block) => {
                    let scope = self.at_file(scope, block.file);
                    let key = Key::new(Arc::clone(&block.kind.text), scope.span(block.kind.place));
                    let span = scope.span(block.place);
                    let inner = self.written_body(&block.body, &scope, evaluated);
                    let inner = vec![Value::map(MapKind::Block, inner, span)];
                    entries.push((key, Value::list(ListKind::Blocks, inner, span)));
                }
            }
        }
        entries
    }

    /// References that are not followed, as text: `depends_on = [aws_x.y]` names what it waits for, and has no value of it.
    fn written(&self, expr: &crate::formats::terraform::syntax::ir::Expr, scope: &Scope<'a, '_>) -> Value {
        use crate::formats::terraform::syntax::ir::Kind;
        let span = scope.span(expr.place);
        match &expr.kind {
            Kind::Tuple(items) => {
                let items = items.iter().map(|item| self.written(item, scope)).collect();
                Value::list(ListKind::Tuple, items, span)
            }
            Kind::Text(text) => Value::text(Arc::clone(text), span),
            _ => {
                let table = self.table.borrow();
                let text = table.get(span.file).map(|file| file.slice(span.range())).unwrap_or_default();
                // JSON writes expressions as strings.
                let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                Value::text(bare.unwrap_or(text), span)
            }
        }
    }
}

/// Whether an attribute of any block names things instead of having a value.
fn is_written(name: &str) -> bool {
    matches!(name, "depends_on" | "provider" | "providers" | "ignore_changes" | "replace_triggered_by")
}
