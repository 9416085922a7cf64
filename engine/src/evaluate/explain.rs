//! Why a policy answers as it does: its check asked once more, with everything that is looked at written down.

use std::sync::Arc;

use serde::Serialize;

use crate::policy::{Catalogue, Condition, PolicyId, Rule, Severity};
use crate::resource::{Resource, Span, Unit};
use crate::source_tree::TreePath;

use super::assumed::Assumptions;
use super::check::{Asked, Outcome, leaf_location};
use super::leaf::Leaf;
use super::links::Linked;
use super::message;
use super::place;
use super::quantity::Mode;
use super::report::{Location, Step};
use super::silences::{Silence, Silences};
use super::suppression::Silenced;
use super::trace::{Inside, Opened, Traced, Tracer};
use super::truth::Truth;
use super::unit::{Purpose, Selection, asked, wanted};
use super::walk::Walk;

/// A resource, and what each check that speaks of its type answers for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The unit it belongs to.
    pub unit: String,
    /// Its address; of a virtual resource, the address it is reported under.
    pub resource: String,
    /// What a virtual resource is called within that.
    pub part: Option<String>,
    /// Its type.
    pub resource_type: String,
    /// The whole declaration.
    pub location: Location,
    /// The checks, in the order of the policies.
    pub checks: Vec<ExplainedCheck>,
    /// Why the answer is not to be had, in words.
    pub errors: Vec<String>,
}

/// What a check answers, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedCheck {
    /// The policy.
    pub policy: PolicyId,
    /// What holds when it is met.
    pub title: String,
    /// How bad a violation is.
    pub severity: Severity,
    /// Which of the policy's checks, from 1, and how many there are.
    pub check: (u32, usize),
    /// The answer.
    pub answer: Answer,
    /// What is said of it: a message for each violation, or why it is undecided.
    pub messages: Vec<String>,
    /// What was asked, in its order; what need not be asked is left out.
    pub clauses: Vec<Clause>,
}

/// What a check answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The policy is not met.
    Violation,
    /// Nobody can know.
    Undecided,
    /// The policy is met.
    Pass,
    /// The policy does not speak of such a resource.
    NotApplicable,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Nobody can know.
    Unknown,
}

/// One of `when`, `unless`, `require` and `forbid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clause {
    /// Which.
    pub name: &'static str,
    /// Whether it holds: of `forbid`, whether anything that is forbidden does.
    pub holds: Holds,
    /// Its conditions.
    pub parts: Vec<ExplainedPart>,
    /// Whether there was more to look at than is written down.
    pub is_cut: bool,
}

/// A condition, or an element that conditions are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedPart {
    /// What was asked: `storage_encrypted: true`, `any`, `pod.containers[0]`.
    pub asked: String,
    /// Whether it holds.
    pub holds: Holds,
    /// Whether it made the answer of its clause.
    pub decides: bool,
    /// What was found.
    pub found: Vec<Finding>,
    /// The conditions in it.
    pub parts: Vec<ExplainedPart>,
}

/// What was found at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// In words: `ingress[0].from_port is 22`.
    pub words: String,
    /// Whether it is what was asked.
    pub holds: Holds,
    /// Whether it made the answer of its clause.
    pub decides: bool,
    /// Where it was written, or would be.
    pub location: Location,
    /// The places the value came through, nearest first.
    pub origins: Vec<Step>,
    /// Why nobody can know it, and what would help.
    pub unknown: Option<String>,
}

impl From<Truth> for Holds {
    fn from(truth: Truth) -> Self {
        match truth {
            Truth::True => Self::Yes,
            Truth::False => Self::No,
            Truth::Unknown => Self::Unknown,
        }
    }
}

