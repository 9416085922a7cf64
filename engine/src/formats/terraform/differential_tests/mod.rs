//! Ours against the real terraform: `fixtures/terraform/README.md` says where its answers are from.

mod answer;
mod expressions;
mod modules;
