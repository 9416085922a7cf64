//! What the terminal at standard output can show: asked once, told to what writes.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::Path;

use clap::ValueEnum;
use portcullis_engine::reports::Terminal;

/// Width of text where no terminal says better.
pub(super) const DEFAULT_WIDTH: usize = 120;

/// When colours and links are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// When standard output is a terminal that shows them, and NO_COLOR is not set.
    #[default]
    Auto,
    /// Also into files and pipes.
    Always,
    /// Never.
    Never,
}

/// A terminal as the environment tells of it.
struct Environment<'e> {
    is_terminal: bool,
    variable: &'e dyn Fn(&str) -> Option<OsString>,
}

impl Color {
    /// What standard output can show. `links` is the URL that paths begin with.
    pub(super) fn terminal(self, links: Option<&str>) -> Terminal<'_> {
        let is_terminal = std::io::stdout().is_terminal();
        let environment = Environment { is_terminal, variable: &|name| std::env::var_os(name) };
        let color = self.is_wanted(&environment);
        let columns = is_terminal.then(terminal_size::terminal_size).flatten();
        let width = columns.map_or(DEFAULT_WIDTH, |(width, _)| width.0.into());
        Terminal { width, color, links: links.filter(|_| color && environment.shows_links()) }
    }

    fn is_wanted(self, environment: &Environment<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            // Empty is as good as not set: https://no-color.org
            Self::Auto => environment.is_terminal && !environment.has("NO_COLOR") && !environment.is_dumb(),
        }
    }
}

impl Environment<'_> {
    fn text(&self, name: &str) -> String {
        (self.variable)(name).map(|value| value.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn has(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    fn is_dumb(&self) -> bool {
        self.text("TERM") == "dumb"
    }

    /// Whether it is one of the terminals known to show links: the others may print the escape codes.
    fn shows_links(&self) -> bool {
        if !self.is_terminal || self.is_dumb() || self.has("CI") {
            return false;
        }
        // VTE shows them from 0.50 on; tmux and screen may sit between.
        let vte: u32 = self.text("VTE_VERSION").parse().unwrap_or_default();
        let program = self.text("TERM_PROGRAM");
        let term = self.text("TERM");
        vte >= 5_000
            || ["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "zed"].contains(&program.as_str())
            || ["kitty", "alacritty", "ghostty", "foot"].iter().any(|name| term.contains(name))
            || self.has("WT_SESSION")
            || self.has("KONSOLE_VERSION")
    }
}

/// A folder as the beginning of URLs.
pub(super) fn folder_url(folder: &Path) -> Option<String> {
    let folder = folder.to_str()?.trim_matches('/');
    let plain = folder.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte));
    plain.then(|| if folder.is_empty() { "file:///".to_owned() } else { format!("file:///{folder}/") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment<T>(is_terminal: bool, variables: &[(&str, &str)], ask: impl FnOnce(&Environment<'_>) -> T) -> T {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        ask(&Environment { is_terminal, variable: &find })
    }

    #[test]
    fn colours_are_for_terminals_that_show_them_and_readers_who_want_them() {
        let wanted = |color: Color, is_terminal, variables: &[(&str, &str)]| {
            environment(is_terminal, variables, |environment| color.is_wanted(environment))
        };
        assert!(wanted(Color::Auto, true, &[("TERM", "xterm"), ("NO_COLOR", "")]));
        assert!(!wanted(Color::Auto, true, &[("TERM", "dumb")]));
        assert!(!wanted(Color::Auto, true, &[("NO_COLOR", "1")]));
        assert!(!wanted(Color::Auto, false, &[]));
        assert!(wanted(Color::Always, false, &[("NO_COLOR", "1")]));
        assert!(!wanted(Color::Never, true, &[]));
    }

    #[test]
    fn links_are_for_terminals_known_to_show_them() {
        let shows = |variables: &[(&str, &str)]| environment(true, variables, |environment| environment.shows_links());
        assert!(shows(&[("VTE_VERSION", "6003")]) && shows(&[("TERM", "xterm-kitty")]));
        assert!(!shows(&[("VTE_VERSION", "4800")]) && !shows(&[("TERM", "xterm-256color")]));
        assert!(!shows(&[("TERM_PROGRAM", "vscode"), ("CI", "true")]));
    }
}