/// Explains every resource of a unit that a test wants.
#[must_use]
pub fn explain(
    unit: &Unit,
    catalogue: &Catalogue,
    selection: &Selection,
    is_wanted: impl Fn(&Resource) -> bool,
) -> Vec<Explanation> {
    let assumptions = Assumptions::new(unit, catalogue.library());
    let linked = Linked::new(unit, catalogue.library(), &assumptions);
    let (silences, error) = match Silences::of(unit, catalogue, selection.today) {
        Ok(silences) => (silences, None),
        Err(error) => (Silences::default(), Some(error.to_string())),
    };
    let explained = |resource| {
        let mut explanation = explanation(resource, &linked, catalogue, selection, &silences);
        explanation.errors.extend(error.clone());
        explanation
    };
    unit.resources.iter().filter(|resource| is_wanted(resource)).map(explained).collect()
}

/// Explains the resources that are declared at a line of a file, or all that the file declares.
#[must_use]
pub fn explain_at(
    unit: &Unit,
    catalogue: &Catalogue,
    selection: &Selection,
    path: &TreePath,
    line: Option<u32>,
) -> Vec<Explanation> {
    explain(unit, catalogue, selection, |resource| {
        [resource.span, resource.header].into_iter().any(|span| lies_at(unit, span, path, line))
    })
}

fn lies_at(unit: &Unit, span: Span, path: &TreePath, line: Option<u32>) -> bool {
    let Some(file) = unit.files.get(span.file).filter(|file| file.path() == path) else { return false };
    let Some(line) = line else { return true };
    // A span may end behind the line break of its last line.
    let last = file.position(span.end.saturating_sub(1).max(span.start)).line;
    (file.position(span.start).line..=last).contains(&line)
}

fn explanation<'u>(
    resource: &'u Resource,
    linked: &'u Linked<'u>,
    catalogue: &'u Catalogue,
    selection: &Selection,
    silences: &'u Silences,
) -> Explanation {
    let unit = linked.unit();
    let mut explanation = Explanation {
        unit: unit.name.clone(),
        resource: resource.reported_address().to_string(),
        part: message::called_part(resource).map(str::to_owned),
        resource_type: resource.type_name.to_string(),
        location: place::location(&unit.files, resource.span)
            .or_else(|| place::of_resource(&unit.files, resource))
            .unwrap_or_else(|| place::nowhere(unit)),
        checks: Vec::new(),
        errors: Vec::new(),
    };
    for index in wanted(catalogue, selection, resource.format, &resource.type_name) {
        let asked = asked(catalogue, index, selection.today, silences);
        let about = catalogue.metadata(index.policy).map_err(|error| error.to_string());
        let count = catalogue.body(index.policy).map_or(0, |body| body.checks.len());
        match (asked, about) {
            (Ok(asked), Ok(metadata)) => {
                let (answer, messages) = asked.answered(resource, linked);
                explanation.checks.push(ExplainedCheck {
                    policy: metadata.id.clone(),
                    title: metadata.title.clone(),
                    severity: metadata.severity,
                    check: (index.check + 1, count),
                    answer,
                    messages,
                    clauses: asked.clauses(&asked.walk(resource, linked)),
                });
            }
            (Err(error), _) | (_, Err(error)) => explanation.errors.push(error),
        }
    }
    explanation
}

impl<'c> Asked<'c> {
    fn answered(&self, resource: &'c Resource, linked: &'c Linked<'c>) -> (Answer, Vec<String>) {
        match self.of(resource, linked, Purpose::Scan) {
            Outcome::NotApplicable => (Answer::NotApplicable, Vec::new()),
            Outcome::Pass => (Answer::Pass, Vec::new()),
            Outcome::Violations(violations) => {
                (Answer::Violation, violations.into_iter().map(|v| accepted(v.message, v.silenced.as_ref())).collect())
            }
            Outcome::Undecided(undecided) => {
                let words = format!("{}; {}", undecided.reason, undecided.remedy);
                (Answer::Undecided, vec![accepted(words, undecided.silenced.as_ref())])
            }
        }
    }

