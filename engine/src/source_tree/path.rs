//! Paths inside a repository: `/` separated, relative, without `.` and `..`.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest path taken, in bytes: Linux's `PATH_MAX`.
const PATH_LIMIT_BYTES: usize = 4096;

/// The path of a file inside a repository.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TreePath(Arc<str>);

/// A text that is no path inside a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadPath {
    /// Empty, or with an empty segment (`a//b`, `/a`, `a/`).
    EmptySegment,
    /// A `.` or `..` segment.
    Dots,
    /// A NUL or another control character.
    Control,
    /// More than 4,096 bytes.
    TooLong(usize),
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptySegment => f.write_str("a path has no empty segment: no leading, trailing or double `/`"),
            Self::Dots => f.write_str("a path has no `.` or `..` segment"),
            Self::Control => f.write_str("a path has no control characters"),
            Self::TooLong(bytes) => {
                write!(f, "a path of {bytes} bytes is longer than the limit of {PATH_LIMIT_BYTES}")
            }
        }
    }
}

impl std::error::Error for BadPath {}

impl TreePath {
    /// Checks a path.
    ///
    /// # Errors
    /// [`BadPath`] says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, BadPath> {
        if text.len() > PATH_LIMIT_BYTES {
            return Err(BadPath::TooLong(text.len()));
        }
        if text.chars().any(char::is_control) {
            return Err(BadPath::Control);
        }
        for segment in text.split('/') {
            match segment {
                "" => return Err(BadPath::EmptySegment),
                "." | ".." => return Err(BadPath::Dots),
                _ => {}
            }
        }
        Ok(Self(text.into()))
    }

    /// The path of what has none.
    #[must_use]
    pub fn unnamed() -> Self {
        Self("unnamed".into())
    }

    /// The whole path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The text after the last dot of the file name, if it has one.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        let (stem, extension) = self.file_name().rsplit_once('.')?;
        (!stem.is_empty()).then_some(extension)
    }

    /// The folder the file lies in.
    #[must_use]
    pub fn folder(&self) -> Folder {
        Folder(self.0.rfind('/').and_then(|end| self.0.get(..=end)).unwrap_or_default().into())
    }

    /// The path that `relative` names when written in a file of this folder (`../modules/x`, `./a.json`).
    ///
    /// `None` when it leaves the repository or is no path.
    #[must_use]
    pub fn resolve(folder: &Folder, relative: &str) -> Option<Self> {
        Self::new(join(folder, relative)?.strip_suffix('/')?).ok()
    }
}

/// The folder (with a trailing `/`, or empty for the root) that `relative` names from `folder`.
fn join(folder: &Folder, relative: &str) -> Option<String> {
    let mut segments: Vec<&str> = folder.0.split('/').filter(|s| !s.is_empty()).collect();
    for segment in relative.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop()?;
            }
            name => segments.push(name),
        }
    }
    let mut joined = segments.join("/");
    if !joined.is_empty() {
        joined.push('/');
    }
    Some(joined)
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for TreePath {
    type Error = BadPath;

    fn try_from(text: String) -> Result<Self, BadPath> {
        Self::new(&text)
    }
}

impl From<TreePath> for String {
    fn from(path: TreePath) -> Self {
        path.0.to_string()
    }
}

/// A folder inside a repository; the root contains everything.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Folder(Arc<str>);

impl Folder {
    /// The root of the repository.
    #[must_use]
    pub fn root() -> Self {
        Self("".into())
    }

    /// Checks a folder as people write it: `/` for all, `a/b`, `/a/b/` and `a/b/` alike.
    ///
    /// # Errors
    /// [`BadPath`] says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, BadPath> {
        let trimmed = text.strip_prefix('/').unwrap_or(text);
        let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
        if trimmed.is_empty() {
            return if text == "/" { Ok(Self::root()) } else { Err(BadPath::EmptySegment) };
        }
        TreePath::new(trimmed).map(|path| Self(format!("{path}/").into()))
    }

    /// The folder that `relative` names from this one; `None` when it leaves the repository.
    #[must_use]
    pub fn resolve(&self, relative: &str) -> Option<Self> {
        let joined = join(self, relative)?;
        if joined.is_empty() { Some(Self::root()) } else { Self::new(&joined).ok() }
    }

    /// Whether a file lies in it, at any depth.
    #[must_use]
    pub fn contains(&self, path: &TreePath) -> bool {
        path.0.starts_with(&*self.0)
    }

    /// Whether a file lies in it directly.
    #[must_use]
    pub fn contains_directly(&self, path: &TreePath) -> bool {
        path.0.strip_prefix(&*self.0).is_some_and(|rest| !rest.contains('/'))
    }

    /// Whether another folder is this one or lies in it.
    #[must_use]
    pub fn contains_folder(&self, other: &Self) -> bool {
        other.0.starts_with(&*self.0)
    }

    /// What every path inside begins with: empty for the root, else ending in `/`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.0
    }

    /// The file of that name in this folder.
    ///
    /// # Errors
    /// [`BadPath`] when the name is none.
    pub fn file(&self, name: &str) -> Result<TreePath, BadPath> {
        TreePath::new(&format!("{}{name}", self.0))
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0.strip_suffix('/').unwrap_or(&self.0))
    }
}

impl TryFrom<String> for Folder {
    type Error = BadPath;

    fn try_from(text: String) -> Result<Self, BadPath> {
        Self::new(&text)
    }
}

impl From<Folder> for String {
    fn from(folder: Folder) -> Self {
        folder.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_inside_the_repository() {
        for bad in ["", "/a", "a//b", "a/", "../a", "a/./b", "a\0b", "a/../../b"] {
            assert!(TreePath::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(TreePath::new(&"x".repeat(5000)), Err(BadPath::TooLong(5000)));
        assert_eq!(TreePath::new("a b/ü.tf").unwrap().file_name(), "ü.tf");
    }

    #[test]
    fn relative_paths_resolve_like_a_shell_would_but_never_leave() {
        let here = Folder::new("live/prod").unwrap();
        assert_eq!(here.resolve("../../modules/vpc").unwrap().to_string(), "/modules/vpc");
        assert_eq!(here.resolve("../..").unwrap(), Folder::root());
        assert_eq!(here.resolve("../../.."), None);
        assert_eq!(TreePath::resolve(&here, "./a/../b.json").unwrap().as_str(), "live/prod/b.json");
        assert_eq!(TreePath::resolve(&here, "../../../b.json"), None);
        assert_eq!(TreePath::resolve(&here, "../.."), None);
    }

    #[test]
    fn folders_are_read_as_people_write_them() {
        for same in ["infra/prod", "/infra/prod", "infra/prod/", "/infra/prod/"] {
            assert_eq!(Folder::new(same).unwrap().prefix(), "infra/prod/");
        }
        assert_eq!(Folder::new("/").unwrap(), Folder::root());
        for bad in ["", "//", "a//b", "../x"] {
            assert!(Folder::new(bad).is_err(), "{bad:?}");
        }
    }
}
