//! A text put together from pieces of a file: joined lines, unescaped strings, a script inside a quoted word.
//!
//! Wanted: whatever is found in the text can be pointed at in the file, however many times it was unwrapped. So each piece
//! keeps where it was written, and a piece of a piece keeps that of the first.

use std::ops::Range;

/// A text which knows, for each of its bytes, where in a file it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappedText {
    text: String,
    pieces: Vec<Piece>,
}

/// The bytes from `at` up to the next piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    at: usize,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Written as they are, from this byte on.
    Verbatim(usize),
    /// All of them stand for what is written here.
    Replaced { start: usize, end: usize },
}

impl MappedText {
    /// A text as it is written in the file from byte `origin` on.
    #[must_use]
    pub fn verbatim(text: &str, origin: usize) -> Self {
        let mut mapped = Self::default();
        mapped.push(text, origin);
        mapped
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All of it.
    #[must_use]
    pub fn whole(&self) -> MappedPart<'_> {
        self.part(0..self.text.len())
    }

    /// A part of it.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> MappedPart<'_> {
        MappedPart { mapped: self, start: range.start, text: self.text.get(range).unwrap_or_default() }
    }

    /// Appends text written in the file from byte `origin` on.
    pub fn push(&mut self, text: &str, origin: usize) {
        if text.is_empty() {
            return;
        }
        let at = self.text.len();
        let continues =
            self.pieces.last().is_some_and(|last| last.origin == Origin::Verbatim(origin.wrapping_sub(at - last.at)));
        if !continues {
            self.pieces.push(Piece { at, origin: Origin::Verbatim(origin) });
        }
        self.text.push_str(text);
    }

    /// Appends text which stands for what is written in a range of the file.
    pub fn push_replaced(&mut self, text: &str, written: Range<usize>) {
        if text.is_empty() {
            return;
        }
        let origin = Origin::Replaced { start: written.start, end: written.end };
        self.pieces.push(Piece { at: self.text.len(), origin });
        self.text.push_str(text);
    }

    /// Appends a part of another text of the same file.
    pub fn push_part(&mut self, part: MappedPart<'_>) {
        let (mut at, end) = (part.start, part.start + part.text.len());
        let mut index = part.mapped.piece_index(at);
        while at < end {
            let Some(piece) = part.mapped.pieces.get(index) else { return };
            let piece_end = part.mapped.pieces.get(index + 1).map_or(end, |next| next.at.min(end));
            let Some(text) = part.mapped.text.get(at..piece_end) else { return };
            match piece.origin {
                Origin::Verbatim(origin) => self.push(text, origin + (at - piece.at)),
                Origin::Replaced { start, end } => self.push_replaced(text, start..end),
            }
            at = piece_end;
            index += 1;
        }
    }

    /// Where a range of the text was written; `None` for a text of nothing.
    #[must_use]
    pub fn origin(&self, range: Range<usize>) -> Option<Range<usize>> {
        let last = range.end.saturating_sub(1).max(range.start);
        let start = self.pieces.get(self.piece_index(range.start)).map(|piece| match piece.origin {
            Origin::Verbatim(origin) => origin + (range.start - piece.at),
            Origin::Replaced { start, .. } => start,
        })?;
        if range.is_empty() {
            return Some(start..start);
        }
        let end = self.pieces.get(self.piece_index(last)).map(|piece| match piece.origin {
            Origin::Verbatim(origin) => origin + (last - piece.at) + 1,
            Origin::Replaced { end, .. } => end,
        })?;
        Some(start..end.max(start))
    }

    /// The piece a byte lies in, the last one for a byte behind the end.
    fn piece_index(&self, at: usize) -> usize {
        match self.pieces.as_slice() {
            [] | [_] => 0,
            pieces => pieces.partition_point(|piece| piece.at <= at).saturating_sub(1),
        }
    }
}

/// A part of a mapped text.
#[derive(Clone, Copy, Debug)]
pub struct MappedPart<'t> {
    mapped: &'t MappedText,
    start: usize,
    text: &'t str,
}

impl<'t> MappedPart<'t> {
    /// The text.
    #[must_use]
    pub fn text(self) -> &'t str {
        self.text
    }

    /// The text in a range of the part; empty when there is none.
    #[must_use]
    pub fn slice(self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    /// A part of the part.
    #[must_use]
    pub fn part(self, range: Range<usize>) -> Self {
        Self { start: self.start + range.start, text: self.slice(range), ..self }
    }

    /// It without the blanks around it.
    #[must_use]
    pub fn trimmed(self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        self.part(start..start + self.text.trim().len())
    }

    /// Where a range of the part was written; `None` for a text of nothing.
    #[must_use]
    pub fn origin(self, range: Range<usize>) -> Option<Range<usize>> {
        self.mapped.origin(self.start + range.start..self.start + range.end)
    }

    /// Where the part was written; `None` for a text of nothing.
    #[must_use]
    pub fn written(self) -> Option<Range<usize>> {
        self.origin(0..self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_lines_point_back_at_their_lines() {
        let file = "RUN a \\\n  && b";
        let mut joined = MappedText::default();
        joined.push(&file[4..6], 4);
        joined.push(&file[8..], 8);
        assert_eq!(joined.text(), "a   && b");
        let b = joined.text().find('b').unwrap();
        assert_eq!(&file[joined.origin(b..b + 1).unwrap()], "b");
        assert_eq!(joined.origin(0..8).unwrap(), 4..14);
        assert_eq!(joined.origin(8..8).unwrap(), 14..14);
    }

    #[test]
    fn what_was_unescaped_points_at_its_escape_also_in_a_part_of_a_part() {
        // The file says `["\u00e9x"]`.
        let mut text = MappedText::default();
        text.push_replaced("é", 2..8);
        text.push("x", 8);
        let mut copy = MappedText::default();
        copy.push_part(text.part(0..3).part(0..3));
        for part in [text.whole(), copy.whole()] {
            assert_eq!(part.text(), "éx");
            assert_eq!(part.origin(0..2).unwrap(), 2..8);
            assert_eq!(part.part(2..3).written().unwrap(), 8..9);
        }
    }

    #[test]
    fn pieces_that_continue_each_other_are_one() {
        let mut text = MappedText::verbatim("ab", 10);
        text.push("cd", 12);
        assert_eq!(text.pieces.len(), 1);
        text.push("e", 20);
        assert_eq!((text.pieces.len(), text.origin(0..5)), (2, Some(10..21)));
        assert_eq!(MappedText::default().origin(0..0), None);
    }
}
