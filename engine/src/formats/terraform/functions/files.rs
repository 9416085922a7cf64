//! Files of the tree, and paths. What lies outside the tree is not read: it is unknown.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::glob;
use super::hashes::digest;
use super::{ANY, Context, Function, Outcome, Shape, Stop, TEXT, at, function, text_at};
use crate::formats::terraform::eval::{Frame, Instance, Scope, unknown};
use crate::formats::terraform::syntax::parse_template;
use crate::formats::terraform::values::compare;
use crate::resource::{ListKind, Reason, ReasonKind, Span, Type, Value};
use crate::source_tree::{Folder, SourceFile, TreePath};

pub(super) const FUNCTIONS: &[Function] = &[
    function("abspath", &[TEXT], Shape::Text, |c, a| {
        Ok(c.outside(&format!("abspath(\"{}\")", text_at(a, 0)), Type::Text))
    }),
    function("basename", &[TEXT], Shape::Text, |c, a| c.text(basename(text_at(a, 0)))),
    function("dirname", &[TEXT], Shape::Text, |c, a| c.text(dirname(text_at(a, 0)))),
    function("file", &[TEXT], Shape::Text, file),
    function("filebase64", &[TEXT], Shape::Text, |c, a| digested(c, a, |bytes| STANDARD.encode(bytes))),
    function("filebase64sha256", &[TEXT], Shape::Text, |c, a| digested(c, a, |bytes| digest("sha256", true, bytes))),
    function("filebase64sha512", &[TEXT], Shape::Text, |c, a| digested(c, a, |bytes| digest("sha512", true, bytes))),
    function("fileexists", &[TEXT], Shape::Bool, fileexists),
    function("filemd5", &[TEXT], Shape::Text, |c, a| digested(c, a, |bytes| digest("md5", false, bytes))),
    function("fileset", &[TEXT, TEXT], Shape::TextSet, fileset),
    function("filesha1", &[TEXT], Shape::Text, |c, a| digested(c, a, |bytes| digest("sha1", false, bytes))),
    function("filesha256", &[TEXT], Shape::Text, |c, a| digested(c, a, |bytes| digest("sha256", false, bytes))),
    function("filesha512", &[TEXT], Shape::Text, |c, a| digested(c, a, |bytes| digest("sha512", false, bytes))),
    function("pathexpand", &[TEXT], Shape::Text, |c, a| match text_at(a, 0) {
        path if path.starts_with('~') => Ok(c.outside(&format!("pathexpand(\"{path}\")"), Type::Text)),
        path => c.text(path),
    }),
    function("templatefile", &[TEXT, ANY], Shape::Any, templatefile),
    function("templatestring", &[TEXT, ANY], Shape::Any, templatestring),
];

impl<'a> Context<'a, '_> {
    fn outside(&self, subject: &str, shape: Type) -> Value {
        unknown(Reason::new(ReasonKind::Outside, subject, Some(self.span)), shape, true, self.span)
    }

    /// The folder paths are relative to: the root module's, where Terraform is run.
    fn root(&self) -> Folder {
        let mut at: Option<&Instance<'a>> = self.scope.instance.map(|instance| &**instance);
        while let Some(caller) = at.and_then(|instance| instance.caller.as_ref()) {
            at = Some(&caller.instance);
        }
        at.map_or_else(|| self.evaluator.root.clone(), |root| root.module.folder.clone())
    }

    fn path(&self, text: &str) -> Option<TreePath> {
        let relative = !text.starts_with(['/', '~']) && !text.contains('\\');
        relative.then(|| TreePath::resolve(&self.root(), text)).flatten()
    }

    /// A file of the tree, or the unknown value that its content is.
    fn read(&self, text: &str) -> Result<Arc<SourceFile>, Value> {
        let outside = || self.outside(&format!("the file {text}"), Type::Text);
        let path = self.path(text).ok_or_else(outside)?;
        self.evaluator.files.read(&path).map_err(|_| outside())
    }

    /// Whether there is a file below a folder.
    fn has_folder(&self, folder: &Folder) -> bool {
        !self.evaluator.files.below(folder).is_empty()
    }

    /// The place of a file's whole content.
    fn content(&self, file: &Arc<SourceFile>) -> Span {
        Span::new(self.evaluator.table.borrow_mut().add(file), 0..file.text().len())
    }

    fn render(&self, template: &crate::formats::terraform::syntax::ir::Expr, span: Span, variables: &Value) -> Outcome {
        if self.scope.instance.is_none() {
            return Err("a template cannot render another one".into());
        }
        let map = variables.as_map().ok_or_else(|| Stop::from("the variables must be a map"))?;
        let bindings: Vec<(Arc<str>, Value)> =
            compare::sorted(map).into_iter().map(|(key, value)| (Arc::clone(key), value.clone())).collect();
        let frame = Frame { bindings: &bindings, outer: None };
        let scope = Scope { frame: Some(&frame), ..Scope::closed(span.file) };
        Ok(self.evaluator.eval(template, &scope).through("template", self.span))
    }
}

