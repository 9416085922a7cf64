//! Which resource of the base is which of the head.
//!
//! One that has the same address in the same unit is the same. Of the others, those gone from the base are matched one to one
//! with those new in the head: by `moved`; by the same address in a renamed file; as another instance of the same block; and at
//! last by what they look like, because a refactoring often only changes names.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

use crate::evaluate::report::{Listed, Moved};
use crate::evaluate::sketch::resemblance;
use crate::source_tree::TreePath;

/// From this resemblance on (in thousandths) a resource under another name is the same.
const ALIKE: usize = 500;
/// Most pairs of a type whose resemblance is computed; beyond it only resources that look the same are matched.
const COMPARISON_LIMIT: usize = 20_000;
/// Most `moved` blocks that follow each other for one address.
const MOVE_LIMIT: usize = 32;

/// A resource: its unit and its address.
pub(super) type Id<'r> = (&'r str, &'r str);

/// Something of each resource, found by names that live less long.
struct ById<'r, T>(HashMap<&'r str, HashMap<&'r str, T>>);

impl<'r, T: Copy> ById<'r, T> {
    fn of(pairs: impl Iterator<Item = (Id<'r>, T)>) -> Self {
        let mut all: HashMap<&str, HashMap<&str, T>> = HashMap::new();
        for ((unit, address), item) in pairs {
            all.entry(unit).or_default().insert(address, item);
        }
        Self(all)
    }

    fn get(&self, unit: &str, address: &str) -> Option<T> {
        self.0.get(unit)?.get(address).copied()
    }
}

/// The resources of two reports, matched.
pub(super) struct Pairs<'r> {
    base: ById<'r, Id<'r>>,
    before: ById<'r, Id<'r>>,
    /// Those of `before` that nobody had to guess.
    certain: ById<'r, Id<'r>>,
    now: ById<'r, Id<'r>>,
}

impl<'r> Pairs<'r> {
    /// Matches resources.
    pub(super) fn of(
        head: &'r [Listed],
        moved: &'r [Moved],
        base: &'r [Listed],
        renamed: &'r [(TreePath, TreePath)],
    ) -> Self {
        let ids = |listed: &'r [Listed]| listed.iter().map(id).collect::<HashSet<Id<'r>>>();
        let (head_ids, base_ids) = (ids(head), ids(base));
        let mut seen = HashSet::new();
        let new = head.iter().filter(|one| !base_ids.contains(&id(one)) && seen.insert(id(one))).collect();
        seen.clear();
        let gone = base.iter().filter(|one| !head_ids.contains(&id(one)) && seen.insert(id(one))).collect();
        let same = head_ids.intersection(&base_ids).map(|id| (*id, *id)).collect();
        let mut matching = Matching { new, gone, before: same };
        matching.moved(moved);
        let from: HashMap<&TreePath, &TreePath> = renamed.iter().map(|(from, to)| (to, from)).collect();
        let file = |one: &'r Listed| Some((one.path.as_ref()?, &*one.address));
        matching.by(|one| file(one).and_then(|(path, address)| Some((*from.get(path)?, address))), file);
        let block = |one: &'r Listed| Some((&*one.unit, &*one.type_name, whole(&one.address)));
        matching.by(block, block);
        let certain = ById::of(matching.before.iter().map(|(now, before)| (*now, *before)));
        let look = |one: &'r Listed| Some((&*one.type_name, one.sketch.as_ref()?, &*one.address));
        matching.by(look, look);
        matching.alike();
        let look = |one: &'r Listed| Some((&*one.type_name, one.sketch.as_ref()?));
        matching.by(look, look);
        let now = ById::of(matching.before.iter().map(|(now, before)| (*before, *now)));
        let before = ById::of(matching.before.into_iter());
        Self { base: ById::of(base_ids.into_iter().map(|id| (id, id))), before, certain, now }
    }

    /// A resource of the base by its names.
    pub(super) fn base_id(&self, unit: &str, address: &str) -> Option<Id<'r>> {
        self.base.get(unit, address)
    }

    /// What a resource of the head was in the base.
    pub(super) fn before(&self, unit: &str, address: &str) -> Option<Id<'r>> {
        self.before.get(unit, address)
    }

    /// The same, unless only likeness says so: what looks like a suppressed resource may be quite another.
    pub(super) fn certain(&self, unit: &str, address: &str) -> Option<Id<'r>> {
        self.certain.get(unit, address)
    }

    /// What a resource of the base is in the head.
    pub(super) fn now(&self, unit: &str, address: &str) -> Option<Id<'r>> {
        self.now.get(unit, address)
    }
}

