//! One text file and its line index.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::{TreePath, Unreadable};

/// A place in a text, both from 1; columns count characters, as editors do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineColumn {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
}

/// A UTF-8 file of at most 4 GiB, with its lines indexed on first use. A byte order mark is dropped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceFile {
    path: TreePath,
    text: Arc<str>,
    #[serde(skip)]
    line_starts: OnceLock<Box<[u32]>>,
}

impl SourceFile {
    /// A file from its bytes.
    ///
    /// # Errors
    /// [`Unreadable::NotText`] when they are not UTF-8.
    pub fn from_bytes(path: TreePath, bytes: Vec<u8>) -> Result<Self, Unreadable> {
        let text = String::from_utf8(bytes).map_err(|e| Unreadable::NotText { at: e.utf8_error().valid_up_to() })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Ok(Self { path, text: text.into(), line_starts: OnceLock::new() })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &TreePath {
        &self.path
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole text, shared.
    #[must_use]
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// The text between two byte offsets; empty when they are not in it.
    #[must_use]
    pub fn slice(&self, range: Range<u32>) -> &str {
        self.text.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// Number of lines; a last line without a break counts.
    #[must_use]
    pub fn line_count(&self) -> u32 {
        self.line_starts().len() as u32
    }

    /// The text of a line (from 1) without its break.
    #[must_use]
    pub fn line(&self, line: u32) -> &str {
        let starts = self.line_starts();
        let Some(&start) = (line as usize).checked_sub(1).and_then(|i| starts.get(i)) else { return "" };
        let end = starts.get(line as usize).map_or(self.text.len(), |&next| next as usize);
        let text = self.text.get(start as usize..end).unwrap_or_default();
        let text = text.strip_suffix('\n').unwrap_or(text);
        text.strip_suffix('\r').unwrap_or(text)
    }

    /// Line and column of a byte offset; an offset beyond the end is the end.
    #[must_use]
    pub fn position(&self, offset: u32) -> LineColumn {
        let offset = offset.min(self.text.len() as u32);
        let starts = self.line_starts();
        let line = starts.partition_point(|&start| start <= offset);
        let start = line.checked_sub(1).and_then(|i| starts.get(i)).copied().unwrap_or_default();
        let column = self.slice(start..offset).chars().count() as u32 + 1;
        LineColumn { line: line as u32, column }
    }

    /// The line of a byte offset, and the bytes of that line with its break.
    #[must_use]
    pub fn line_around(&self, offset: usize) -> (u32, Range<usize>) {
        let starts = self.line_starts();
        let line = starts.partition_point(|&start| start as usize <= offset.min(self.text.len()));
        let start = line.checked_sub(1).and_then(|i| starts.get(i)).copied().unwrap_or_default() as usize;
        (line as u32, start..starts.get(line).map_or(self.text.len(), |&next| next as usize))
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at as u32 + 1));
            let mut starts: Vec<u32> = starts.collect();
            if starts.len() > 1 && starts.last() == Some(&(self.text.len() as u32)) {
                starts.pop();
            }
            starts.into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile::from_bytes(TreePath::new("a").unwrap(), text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let f = file("ab\nüx\r\n\nend");
        assert_eq!(f.line_count(), 4);
        assert_eq!(f.position(0), LineColumn { line: 1, column: 1 });
        assert_eq!(f.position(5), LineColumn { line: 2, column: 2 });
        assert_eq!(f.position(999), LineColumn { line: 4, column: 4 });
        assert_eq!([f.line_around(4), f.line_around(99)], [(2, 3..8), (4, 9..12)]);
        assert_eq!([f.line(1), f.line(2), f.line(3), f.line(4), f.line(5), f.line(0)], ["ab", "üx", "", "end", "", ""]);
    }

    #[test]
    fn a_final_break_opens_no_line_and_a_byte_order_mark_is_no_text() {
        assert_eq!(file("a\nb\n").line_count(), 2);
        assert_eq!(file("\n").line_count(), 1);
        assert_eq!(file("").line_count(), 1);
        assert_eq!(file("\u{feff}x").text(), "x");
    }
}
