//! What it costs to read files, to ask them every policy that comes with the program, and to report the answers.
//!
//! `cargo bench -p portcullis-engine --bench evaluation -- [--folder DIR] [--rounds 10]`
//!
//! Without a folder, two hundred generated workloads with their services. The first round begins with nothing unpacked, as a
//! scan does; of the others the least time counts. One thread; times are of the clock, so the machine should be idle.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use portcullis_engine::builtin;
use portcullis_engine::evaluate::{Purpose, Selection, evaluate_unit, scan};
use portcullis_engine::formats::{self, ReadOptions, Scope};
use portcullis_engine::policy::Catalogue;
use portcullis_engine::source_tree::{SourceTree, TreePath};

/// Reading, asking, reporting.
type Times = [Duration; 3];

fn main() {
    let (mut folder, mut rounds) = (None, 10);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().expect("a value follows");
        match name.as_str() {
            "--folder" => folder = Some(PathBuf::from(value())),
            "--rounds" => rounds = value().parse().expect("a number of rounds"),
            // Cargo's own.
            "--bench" => {}
            other => panic!("unknown option {other}"),
        }
    }
    let files = folder.map_or_else(generated, |folder| files_of(&folder));
    let started = Instant::now();
    let catalogue = builtin::catalogue().expect("the catalogue is whole");
    println!("catalogue of {} policies opened in {:?}", catalogue.len(), started.elapsed());
    let first = round(&files, &catalogue, true);
    let others: Vec<Times> = (1..rounds).map(|_| round(&files, &catalogue, false)).collect();
    for (step, name) in ["read", "ask", "report"].iter().enumerate() {
        let least = others.iter().map(|times| times[step]).min().unwrap_or(first[step]);
        println!("{name:>6}: first {:>10.2?}, least {least:>10.2?}", first[step]);
    }
}

fn round(files: &[(TreePath, Vec<u8>)], catalogue: &Catalogue, is_first: bool) -> Times {
    let tree = SourceTree::from_files(files.to_vec());
    let selection = Selection::default();
    let started = Instant::now();
    let plans = formats::units(&tree, &Scope::All);
    let units: Vec<_> = plans.iter().map(|plan| formats::read(plan, &tree, &ReadOptions::default())).collect();
    let read = started.elapsed();
    let started = Instant::now();
    let answers = units.iter().map(|unit| evaluate_unit(unit, catalogue, &selection, Purpose::Scan)).collect();
    let asked = started.elapsed();
    let started = Instant::now();
    let report = scan(answers, catalogue, &selection);
    let times = [read, asked, started.elapsed()];
    if is_first {
        let found = &report.coverage;
        let violations = report.violations.len();
        println!(
            "{} files, {} resources, {} checks: {violations} violations",
            found.files, found.resources, found.checks
        );
    }
    times
}

fn files_of(folder: &Path) -> Vec<(TreePath, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder that can be read").filter_map(Result::ok) {
            let path = entry.path();
            let name = path.strip_prefix(folder).ok().and_then(Path::to_str).map(TreePath::new);
            if path.is_dir() {
                folders.push(path);
            } else if let (Some(Ok(name)), Ok(bytes)) = (name, fs::read(&path)) {
                files.push((name, bytes));
            }
        }
    }
    files
}

fn generated() -> Vec<(TreePath, Vec<u8>)> {
    let manifest = |number: usize| {
        let mut text = String::new();
        write!(
            text,
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app-{number}, namespace: shop}}\nspec:\n  \
             selector: {{matchLabels: {{app: app-{number}}}}}\n  template:\n    metadata: {{labels: {{app: app-{number}}}}}\n    \
             spec:\n      containers:\n        - name: web\n          image: registry.example.com/app:{number}\n          \
             ports: [{{containerPort: 8080}}]\n          resources: {{limits: {{memory: 64Mi}}}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: app-{number}, namespace: shop}}\nspec: {{selector: {{app: app-{number}}}}}\n"
        )
        .expect("text takes text");
        (TreePath::new(&format!("apps/{}/{number}.yaml", number / 10)).expect("a plain path"), text.into_bytes())
    };
    (0..200).map(manifest).collect()
}
