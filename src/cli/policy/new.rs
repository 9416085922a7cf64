//! `portcullis policy new`: a policy to begin with, which passes its own tests.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, ValueEnum};
use portcullis_engine::policy::PolicyId;
use portcullis_engine::policy_schema::URL;

use super::super::{Ending, write_out};

/// Write a policy to begin with: it passes `portcullis policy test`, and you change it from there.
#[derive(Args)]
pub(super) struct NewArguments {
    /// Its id: words joined by dashes. The file is named after it.
    #[arg(value_name = "ID")]
    id: String,

    /// What it speaks of.
    #[arg(long = "for", value_enum, default_value_t = Kind::Terraform)]
    kind: Kind,

    /// The folder it is written to.
    #[arg(long, default_value = "policies", value_name = "FOLDER")]
    folder: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Terraform,
    Kubernetes,
    Dockerfile,
}

/// Writes the file.
pub(super) fn new(arguments: &NewArguments) -> anyhow::Result<Ending> {
    let id = PolicyId::new(&arguments.id).map_err(|error| anyhow!("`{}`: {error}", arguments.id))?;
    let path = arguments.folder.join(format!("{id}.yaml"));
    let folder = || format!("{} cannot be made", arguments.folder.display());
    fs::create_dir_all(&arguments.folder).with_context(folder)?;
    let opened = fs::File::create_new(&path);
    let mut file = match opened {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => bail!("{} is there already", path.display()),
        opened => opened.with_context(|| format!("{} cannot be written", path.display()))?,
    };
    file.write_all(text(&id, arguments.kind).as_bytes()).context("the policy cannot be written")?;
    write_out(&format!("{0} is written. Its tests: portcullis policy test --policies {0}\n", path.display()))?;
    Ok(Ending::Clean)
}

fn text(id: &PolicyId, kind: Kind) -> String {
    let section = match kind {
        Kind::Terraform => TERRAFORM,
        Kind::Kubernetes => KUBERNETES,
        Kind::Dockerfile => DOCKERFILE,
    };
    format!("# yaml-language-server: $schema={URL}\nid: {id}\n{HEAD}{section}")
}

const HEAD: &str = "\
title: What holds when the policy is met, in one line
severity: medium # low, medium, high or critical
description: Why it matters, in one sentence that its reader believes.
remediation: What to do about a violation, in one sentence.
";

const TERRAFORM: &str = "\
terraform:
  resource: aws_sqs_queue
  require:
    sqs_managed_sse_enabled: true
  examples:
    pass: |
      resource \"aws_sqs_queue\" \"orders\" {
        sqs_managed_sse_enabled = true
      }
    fail: |
      resource \"aws_sqs_queue\" \"orders\" {
        sqs_managed_sse_enabled = false # expect
      }
    undecided: |
      variable \"encrypted\" {}
      resource \"aws_sqs_queue\" \"orders\" {
        sqs_managed_sse_enabled = var.encrypted
      }
";

const KUBERNETES: &str = "\
kubernetes:
  resource: $workload
  forbid:
    pod.shareProcessNamespace: true
  examples:
    pass: |
      apiVersion: v1
      kind: Pod
      metadata: { name: web }
      spec:
        containers: [{ name: web, image: \"example.org/web:1.2\" }]
    fail: |
      apiVersion: v1
      kind: Pod
      metadata: { name: web }
      spec:
        shareProcessNamespace: true # expect
        containers: [{ name: web, image: \"example.org/web:1.2\" }]
";

const DOCKERFILE: &str = "\
dockerfile:
  resource: stage
  forbid:
    user: root
  examples:
    pass: |
      FROM debian:12.5
      USER app
    fail: |
      FROM debian:12.5
      # expect
      USER root
";
