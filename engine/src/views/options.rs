//! What must be known of programs to tell their options from their operands.

/// Options of programs with subcommands that take the next word as their value, so that it is not taken for the subcommand.
const VALUE_OPTIONS: &[(&[&str], &[&str])] = &[
    (
        &["apt-get", "apt", "apt-cache", "aptitude"],
        &[
            "-o",
            "--option",
            "-c",
            "--config-file",
            "-t",
            "--target-release",
            "--default-release",
            "-a",
            "--host-architecture",
        ],
    ),
    (
        &["apk"],
        &[
            "-X",
            "--repository",
            "-p",
            "--root",
            "-t",
            "--virtual",
            "--arch",
            "--keys-dir",
            "--repositories-file",
            "--wait",
        ],
    ),
    (
        &["yum", "dnf", "tdnf", "microdnf"],
        &[
            "-c",
            "--config",
            "-d",
            "-e",
            "-x",
            "--exclude",
            "--enablerepo",
            "--disablerepo",
            "--repo",
            "--installroot",
            "--releasever",
            "--setopt",
        ],
    ),
    (&["zypper"], &["-c", "--config", "-D", "--reposd-dir", "-R", "--root", "--installroot"]),
    (&["git"], &["-C", "-c", "--git-dir", "--work-tree", "--namespace"]),
    (&["pip", "pip2", "pip3"], &["--proxy", "--cert", "--log", "--cache-dir", "--timeout", "--retries", "--python"]),
    (&["npm", "pnpm", "yarn"], &["--prefix", "-C", "--dir", "--cwd", "--registry", "--loglevel"]),
    (&["docker", "podman"], &["-H", "--host", "-c", "--context", "--config", "-l", "--log-level"]),
    (&["kubectl", "helm"], &["-n", "--namespace", "--context", "--kubeconfig", "--kube-context"]),
    (&["conda", "mamba", "micromamba"], &["-n", "--name", "-p", "--prefix", "-c", "--channel"]),
    (&["gem", "bundle"], &["--config-file"]),
    (&["rustup", "cargo"], &["--config", "-C", "--manifest-path"]),
];

/// Programs whose long options begin with one dash (`-name`), so that letters behind it are not options of their own.
const LONG_WITH_ONE_DASH: &[&str] = &[
    "find",
    "java",
    "javac",
    "javap",
    "keytool",
    "jarsigner",
    "mvn",
    "ant",
    "gradle",
    "openssl",
    "go",
    "gcc",
    "g++",
    "cc",
    "c++",
    "clang",
    "clang++",
    "ld",
    "terraform",
    "packer",
    "vault",
    "consul",
    "nomad",
    "php",
    "ffmpeg",
    "convert",
    "magick",
    "msiexec",
    "rustc",
    "xvfb-run",
    "setup",
    "exiftool",
    "mono",
    "wine",
    "qemu-system-x86_64",
    "pwsh",
    "powershell",
];

/// Programs that run another one: their options that take a value, and how many operands stand before that program.
const RUNNERS: &[(&str, &[&str], usize)] = &[
    ("sudo", &["-u", "-g", "-h", "-p", "-C", "-r", "-t", "-U", "-D", "-R", "-T", "--user", "--group", "--chdir"], 0),
    ("doas", &["-u", "-C"], 0),
    ("env", &["-u", "-C", "-S", "--unset", "--chdir"], 0),
    ("nice", &["-n", "--adjustment"], 0),
    ("ionice", &["-c", "-n", "--class", "--classdata"], 0),
    ("timeout", &["-k", "-s", "--kill-after", "--signal"], 1),
    (
        "xargs",
        &[
            "-a",
            "-d",
            "-E",
            "-I",
            "-L",
            "-n",
            "-P",
            "-s",
            "--arg-file",
            "--delimiter",
            "--max-args",
            "--max-procs",
            "--replace",
        ],
        0,
    ),
    ("stdbuf", &["-i", "-o", "-e", "--input", "--output", "--error"], 0),
    ("exec", &["-a"], 0),
    ("gosu", &[], 1),
    ("su-exec", &[], 1),
    ("setpriv", &["--reuid", "--regid", "--groups", "--inh-caps", "--bounding-set"], 0),
    ("chroot", &["--userspec", "--groups"], 1),
    ("fakeroot", &["-l", "-i", "-s", "-b"], 0),
    ("busybox", &[], 0),
    ("command", &[], 0),
    ("builtin", &[], 0),
    ("nohup", &[], 0),
    ("setsid", &[], 0),
    ("catchsegv", &[], 0),
    ("unbuffer", &[], 0),
    ("eatmydata", &[], 0),
    ("tini", &["-p", "-e"], 0),
    ("dumb-init", &["-r"], 0),
    ("xvfb-run", &["-n", "-e", "-f", "-p", "-s", "-w", "--server-args"], 0),
];

/// Programs that read shell scripts.
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh"];

/// Whether an option of a program takes the next word as its value.
pub(super) fn takes_value(program: &str, option: &str) -> bool {
    let of_runner = RUNNERS.iter().any(|(name, options, _)| *name == program && options.contains(&option));
    of_runner || VALUE_OPTIONS.iter().any(|(names, options)| names.contains(&program) && options.contains(&option))
}

/// How many operands of a program stand before the program it runs; `None` when it runs none.
pub(super) fn operands_before_inner(program: &str) -> Option<usize> {
    RUNNERS.iter().find(|(name, _, _)| *name == program).map(|(_, _, operands)| *operands)
}

/// Whether `-abc` may mean `-a -b -c` to a program.
pub(super) fn bundles_letters(program: &str) -> bool {
    !LONG_WITH_ONE_DASH.contains(&program)
}

/// Whether a program reads POSIX shell scripts.
pub(super) fn is_shell(program: &str) -> bool {
    SHELLS.contains(&program)
}