fn file(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    match context.read(text_at(arguments, 0)) {
        Ok(file) => {
            let content = Value::text(file.shared_text(), context.content(&file));
            Ok(content.through(file.path().as_str(), context.span))
        }
        Err(other) => Ok(other),
    }
}

/// Something computed of a file's bytes. A file that is no text cannot be read here.
fn digested(context: &Context<'_, '_>, arguments: &[Value], compute: fn(&[u8]) -> String) -> Outcome {
    match context.read(text_at(arguments, 0)) {
        Ok(file) => context.text(compute(file.text().as_bytes())),
        Err(other) => Ok(other),
    }
}

fn fileexists(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    match context.path(text_at(arguments, 0)) {
        Some(path) if context.evaluator.files.entry(&path).is_some() => context.bool(true),
        Some(_) if context.root().resolve(text_at(arguments, 0)).is_some_and(|at| context.has_folder(&at)) => {
            Err("this is a folder".into())
        }
        Some(_) => context.bool(false),
        None => Ok(context.outside(&format!("the file {}", text_at(arguments, 0)), Type::Bool)),
    }
}

fn fileset(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let (folder, pattern) = (text_at(arguments, 0), text_at(arguments, 1));
    let relative = !folder.starts_with(['/', '~']) && !pattern.split('/').any(|segment| segment == "..");
    let Some(folder) = context.root().resolve(folder).filter(|_| relative) else {
        return Ok(context.outside(&format!("fileset(\"{folder}\", \"{pattern}\")"), Shape::TextSet.of()));
    };
    let glob = glob::compile(pattern).ok_or_else(|| Stop::Unsupported(format!("the pattern {pattern}")))?;
    let below = context.evaluator.files.below(&folder);
    if !context.evaluator.charge(below.len()) {
        return Ok(context.evaluator.exhausted(context.span));
    }
    let names = below.iter().filter_map(|entry| entry.path.as_str().strip_prefix(folder.prefix()));
    let matching = names.filter(|name| glob.is_match(name)).map(|name| Value::text(name, context.span));
    context.list(ListKind::Set, compare::distinct_sorted(matching.collect()))
}

fn templatefile(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let file = match context.read(text_at(arguments, 0)) {
        Ok(file) => file,
        Err(other) => return Ok(other),
    };
    let span = context.content(&file);
    let template = parse_template(file.text(), None).map_err(|why| Stop::Fault(format!("{}: {why}", file.path())))?;
    context.render(&template, span, at(arguments, 1))
}

fn templatestring(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let place = crate::formats::terraform::syntax::ir::Place { start: context.span.start, end: context.span.end };
    let template = parse_template(text_at(arguments, 0), Some(place)).map_err(Stop::Fault)?;
    context.render(&template, context.span, at(arguments, 1))
}

/// The last segment of a path, as Go's `filepath.Base` has it.
fn basename(path: &str) -> String {
    match path.trim_end_matches('/').rsplit('/').next() {
        _ if path.is_empty() => ".".into(),
        Some("") | None => "/".into(),
        Some(name) => name.into(),
    }
}

/// All but the last segment, cleaned, as Go's `filepath.Dir` has it.
fn dirname(path: &str) -> String {
    let folder = path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or_default();
    let rooted = folder.starts_with('/');
    let mut segments: Vec<&str> = Vec::new();
    for segment in folder.split('/') {
        match segment {
            "" | "." => {}
            ".." if segments.last().is_some_and(|last| *last != "..") => drop(segments.pop()),
            ".." if rooted => {}
            name => segments.push(name),
        }
    }
    match (rooted, segments.join("/")) {
        (true, path) => format!("/{path}"),
        (false, path) if path.is_empty() => ".".into(),
        (false, path) => path,
    }
}
