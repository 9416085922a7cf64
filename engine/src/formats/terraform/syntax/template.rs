//! Templates: whitespace stripped by `~` and by `<<-` exactly where Terraform strips it, then built into parts.
//!
//! Terraform works on a flat list of tokens, one per line of a heredoc: a strip marker eats the whitespace of the one
//! neighbouring token and nothing beyond it, and indentation is measured on the tokens that begin a line. So the tree
//! hcl-edit gives is flattened first, worked on as that list, and built again.

use std::iter::Peekable;
use std::ops::Range;
use std::sync::Arc;
use std::vec::IntoIter;

use hcl_edit::Span as _;
use hcl_edit::template::{Directive, Element, HeredocTemplate, Strip, Template};

use super::ir::{Expr, ForPart, IfPart, Kind, Part, Place};
use super::lower::Source;
use crate::formats::terraform::values::composed;

/// `"…"`.
pub(super) fn quoted(source: &Source<'_>, template: &Template) -> Kind {
    let mut tokens = Vec::new();
    flatten(source, template, Literals::Quoted, &mut tokens);
    build(tokens)
}

/// `<<EOT` and `<<-EOT`.
pub(super) fn heredoc(source: &Source<'_>, heredoc: &HeredocTemplate, place: Option<Range<usize>>) -> Kind {
    let flush = source.slice(place.clone()).starts_with("<<-");
    let mut tokens = Vec::new();
    flatten(source, &heredoc.template, Literals::Lines, &mut tokens);
    strip(&mut tokens);
    if flush {
        dedent(&mut tokens);
    }
    build_stripped(tokens)
}

/// The content of a file, or of a JSON string.
pub(super) fn bare(source: &Source<'_>, template: &Template, place: Place) -> Expr {
    let mut tokens = Vec::new();
    flatten(source, template, Literals::Plain, &mut tokens);
    Expr { kind: build(tokens), place }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Literals {
    /// One token each.
    Plain,
    /// One token each, of a template in quotes.
    Quoted,
    /// The same inside a directive, where the parser leaves escapes as they were written.
    Escaped,
    /// One token per line, from the text as it was written.
    Lines,
}

struct Token {
    kind: TokenKind,
    place: Place,
    /// Whether whitespace before and after it goes.
    strips: (bool, bool),
}

enum TokenKind {
    Literal(String),
    Interpolation(Expr),
    If(Expr),
    Else,
    EndIf,
    For { key: Option<Arc<str>>, value: Arc<str>, collection: Expr },
    EndFor,
}

impl Token {
    fn marker(kind: TokenKind, place: Place, strip: Strip) -> Self {
        Self { kind, place, strips: (strip.strip_start(), strip.strip_end()) }
    }
}

fn flatten(source: &Source<'_>, template: &Template, literals: Literals, tokens: &mut Vec<Token>) {
    let inner = if literals == Literals::Quoted { Literals::Escaped } else { literals };
    for element in template {
        let place = source.place(element.span());
        match element {
            Element::Literal(text) if literals == Literals::Escaped => {
                let text = unescaped(text.as_str());
                tokens.push(Token { kind: TokenKind::Literal(text), place, strips: (false, false) });
            }
            Element::Literal(text) if literals != Literals::Lines => {
                tokens.push(Token { kind: TokenKind::Literal(text.as_str().into()), place, strips: (false, false) });
            }
            Element::Literal(_) => lines(source.slice(element.span()), place, tokens),
            Element::Interpolation(inner) => {
                let expr = source.expr(&inner.expr);
                tokens.push(Token::marker(TokenKind::Interpolation(expr), place, inner.strip));
            }
            Element::Directive(directive) => match &**directive {
                Directive::If(branch) => {
                    let opening = &branch.if_expr;
                    let condition = source.expr(&opening.cond_expr);
                    tokens.push(Token::marker(TokenKind::If(condition), place, opening.strip));
                    flatten(source, &opening.template, inner, tokens);
                    if let Some(otherwise) = &branch.else_expr {
                        tokens.push(Token::marker(TokenKind::Else, place, otherwise.strip));
                        flatten(source, &otherwise.template, inner, tokens);
                    }
                    tokens.push(Token::marker(TokenKind::EndIf, place, branch.endif_expr.strip));
                }
                Directive::For(each) => {
                    let opening = &each.for_expr;
                    let kind = TokenKind::For {
                        key: opening.key_var.as_ref().map(|key| key.as_str().into()),
                        value: opening.value_var.as_str().into(),
                        collection: source.expr(&opening.collection_expr),
                    };
                    tokens.push(Token::marker(kind, place, opening.strip));
                    flatten(source, &opening.template, inner, tokens);
                    tokens.push(Token::marker(TokenKind::EndFor, place, each.endfor_expr.strip));
                }
            },
        }
    }
}

/// Text in quotes without its escapes.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut letters = after.chars();
        let letter = letters.next();
        rest = letters.as_str();
        let digits = match letter {
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        let code = rest.get(..digits).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        match (letter, code) {
            (Some('u' | 'U'), Some(code)) => {
                plain.push(code);
                rest = rest.get(digits..).unwrap_or_default();
            }
            (Some('n'), _) => plain.push('\n'),
            (Some('r'), _) => plain.push('\r'),
            (Some('t'), _) => plain.push('\t'),
            (letter, _) => plain.extend(letter),
        }
    }
    plain.push_str(rest);
    plain
}

