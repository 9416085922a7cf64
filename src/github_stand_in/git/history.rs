//! The commit graph: ancestors, merge bases, what one commit has and another has not.

use std::collections::HashSet;

use super::{ObjectStore, Oid};

/// How two commits stand to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// The newest commit both have.
    pub(crate) merge_base: Oid,
    /// What head has and base has not, oldest first.
    pub(crate) ahead: Vec<Oid>,
    /// How many commits base has and head has not.
    pub(crate) behind: usize,
}

/// Compares two commits; `None` when they share no history.
pub(crate) fn compare(store: &ObjectStore, base: Oid, head: Oid) -> Option<Comparison> {
    let merge_base = merge_base(store, base, head)?;
    Some(Comparison { merge_base, ahead: between(store, &[base], head), behind: between(store, &[head], base).len() })
}

/// The newest of the best common ancestors; `None` when there is none.
pub(crate) fn merge_base(store: &ObjectStore, one: Oid, other: Oid) -> Option<Oid> {
    let of_one = ancestors(store, one);
    let common: HashSet<Oid> = ancestors(store, other).intersection(&of_one).copied().collect();
    // What both have is closed under "parent of", so a common commit is behind another exactly when it is a parent of one.
    let behind_another: HashSet<Oid> = common.iter().flat_map(|oid| parents(store, *oid)).collect();
    let best = common.into_iter().filter(|candidate| !behind_another.contains(candidate));
    best.max_by_key(|candidate| (committed_at(store, *candidate), *candidate))
}

/// The commits `head` has and none of `bases` has, parents before children, else by time.
pub(crate) fn between(store: &ObjectStore, bases: &[Oid], head: Oid) -> Vec<Oid> {
    let known: HashSet<Oid> = bases.iter().flat_map(|base| ancestors(store, *base)).collect();
    let mut waiting: Vec<Oid> = ancestors(store, head).difference(&known).copied().collect();
    waiting.sort_by_key(|oid| (committed_at(store, *oid), *oid));
    let mut unplaced: HashSet<Oid> = waiting.iter().copied().collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let mut later = Vec::new();
        for oid in waiting {
            if parents(store, oid).iter().any(|parent| unplaced.contains(parent)) {
                later.push(oid);
            } else {
                unplaced.remove(&oid);
                ordered.push(oid);
            }
        }
        waiting = later;
    }
    ordered
}

/// A commit and everything it follows.
fn ancestors(store: &ObjectStore, from: Oid) -> HashSet<Oid> {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(oid) = open.pop() {
        if seen.insert(oid) {
            open.extend(parents(store, oid));
        }
    }
    seen
}

fn parents(store: &ObjectStore, oid: Oid) -> Vec<Oid> {
    store.commit(oid).map(|commit| commit.parents.clone()).unwrap_or_default()
}

fn committed_at(store: &ObjectStore, oid: Oid) -> i64 {
    store.commit(oid).map(|commit| commit.committer.at.unix_timestamp()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::github_stand_in::git::{Commit, Person, Tree};

    struct Graph(ObjectStore, i64);

    impl Graph {
        fn commit(&mut self, parents: &[Oid]) -> Oid {
            self.1 += 60;
            let at = OffsetDateTime::from_unix_timestamp(self.1).unwrap();
            let person = Person { name: "n".into(), email: "e".into(), at };
            let tree = self.0.put_tree(Tree::new(Vec::new()));
            let message = self.1.to_string();
            self.0.put_commit(Commit {
                tree,
                parents: parents.to_vec(),
                author: person.clone(),
                committer: person,
                message,
            })
        }
    }

    #[test]
    fn the_merge_base_is_the_fork_point_until_the_base_is_merged_in() {
        let mut g = Graph(ObjectStore::default(), 0);
        let root = g.commit(&[]);
        let fork = g.commit(&[root]);
        let main = g.commit(&[fork]);
        let work = g.commit(&[fork]);
        assert_eq!(merge_base(&g.0, main, work), Some(fork));
        let merged = g.commit(&[work, main]);
        assert_eq!(merge_base(&g.0, main, merged), Some(main));
        let compared = compare(&g.0, main, merged).unwrap();
        assert_eq!(compared.ahead, [work, merged]);
        assert_eq!(compared.behind, 0);
    }

    #[test]
    fn a_criss_cross_gives_one_of_the_two_best() {
        let mut g = Graph(ObjectStore::default(), 0);
        let root = g.commit(&[]);
        let (a, b) = (g.commit(&[root]), g.commit(&[root]));
        let (left, right) = (g.commit(&[a, b]), g.commit(&[b, a]));
        assert_eq!(merge_base(&g.0, left, right), Some(b), "the newer of the two");
    }

    #[test]
    fn unrelated_histories_have_none() {
        let mut g = Graph(ObjectStore::default(), 0);
        let (one, other) = (g.commit(&[]), g.commit(&[]));
        assert_eq!(merge_base(&g.0, one, other), None);
        assert_eq!(compare(&g.0, one, other), None);
    }
}
