//! What the command line says of itself: help, completions, manual pages.

use std::process::{Command, Output};

fn portcullis(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portcullis")).args(arguments).env_clear().output().unwrap()
}

fn said(arguments: &[&str]) -> String {
    let output = portcullis(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const COMMANDS: [&[&str]; 14] = [
    &["serve"],
    &["scan"],
    &["demo"],
    &["completions"],
    &["man"],
    &["policy"],
    &["policy", "list"],
    &["policy", "show"],
    &["policy", "explain"],
    &["policy", "new"],
    &["policy", "test"],
    &["policy", "docs"],
    &["policy", "schema"],
    &[],
];

#[test]
fn every_command_has_help_and_a_manual_page() {
    for command in COMMANDS {
        let help = said(&[command, &["--help"]].concat());
        assert!(help.contains("Usage: ") && help.lines().count() > 4, "{command:?}: {help}");
        let page = said(&[&["man"], command].concat());
        let name = [&["portcullis"], command].concat().join("-");
        assert!(page.contains(&format!(".TH {name} 1")), "{page}");
    }
    for judged in
        [&["scan", "--help"][..], &["policy", "test", "--help"], &["policy", "explain", "--help"], &["--help"]]
    {
        assert!(said(judged).contains("Exit codes:\n  0  "), "{judged:?}");
    }
    assert_eq!(portcullis(&["man", "nothing"]).status.code(), Some(2));
}

#[test]
fn all_manual_pages_are_written_to_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    said(&["man", "--folder", folder.path().to_str().unwrap()]);
    let mut names: Vec<String> =
        folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut expected: Vec<String> =
        COMMANDS.iter().map(|command| format!("{}.1", [&["portcullis"], *command].concat().join("-"))).collect();
    expected.sort();
    assert_eq!(names, expected, "the command for the server's own child has none");
}

#[test]
fn completions_know_the_commands_and_their_options() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = said(&["completions", shell]);
        for word in ["explain", "var-file", "no-mutations", "completions"] {
            assert!(script.contains(word), "{word} for {shell}");
        }
    }
    assert_eq!(portcullis(&["completions", "csh"]).status.code(), Some(2));
}