fn lines(raw: &str, place: Place, tokens: &mut Vec<Token>) {
    let mut start = place.start;
    for line in raw.split_inclusive('\n') {
        let end = start.saturating_add(line.len() as u32);
        let text = line.replace("$${", "${").replace("%%{", "%{");
        tokens.push(Token { kind: TokenKind::Literal(text), place: Place { start, end }, strips: (false, false) });
        start = end;
    }
}

/// Strips whitespace beside `~` markers.
fn strip(tokens: &mut [Token]) {
    let mut after = false;
    for index in 0..tokens.len() {
        let (head, tail) = tokens.split_at_mut(index);
        let Some(token) = tail.first_mut() else { return };
        match &mut token.kind {
            TokenKind::Literal(text) if after => *text = text.trim_start().to_owned(),
            TokenKind::Literal(_) => {}
            _ if token.strips.0 => {
                if let Some(Token { kind: TokenKind::Literal(text), .. }) = head.last_mut() {
                    text.truncate(text.trim_end().len());
                }
            }
            _ => {}
        }
        after = token.strips.1;
    }
}

/// Takes the least indentation of all lines from each of them; blank lines do not count.
fn dedent(tokens: &mut [Token]) {
    let mut least = usize::MAX;
    let mut begins_line = true;
    let mut firsts = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let literal = if let TokenKind::Literal(text) = &token.kind { Some(text) } else { None };
        if begins_line {
            begins_line = false;
            match literal {
                Some(text) if text.trim_start().is_empty() && text.ends_with('\n') => {}
                Some(text) => {
                    least = least.min(text.chars().take_while(|c| c.is_whitespace()).count());
                    firsts.push(index);
                }
                None => least = 0,
            }
        }
        begins_line |= literal.is_some_and(|text| text.ends_with('\n'));
    }
    for index in firsts {
        if let Some(Token { kind: TokenKind::Literal(text), place, .. }) = tokens.get_mut(index) {
            let bytes: usize = text.chars().take(least).map(char::len_utf8).sum();
            text.drain(..bytes);
            place.start = place.start.saturating_add(bytes as u32).min(place.end);
        }
    }
}

fn build(mut tokens: Vec<Token>) -> Kind {
    strip(&mut tokens);
    build_stripped(tokens)
}

fn build_stripped(tokens: Vec<Token>) -> Kind {
    // A lone interpolation is its value, of whatever type.
    if tokens.len() == 1 && matches!(tokens.first(), Some(Token { kind: TokenKind::Interpolation(_), .. })) {
        let only = tokens.into_iter().next().map(|token| token.kind);
        return if let Some(TokenKind::Interpolation(expr)) = only { expr.kind } else { Kind::Text("".into()) };
    }
    let mut tokens = tokens.into_iter().peekable();
    let parts = parts(&mut tokens);
    match parts.as_slice() {
        [] => Kind::Text("".into()),
        [Part::Text(text, _)] => Kind::Text(text.clone()),
        _ if tokens.next().is_some() => Kind::Bad("the template's directives do not match".into()),
        _ => Kind::Template(parts.into()),
    }
}

/// Parts up to the end of the innermost directive, consecutive literals joined.
fn parts(tokens: &mut Peekable<IntoIter<Token>>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut text_place: Option<Place> = None;
    while let Some(token) =
        tokens.next_if(|token| !matches!(token.kind, TokenKind::Else | TokenKind::EndIf | TokenKind::EndFor))
    {
        let part = match token.kind {
            TokenKind::Literal(literal) => {
                text.push_str(&literal);
                text_place = Some(text_place.map_or(token.place, |place| place.to(token.place)));
                continue;
            }
            TokenKind::Interpolation(expr) => Part::Interpolation(expr),
            TokenKind::If(condition) => if_part(condition, token.place, tokens),
            TokenKind::For { key, value, collection } => {
                let body = self::parts(tokens).into();
                tokens.next();
                Part::For(Box::new(ForPart { key, value, collection, body, place: token.place }))
            }
            TokenKind::Else | TokenKind::EndIf | TokenKind::EndFor => continue,
        };
        if let Some(place) = text_place.take() {
            parts.push(Part::Text(composed(&std::mem::take(&mut text)).into(), place));
        }
        parts.push(part);
    }
    if let Some(place) = text_place {
        parts.push(Part::Text(composed(&text).into(), place));
    }
    parts
}

fn if_part(condition: Expr, place: Place, tokens: &mut Peekable<IntoIter<Token>>) -> Part {
    let then = parts(tokens).into();
    let otherwise = match tokens.next().map(|token| token.kind) {
        Some(TokenKind::Else) => {
            let otherwise = parts(tokens);
            tokens.next();
            otherwise
        }
        _ => Vec::new(),
    };
    Part::If(Box::new(IfPart { condition, then, otherwise: otherwise.into(), place }))
}
