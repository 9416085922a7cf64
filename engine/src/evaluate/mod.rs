//! Policies over resources: what each check answers, how head compares with base, and the verdict.
//!
//! [`evaluate_unit`] asks the resources of one unit; its answer holds nothing of the unit, so units can be read, asked and
//! forgotten one by one, on as many threads as the caller likes. [`scan`] and [`review`] make a [`Report`] of many.

mod assumed;
mod baseline;
mod check;
mod compare;
mod cursor;
mod decode;
mod explain;
mod fingerprint;
mod identity;
mod labels;
mod leaf;
mod links;
mod matching;
mod message;
mod operand;
mod place;
mod pointers;
mod ports;
mod predicates;
mod quantity;
mod report;
mod request;
mod scalar;
mod selection;
mod silences;
mod sketch;
mod suppression;
mod trace;
mod truth;
mod unit;
mod units;
mod verdict;
mod walk;

#[cfg(test)]
mod language_tests;
#[cfg(test)]
mod review_tests;

pub use baseline::against_baseline;
pub use explain::{Answer, Clause, ExplainedCheck, ExplainedPart, Explanation, Finding, Holds, explain, explain_at};
pub use report::{
    Address, Coverage, Listed, Location, Moved, Report, ReportedProblem, SourceReport, State, Step, Undecided,
    UnevaluatedFile, UnitReport, Verdict, Violation,
};
pub use request::{OnUndecided, OnUnreadable, Request, SourceScope, SuppressionsTaken, review, scan};
pub use suppression::{Lapse, LapseKind, ReportedNotice, Suppression, SuppressionStatus};
pub use unit::{Purpose, Selection, evaluate_unit};
