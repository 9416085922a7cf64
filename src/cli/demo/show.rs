//! What the demo prints: for each pull request what its author would see, how long it took, and whether it could be merged.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::time::Duration;

use crate::github_stand_in::GitHubStandIn;
use crate::github_stand_in::state::{AnnotationLevel, CheckRun, Conclusion, PullId};

/// Most remarks printed for one pull request.
const REMARK_LIMIT: usize = 6;

pub(super) struct Printer {
    color: bool,
}

#[derive(Clone, Copy)]
enum Color {
    Red,
    Green,
    Yellow,
    Bold,
    Dim,
}

impl Printer {
    pub(super) fn new() -> Self {
        Self { color: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    pub(super) fn started(&self, stand_in: &str, server: SocketAddr) -> io::Result<()> {
        self.print(&format!(
            "A GitHub stand-in listens on {stand_in}, Portcullis on http://{server}.\n\
             Pull requests are opened now; each is checked from its webhook to its check run.\n"
        ))
    }

    /// A pull request as its author would see it.
    pub(super) fn pull_request(
        &self,
        stand_in: &GitHubStandIn,
        id: PullId,
        check: &CheckRun,
        took: Duration,
    ) -> io::Result<()> {
        let mut text = String::new();
        let seen = stand_in.github(|github| {
            let pull = github.pull(id)?;
            let author = github.account(pull.author).map(|account| account.login.clone()).unwrap_or_default();
            let fork = if pull.is_from_fork() { " (from a fork)" } else { "" };
            let title = format!("#{} {}", pull.id.number, pull.title);
            let line = format!("{author} wants to merge {} into {}{fork}", pull.head_branch, pull.base_branch);
            Some((title, line, github.mergeable(id)?))
        });
        let Some((title, line, gate)) = seen else { return Ok(()) };
        let _ = writeln!(text, "\n{}  {}", self.paint(Color::Bold, &title), self.paint(Color::Dim, &line));
        let (mark, color) = match check.conclusion {
            Some(Conclusion::Success) => ("✓", Color::Green),
            _ => ("✗", Color::Red),
        };
        let headline = check.output.title.clone().unwrap_or_default();
        let seconds = format!("{:.2} s", took.as_secs_f64());
        let _ = writeln!(
            text,
            "  {} {}  {}",
            self.paint(color, mark),
            self.paint(color, &headline),
            self.paint(Color::Dim, &seconds)
        );
        for annotation in check.annotations.iter().take(REMARK_LIMIT) {
            let place = format!("{}:{}", annotation.path, annotation.start_line);
            let color = if annotation.level == AnnotationLevel::Failure { Color::Red } else { Color::Yellow };
            let title = annotation.title.clone().unwrap_or_default();
            let _ = writeln!(text, "      {}  {}", self.paint(color, &title), self.paint(Color::Dim, &place));
            // The first line of a violation is its policy's id; what is wrong is the first sentence.
            if let Some(line) = annotation.message.lines().find(|line| line.contains(' ')) {
                let _ = writeln!(text, "        {line}");
            }
        }
        let more = check.annotations.len().saturating_sub(REMARK_LIMIT);
        if more > 0 {
            let _ = writeln!(text, "      and {more} more remarks on its lines");
        }
        let verdict = if gate.state.allows_merge() {
            self.paint(Color::Green, "can be merged")
        } else {
            format!("{}: {}", self.paint(Color::Red, "cannot be merged"), gate.reasons.join("; "))
        };
        let _ = writeln!(text, "  → {verdict}");
        self.print(&text)
    }

    pub(super) fn kept(&self, stand_in: &str) -> io::Result<()> {
        self.print(&format!(
            "\nOpen {} to look at the pull requests and their checks. Ctrl-C ends it.\n",
            self.paint(Color::Bold, stand_in)
        ))
    }

    pub(super) fn goodbye(&self) -> io::Result<()> {
        self.print("\nWith --keep the pull requests and their checks stay, to be looked at in a browser.\n")
    }

    fn paint(&self, color: Color, text: &str) -> String {
        let code = match color {
            Color::Red => "31",
            Color::Green => "32",
            Color::Yellow => "33",
            Color::Bold => "1",
            Color::Dim => "2",
        };
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn print(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}
