//! hcl-edit's tree to ours: places instead of decoration, numbers with all their digits.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::expr::{self as hcl, Expression, TraversalOperator};
use hcl_edit::structure::{self, Structure};
use hcl_edit::{Ident, Span as _};

use super::ir::{
    Attribute, BinaryOperator, Block, Body, Call, Conditional, Expr, FileIndex, For, Item, Kind, Name, ObjectKey,
    Place, Step, StepKind, Traversal, UnaryOperator,
};
use super::template;
use crate::formats::terraform::values::{composed, decimal};

/// A text that hcl-edit read, and where it begins in its file.
#[derive(Clone, Copy)]
pub(super) struct Source<'t> {
    pub text: &'t str,
    /// Which file of its folder it is.
    pub file: FileIndex,
    pub offset: usize,
    /// Where everything lies, when offsets in the text say nothing about the file (text inside JSON).
    pub fixed: Option<Place>,
    /// Where the first heredoc without a line begins: hcl-edit takes what follows it for its content.
    pub empty_heredoc: &'t Cell<Option<usize>>,
}

impl Source<'_> {
    pub(super) fn place(&self, range: Option<Range<usize>>) -> Place {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        let range = range.unwrap_or(0..0);
        let cut = |at: usize| u32::try_from(at + self.offset).unwrap_or(u32::MAX);
        Place { start: cut(range.start), end: cut(range.end) }
    }

    pub(super) fn slice(&self, range: Option<Range<usize>>) -> &str {
        range.and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    pub(super) fn body(&self, body: &structure::Body) -> Body {
        let items = body.iter().map(|item| match item {
            Structure::Attribute(attribute) => Item::Attribute(Arc::new(self.attribute(attribute))),
            Structure::Block(block) => Item::Block(Arc::new(self.block(block))),
        });
        Body { items: items.collect(), place: self.place(body.span()) }
    }

    fn attribute(&self, attribute: &structure::Attribute) -> Attribute {
        let name = self.name(&attribute.key, attribute.key.span());
        let value = self.expr(&attribute.value);
        Attribute { file: self.file, name, value }
    }

    fn block(&self, block: &structure::Block) -> Block {
        let kind = self.name(&block.ident, block.ident.span());
        let label = |label: &structure::BlockLabel| Name {
            text: label.as_str().into(),
            place: self.place(match label {
                structure::BlockLabel::Ident(ident) => ident.span(),
                structure::BlockLabel::String(string) => string.span(),
            }),
        };
        let labels: Vec<Name> = block.labels.iter().map(label).collect();
        let header = labels.last().map_or(kind.place, |last| kind.place.to(last.place));
        Block { file: self.file, kind, labels, body: self.body(&block.body), place: self.place(block.span()), header }
    }

    pub(super) fn name(&self, ident: &Ident, span: Option<Range<usize>>) -> Name {
        Name { text: ident.as_str().into(), place: self.place(span) }
    }

    fn boxed(&self, expr: &Expression) -> Box<Expr> {
        Box::new(self.expr(expr))
    }

    pub(super) fn expr(&self, expr: &Expression) -> Expr {
        let kind = match expr {
            Expression::Null(_) => Kind::Null,
            Expression::Bool(value) => Kind::Bool(*value.value()),
            Expression::Number(_) => self.number(expr.span()),
            Expression::String(text) => Kind::Text(composed(text.as_str()).into()),
            Expression::Array(array) => Kind::Tuple(array.iter().map(|item| self.expr(item)).collect()),
            Expression::Object(object) => self.object(object),
            Expression::StringTemplate(template) => template::quoted(self, template),
            Expression::HeredocTemplate(heredoc) => {
                if self
                    .slice(expr.span())
                    .split_once('\n')
                    .is_some_and(|(_, rest)| ends_heredoc(rest, &heredoc.delimiter))
                {
                    let at = expr.span().map(|range| range.start);
                    self.empty_heredoc.set(self.empty_heredoc.get().or(at));
                }
                template::heredoc(self, heredoc, expr.span())
            }
            Expression::Parenthesis(inner) => {
                return Expr { place: self.place(expr.span()), ..self.expr(inner.inner()) };
            }
            Expression::Variable(ident) => Kind::Name(ident.as_str().into()),
            Expression::Conditional(conditional) => Kind::Conditional(Box::new(Conditional {
                condition: self.expr(&conditional.cond_expr),
                then: self.expr(&conditional.true_expr),
                otherwise: self.expr(&conditional.false_expr),
            })),
            Expression::FuncCall(call) => Kind::Call(Box::new(self.call(call))),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::UnaryOp(unary) => Kind::Unary(
                match unary.operator.value() {
                    hcl::UnaryOperator::Neg => UnaryOperator::Negate,
                    hcl::UnaryOperator::Not => UnaryOperator::Not,
                },
                self.boxed(&unary.expr),
            ),
            Expression::BinaryOp(binary) => Kind::Binary(
                operator(*binary.operator.value()),
                Box::new((self.expr(&binary.lhs_expr), self.expr(&binary.rhs_expr))),
            ),
            Expression::ForExpr(each) => Kind::For(Box::new(self.for_expr(each))),
        };
        Expr { kind, place: self.place(expr.span()) }
    }

    /// The digits as they were written: hcl-edit keeps the nearest double.
    fn number(&self, range: Option<Range<usize>>) -> Kind {
        let text: String = self.slice(range).chars().filter(|c| !c.is_whitespace()).collect();
        match decimal::parse(&text) {
            Some(number) => Kind::Number(number),
            None => Kind::Bad(format!("the number {} is beyond what is computed", clip(&text)).into()),
        }
    }

    fn object(&self, object: &hcl::Object) -> Kind {
        let item = |(key, value): (&hcl::ObjectKey, &hcl::ObjectValue)| {
            let key = match key {
                hcl::ObjectKey::Ident(ident) => {
                    ObjectKey::Name(self.name(ident, self.key_range(ident.as_str(), value.expr().span())))
                }
                hcl::ObjectKey::Expression(Expression::String(text)) => {
                    ObjectKey::Name(Name { text: text.as_str().into(), place: self.place(text.span()) })
                }
                // A bare word is a name even where it is a keyword elsewhere.
                hcl::ObjectKey::Expression(Expression::Null(null)) => {
                    ObjectKey::Name(Name { text: "null".into(), place: self.place(null.span()) })
                }
                hcl::ObjectKey::Expression(expr) => ObjectKey::Expr(self.expr(expr)),
            };
            (key, self.expr(value.expr()))
        };
        Kind::Object(object.iter().map(item).collect())
    }

    /// Where the bare key of a value stands: hcl-edit does not say, but only spaces and the sign lie between them.
    fn key_range(&self, key: &str, value: Option<Range<usize>>) -> Option<Range<usize>> {
        let before = self.text.get(..value?.start)?.trim_end();
        let before = before.strip_suffix(['=', ':'])?.trim_end();
        before.ends_with(key).then(|| before.len() - key.len()..before.len())
    }

    fn call(&self, call: &hcl::FuncCall) -> Call {
        let name = &call.name;
        let mut text = String::new();
        for part in &name.namespace {
            text.push_str(part.as_str());
            text.push_str("::");
        }
        text.push_str(name.name.as_str());
        Call {
            name: Name { text: text.into(), place: self.place(name.name.span()) },
            arguments: call.args.iter().map(|argument| self.expr(argument)).collect(),
            expands: call.args.expand_final(),
        }
    }

    fn traversal(&self, traversal: &hcl::Traversal) -> Kind {
        let steps = traversal.operators.iter().map(|operator| {
            let place = self.place(operator.span());
            let kind = match operator.value() {
                TraversalOperator::GetAttr(name) => StepKind::Attribute(name.as_str().into()),
                TraversalOperator::Index(key) => StepKind::Index(self.expr(key)),
                TraversalOperator::LegacyIndex(index) => {
                    let number = decimal::parse(&index.value().to_string()).unwrap_or_else(|| 0.into());
                    StepKind::DottedIndex(number)
                }
                TraversalOperator::AttrSplat(_) => StepKind::AttributeSplat,
                TraversalOperator::FullSplat(_) => StepKind::FullSplat,
            };
            Step { kind, place }
        });
        Kind::Traversal(Box::new(Traversal { base: self.expr(&traversal.expr), steps: steps.collect() }))
    }

    fn for_expr(&self, each: &hcl::ForExpr) -> For {
        For {
            key: each.intro.key_var.as_ref().map(|key| key.as_str().into()),
            value: each.intro.value_var.as_str().into(),
            collection: self.expr(&each.intro.collection_expr),
            result_key: each.key_expr.as_ref().map(|key| self.expr(key)),
            result: self.expr(&each.value_expr),
            groups: each.grouping,
            condition: each.cond.as_ref().map(|condition| self.expr(&condition.expr)),
        }
    }
}