    /// The clauses up to the one that says that the check does not apply.
    fn clauses(&self, walk: &Walk<'_>) -> Vec<Clause> {
        let mut clauses = Vec::new();
        let conditions = [("when", &self.check.when, Truth::False), ("unless", &self.check.unless, Truth::True)];
        for (name, condition, ends) in conditions {
            let Some(condition) = condition else { continue };
            let mut tracer = Tracer::default();
            let truth = match condition {
                Condition::All(conditions) => walk.all(&walk.root(), conditions, Mode::When, &mut tracer),
                one => walk.condition(&walk.root(), one, Mode::When, &mut tracer),
            };
            clauses.push(clause(name, truth, &tracer, walk));
            if truth == ends {
                return clauses;
            }
        }
        let mut tracer = Tracer::default();
        clauses.push(match &self.check.rule {
            Rule::Require(conditions) => {
                let truth = walk.all(&walk.root(), conditions, Mode::Require, &mut tracer);
                clause("require", truth, &tracer, walk)
            }
            Rule::Forbid(conditions) => {
                let truth = walk.any(&walk.root(), conditions, Mode::Forbid, &mut tracer);
                clause("forbid", truth, &tracer, walk)
            }
            Rule::ForbidResource => clause("forbid: exists", Truth::True, &tracer, walk),
        });
        clauses
    }
}

/// What is said of an answer, and where it is suppressed and why.
fn accepted(words: String, silenced: Option<&Silenced>) -> String {
    let Some(Silenced { by, .. }) = silenced else { return words };
    let one = |silence: &Arc<Silence>| {
        let reason = if silence.reason.is_empty() { "no reason given" } else { &silence.reason };
        format!("{}:{}: {reason}", silence.location.path, silence.location.start.line)
    };
    format!("{words} (suppressed at {})", by.iter().map(one).collect::<Vec<_>>().join("; "))
}

fn clause(name: &'static str, truth: Truth, tracer: &Tracer, walk: &Walk<'_>) -> Clause {
    let parts = tracer.traced().iter().map(|traced| part(traced, tracer, walk)).collect();
    Clause { name, holds: truth.into(), parts, is_cut: tracer.is_cut }
}

fn part(traced: &Traced, tracer: &Tracer, walk: &Walk<'_>) -> ExplainedPart {
    let mut explained = ExplainedPart {
        asked: match &traced.opened {
            Opened::Entry(path, Some(wanted)) => format!("{path}: {wanted}"),
            Opened::Entry(path, None) => path.clone(),
            Opened::All => "all".to_owned(),
            Opened::Any => "any".to_owned(),
            Opened::Not => "not".to_owned(),
            Opened::Node(path) => path.clone(),
        },
        holds: traced.answer.into(),
        decides: false,
        found: Vec::new(),
        parts: Vec::new(),
    };
    for inside in &traced.inside {
        match inside {
            Inside::Leaf(number) => {
                let leaf = tracer.leaf_at(*number);
                explained.found.extend(leaf.map(|(leaf, decides)| finding(leaf, decides, walk)));
            }
            Inside::Part(traced) => explained.parts.push(part(traced, tracer, walk)),
        }
    }
    let found = explained.found.iter().any(|finding| finding.decides);
    explained.decides = found || explained.parts.iter().any(|part| part.decides);
    flattened(explained)
}

/// A list of conditions on one node that an entry names anyway is the entry's own.
fn flattened(mut part: ExplainedPart) -> ExplainedPart {
    let is_alone = part.parts.len() == 1 && part.found.is_empty();
    if is_alone && part.parts.iter().all(|inner| inner.asked == part.asked) {
        part.parts = part.parts.pop().map(|inner| inner.parts).unwrap_or_default();
    }
    part
}

