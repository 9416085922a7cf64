//! Terraform.
mod syntax;
mod values;