/// Whether a line is the end of a heredoc.
pub(super) fn ends_heredoc(text: &str, delimiter: &str) -> bool {
    let after = text.trim_start_matches([' ', '\t']).strip_prefix(delimiter);
    after.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-'))
}

fn operator(operator: hcl::BinaryOperator) -> BinaryOperator {
    match operator {
        hcl::BinaryOperator::Eq => BinaryOperator::Equal,
        hcl::BinaryOperator::NotEq => BinaryOperator::NotEqual,
        hcl::BinaryOperator::LessEq => BinaryOperator::LessEqual,
        hcl::BinaryOperator::GreaterEq => BinaryOperator::GreaterEqual,
        hcl::BinaryOperator::Less => BinaryOperator::Less,
        hcl::BinaryOperator::Greater => BinaryOperator::Greater,
        hcl::BinaryOperator::Plus => BinaryOperator::Add,
        hcl::BinaryOperator::Minus => BinaryOperator::Subtract,
        hcl::BinaryOperator::Mul => BinaryOperator::Multiply,
        hcl::BinaryOperator::Div => BinaryOperator::Divide,
        hcl::BinaryOperator::Mod => BinaryOperator::Remainder,
        hcl::BinaryOperator::And => BinaryOperator::And,
        hcl::BinaryOperator::Or => BinaryOperator::Or,
    }
}

/// The first 40 characters, for a message.
fn clip(text: &str) -> Arc<str> {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.into()
}