fn finding(leaf: &Leaf, decides: bool, walk: &Walk<'_>) -> Finding {
    let unit = walk.linked.unit();
    Finding {
        words: message::found(leaf),
        holds: leaf.truth.into(),
        decides,
        location: leaf_location(unit, walk.resource, Some(leaf)),
        origins: place::origins(&unit.files, walk.resource, leaf.value.as_ref()),
        unknown: leaf.reason.as_ref().map(|reason| format!("{reason}; {}", reason.remedy())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{self, ReadOptions, Scope};
    use crate::policy::{Library, load_policy};
    use crate::source_tree::SourceTree;

    fn explained(check: &str, config: &str, line: Option<u32>) -> Vec<Explanation> {
        let text = format!(
            "id: own-x\ntitle: T\nseverity: low\ndescription: D.\nremediation: R.\nterraform:\n  resource: r\n{check}  \
             examples: {{ pass: a, fail: 'a # expect' }}\n"
        );
        let loaded = load_policy("own-x.yaml", &text, &Library::default()).unwrap_or_else(|m| panic!("{m:?}"));
        let catalogue = Catalogue::of(loaded.policies, Library::default()).unwrap();
        let path = TreePath::new("main.tf").unwrap();
        let tree = SourceTree::from_files([(path.clone(), config.into())]);
        let plans = formats::units(&tree, &Scope::All);
        let unit = formats::read(&plans[0], &tree, &ReadOptions::default());
        explain_at(&unit, &catalogue, &Selection::default(), &path, line)
    }

    /// The conditions of the last clause in one line each: what was asked, whether it holds, `!` when it decides.
    fn tree(explanation: &Explanation) -> Vec<String> {
        fn lines(part: &ExplainedPart, depth: usize, all: &mut Vec<String>) {
            let decides = if part.decides { "!" } else { "" };
            all.push(format!("{}{} {:?}{decides}", " ".repeat(depth), part.asked, part.holds));
            part.parts.iter().for_each(|part| lines(part, depth + 1, all));
        }
        let mut all = Vec::new();
        explanation.checks[0].clauses.last().unwrap().parts.iter().for_each(|part| lines(part, 0, &mut all));
        all
    }

    #[test]
    fn what_did_not_make_the_answer_is_shown_and_does_not_decide() {
        let check = "  require:\n    a: true\n    any: [{ b: true }, { c: [x, y] }]\n";
        let explanations = explained(check, "resource \"r\" \"a\" {\n  a = false\n  c = \"x\"\n}\n", None);
        assert_eq!(explanations[0].checks[0].answer, Answer::Violation);
        assert_eq!(tree(&explanations[0]), ["a: true No!", "any Yes", " b: true No", " c: one of \"x\", \"y\" Yes"]);
    }

    #[test]
    fn each_element_is_a_part_of_its_own() {
        let check = "  forbid:\n    rule[]: { port: 22, open: true }\n";
        let config =
            "resource \"r\" \"a\" {\n  rule {\n    port = 22\n  }\n  rule {\n    port = 22\n    open = true\n  }\n}\n";
        let explanations = explained(check, config, Some(6));
        let expected = [
            "rule[] Yes!",
            " rule[0] No",
            "  port: 22 Yes",
            "  open: true No",
            " rule[1] Yes!",
            "  port: 22 Yes!",
            "  open: true Yes!",
        ];
        assert_eq!(tree(&explanations[0]), expected);
        assert!(explained(check, config, Some(11)).is_empty(), "no resource is declared there");
    }

    #[test]
    fn a_check_that_does_not_apply_shows_why_and_no_more() {
        let check = "  when: { kind: web }\n  require: { a: true }\n";
        let explanations = explained(check, "resource \"r\" \"a\" {\n  kind = \"db\"\n}\n", Some(1));
        let explained = &explanations[0].checks[0];
        assert_eq!((explained.answer, explained.clauses.len()), (Answer::NotApplicable, 1));
        assert_eq!(explained.clauses[0].parts[0].found[0].words, "kind is \"db\"");
    }

    #[test]
    fn what_nobody_knows_has_its_reason() {
        let config = "variable \"v\" {}\nresource \"r\" \"a\" {\n  a = var.v\n}\n";
        let explanations = explained("  require: { a: true }\n", config, Some(2));
        let check = &explanations[0].checks[0];
        assert_eq!(check.answer, Answer::Undecided);
        let unknown = check.clauses[0].parts[0].found[0].unknown.as_deref().unwrap();
        assert!(unknown.starts_with("var.v has no default; give it"), "{unknown}");
    }
}
