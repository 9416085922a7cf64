//! What a file's place and name say: whether it may hold manifests, whether a chart renders it, and what it means when it
//! cannot be read.

use std::collections::BTreeSet;

use crate::source_tree::{Files, Folder, TreePath, Unreadable};

use super::kustomize;

/// Files of other tools, by names that are theirs alone.
const OTHER_TOOLS: &[&str] = &[
    "angular.json",
    "chart.yaml",
    "composer.json",
    "composer.lock.json",
    "deno.json",
    "jsconfig.json",
    "lerna.json",
    "nx.json",
    "package-lock.json",
    "package.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "tsconfig.json",
    "turbo.json",
];

/// Beginnings of names under which other documents in YAML and JSON go, some of them very large.
const OTHER_DOCUMENTS: &[&str] = &["openapi", "swagger", "asyncapi", "values", "docker-compose", "compose", "mkdocs"];

/// Whether a file may hold manifests, as far as its name says.
pub(super) fn may_hold_manifests(path: &TreePath) -> bool {
    if kustomize::is_kustomization(path) {
        return true;
    }
    let name = path.file_name();
    let is_one = path
        .extension()
        .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|wanted| wanted.eq_ignore_ascii_case(extension)));
    is_one && !OTHER_TOOLS.iter().any(|other| other.eq_ignore_ascii_case(name))
}

/// Whether a chart renders this file: it lies below the `templates` of a folder that has a `Chart.yaml`.
pub(super) fn is_chart_template(path: &TreePath, files: &dyn Files) -> bool {
    let text = path.as_str();
    text.match_indices("templates/").any(|(at, _)| {
        let chart = text.get(..at).filter(|prefix| prefix.is_empty() || prefix.ends_with('/'));
        let chart = chart.and_then(|prefix| TreePath::new(&format!("{prefix}Chart.yaml")).ok());
        chart.is_some_and(|chart| files.entry(&chart).is_some())
    })
}

/// The folders whose reading a change of files may change.
pub(super) struct Affected {
    folders: BTreeSet<Folder>,
    /// Kustomizations say which files below them are patches.
    kustomized: Vec<Folder>,
}

impl Affected {
    pub(super) fn by(touched: &BTreeSet<TreePath>) -> Self {
        let ours = || touched.iter().filter(|path| may_hold_manifests(path));
        let kustomized = ours().filter(|path| kustomize::is_kustomization(path)).map(TreePath::folder).collect();
        Self { folders: ours().map(TreePath::folder).collect(), kustomized }
    }

    pub(super) fn contains(&self, folder: &Folder) -> bool {
        self.folders.contains(folder) || self.kustomized.iter().any(|above| above.contains_folder(folder))
    }

    /// Whether a file is a kustomization that may name files of an affected folder.
    pub(super) fn is_kustomized_from(&self, path: &TreePath) -> bool {
        kustomize::is_kustomization(path) && {
            let above = path.folder();
            self.folders.iter().any(|folder| above.contains_folder(folder))
        }
    }
}

/// What it means that a file has no text.
pub(super) enum Meaning {
    /// Nothing: it is hardly of ours.
    Nothing,
    /// It may be of ours, but its name says otherwise.
    NotLookedAt,
    /// Manifests may be missing from the report.
    Hole,
}

/// Nobody can look into a file without text, so its name and its neighbours must decide. YAML may always be a manifest, and
/// a manifest may not pass by being large; large JSON is nearly always data, and counts only where manifests lie beside it.
pub(super) fn meaning(path: &TreePath, why: &Unreadable, beside_manifests: bool) -> Meaning {
    match why {
        Unreadable::Absent | Unreadable::NotFetched | Unreadable::Refused(_) => return Meaning::Hole,
        Unreadable::TooLarge { .. } | Unreadable::NotText { .. } | Unreadable::Link => {}
    }
    let name = path.file_name().to_ascii_lowercase();
    let is_other = OTHER_DOCUMENTS.iter().any(|other| name.starts_with(other)) || name.contains("lock.");
    match (name.ends_with(".json"), is_other) {
        (true, false) if beside_manifests => Meaning::Hole,
        (true, _) => Meaning::Nothing,
        (false, true) => Meaning::NotLookedAt,
        (false, false) => Meaning::Hole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source_tree::SourceTree;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    #[test]
    fn names_decide_what_is_looked_into() {
        for yes in ["a.yaml", "a/b.YML", "c.json", "kustomization.yaml", "x/Kustomization"] {
            assert!(may_hold_manifests(&path(yes)), "{yes}");
        }
        for no in ["a.tf", "package.json", "c/Chart.yaml", "yaml", ".yaml", "a.yaml.tpl", "Makefile"] {
            assert!(!may_hold_manifests(&path(no)), "{no}");
        }
    }

    #[test]
    fn chart_templates_lie_below_a_chart() {
        let tree = SourceTree::from_files(["c/Chart.yaml", "c/charts/d/Chart.yaml"].map(|p| (path(p), Vec::new())));
        for yes in ["c/templates/a.yaml", "c/templates/b/a.yaml", "c/charts/d/templates/a.yaml"] {
            assert!(is_chart_template(&path(yes), &tree), "{yes}");
        }
        for no in ["c/a.yaml", "templates/a.yaml", "c/mytemplates/a.yaml", "c/crds/a.yaml"] {
            assert!(!is_chart_template(&path(no), &tree), "{no}");
        }
    }

    #[test]
    fn a_file_without_text_is_a_hole_where_it_may_be_a_manifest() {
        let large = Unreadable::TooLarge { size_bytes: 9, limit_bytes: 8 };
        let is_hole = |name: &str, beside| matches!(meaning(&path(name), &large, beside), Meaning::Hole);
        assert!(is_hole("a/b.yaml", false) && is_hole("a/b.json", true));
        assert!(!is_hole("a/openapi.yaml", true) && !is_hole("a/openapi.json", true) && !is_hole("a/b.json", false));
        assert!(matches!(meaning(&path("b.json"), &Unreadable::NotFetched, false), Meaning::Hole));
    }
}