fn id(listed: &Listed) -> Id<'_> {
    (&listed.unit, &listed.address)
}

/// An address without the keys of its instances: `module.m.aws_s3_bucket.a` of `module.m[0].aws_s3_bucket.a["k"]`.
pub(super) fn whole(address: &str) -> String {
    let mut whole = String::with_capacity(address.len());
    let (mut in_key, mut in_text, mut is_escaped) = (false, false, false);
    for letter in address.chars() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if in_text => is_escaped = true,
            '"' if in_key => in_text = !in_text,
            '[' if !in_text => in_key = true,
            ']' if !in_text => in_key = false,
            _ if in_key => {}
            letter => whole.push(letter),
        }
    }
    whole
}

/// What is not matched yet.
struct Matching<'r> {
    new: Vec<&'r Listed>,
    gone: Vec<&'r Listed>,
    before: HashMap<Id<'r>, Id<'r>>,
}

impl<'r> Matching<'r> {
    /// Matches in order what has the same key.
    fn by<K: Hash + Eq>(
        &mut self,
        new_key: impl Fn(&'r Listed) -> Option<K>,
        gone_key: impl Fn(&'r Listed) -> Option<K>,
    ) {
        if self.new.is_empty() || self.gone.is_empty() {
            return;
        }
        let mut waiting: HashMap<K, VecDeque<&'r Listed>> = HashMap::new();
        for gone in &self.gone {
            if let Some(key) = gone_key(gone) {
                waiting.entry(key).or_default().push_back(gone);
            }
        }
        let mut taken = HashSet::new();
        let before = &mut self.before;
        self.new.retain(|new| {
            let Some(gone) = new_key(new).and_then(|key| waiting.get_mut(&key)?.pop_front()) else { return true };
            before.insert(id(new), id(gone));
            taken.insert(id(gone));
            false
        });
        self.gone.retain(|gone| !taken.contains(&id(gone)));
    }

    /// Follows `moved` blocks from the addresses now to those before.
    fn moved(&mut self, moved: &'r [Moved]) {
        if moved.is_empty() {
            return;
        }
        let from = ById::of(moved.iter().map(|one| ((&*one.unit, &*one.to), &*one.from)));
        let gone = ById::of(self.gone.iter().map(|one| (id(one), id(one))));
        let origin = |new: &Listed| {
            let mut address = new.address.to_string();
            for _ in 0..MOVE_LIMIT {
                address = one_before(&new.unit, &address, &from)?;
                if let Some(gone) = gone.get(&new.unit, &address) {
                    return Some(gone);
                }
            }
            None
        };
        let mut taken = HashSet::new();
        let before = &mut self.before;
        self.new.retain(|new| {
            let Some(origin) = origin(new).filter(|origin| taken.insert(*origin)) else { return true };
            before.insert(id(new), origin);
            false
        });
        self.gone.retain(|gone| !taken.contains(&id(gone)));
    }

    /// Matches what resembles each other most, of each type.
    fn alike(&mut self) {
        let mut types: HashMap<&str, (Vec<&'r Listed>, Vec<&'r Listed>)> = HashMap::new();
        for new in self.new.iter().filter(|one| one.sketch.is_some()) {
            types.entry(&new.type_name).or_default().0.push(new);
        }
        for gone in self.gone.iter().filter(|one| one.sketch.is_some()) {
            types.entry(&gone.type_name).or_default().1.push(gone);
        }
        let mut matched: HashMap<Id<'r>, Id<'r>> = HashMap::new();
        for (new, gone) in types.into_values().filter(|(new, gone)| new.len() * gone.len() <= COMPARISON_LIMIT) {
            let mut likely: Vec<(usize, bool, usize, usize)> = Vec::new();
            for (at, one) in new.iter().enumerate() {
                for (other_at, other) in gone.iter().enumerate() {
                    let (Some(a), Some(b)) = (&one.sketch, &other.sketch) else { continue };
                    likely.push((resemblance(a, b), one.address == other.address, at, other_at));
                }
            }
            likely.retain(|(resemblance, ..)| *resemblance >= ALIKE);
            likely.sort_by_key(|(resemblance, same_name, at, other_at)| {
                (std::cmp::Reverse((*resemblance, *same_name)), *at, *other_at)
            });
            let (mut used, mut used_before) = (HashSet::new(), HashSet::new());
            for (_, _, at, other_at) in likely {
                if used.contains(&at) || used_before.contains(&other_at) {
                    continue;
                }
                used.insert(at);
                used_before.insert(other_at);
                if let (Some(one), Some(other)) = (new.get(at), gone.get(other_at)) {
                    matched.insert(id(one), id(other));
                }
            }
        }
        let taken: HashSet<Id<'r>> = matched.values().copied().collect();
        self.new.retain(|new| !matched.contains_key(&id(new)));
        self.gone.retain(|gone| !taken.contains(&id(gone)));
        self.before.extend(matched);
    }
}

/// The address before the latest move of it, or of a module it lies in.
fn one_before(unit: &str, address: &str, from: &ById<'_, &str>) -> Option<String> {
    let ends = address.char_indices().filter(|(_, letter)| matches!(letter, '.' | '[')).map(|(at, _)| at);
    let mut ends: Vec<usize> = ends.chain([address.len()]).collect();
    ends.reverse();
    ends.into_iter().find_map(|end| {
        let (head, tail) = address.split_at_checked(end)?;
        Some(format!("{}{tail}", from.get(unit, head)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(unit: &str, address: &str, sketch: &[u64]) -> Listed {
        let type_name = whole(address).rsplit('.').nth(1).unwrap_or_default().into();
        let path = TreePath::new(&format!("{unit}/main.tf")).ok();
        let sketch = Some(sketch.into());
        Listed { unit: unit.into(), address: address.into(), type_name, path, range: 0..0, sketch }
    }

    fn before(head: &[Listed], moved: &[(&str, &str)], base: &[Listed], address: &str) -> Option<String> {
        let moved: Vec<Moved> =
            moved.iter().map(|(from, to)| Moved { unit: "u".into(), from: (*from).into(), to: (*to).into() }).collect();
        let pairs = Pairs::of(head, &moved, base, &[]);
        head.iter()
            .find(|one| &*one.address == address)
            .and_then(|one| pairs.before(&one.unit, &one.address))
            .map(|id| id.1.to_owned())
    }

    #[test]
    fn moves_follow_each_other_and_take_what_lies_within_along() {
        let base = [listed("u", "module.a[\"x\"].db.r[0]", &[1])];
        let head = [listed("u", "module.c.db.s", &[9])];
        let moves = [("module.a[\"x\"]", "module.b"), ("module.b", "module.c"), ("module.c.db.r[0]", "module.c.db.s")];
        assert_eq!(before(&head, &moves, &base, "module.c.db.s").as_deref(), Some("module.a[\"x\"].db.r[0]"));
        assert_eq!(before(&head, &[("db.x", "db.x"), ("db.y", "db.z")], &base, "module.c.db.s"), None);
    }

    #[test]
    fn an_address_that_is_in_both_is_no_other_resource() {
        let base = [listed("u", "db.a", &[1, 2]), listed("u", "db.b", &[1, 2])];
        let head = [listed("u", "db.b", &[1, 2]), listed("u", "db.c", &[1, 2])];
        assert_eq!(before(&head, &[("db.b", "db.c")], &base, "db.c").as_deref(), Some("db.a"));
        assert_eq!(before(&head, &[], &base, "db.b").as_deref(), Some("db.b"));
    }

    #[test]
    fn what_looks_different_is_new() {
        let base = [listed("u", "db.a", &[1, 2, 3, 4])];
        assert_eq!(before(&[listed("u", "db.c", &[1, 7, 8, 9])], &[], &base, "db.c"), None);
        assert_eq!(before(&[listed("v", "db.c", &[1, 2, 3, 9])], &[], &base, "db.c").as_deref(), Some("db.a"));
        assert_eq!(before(&[listed("u", "s3.c", &[1, 2, 3, 4])], &[], &base, "s3.c"), None);
    }

    #[test]
    fn keys_are_no_part_of_the_whole_address() {
        assert_eq!(whole(r#"module.a["x].\"y"].db.r[0]"#), "module.a.db.r");
    }
}
