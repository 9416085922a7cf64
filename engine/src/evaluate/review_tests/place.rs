//! Where a violation is placed, what it is called there, and what it says.

use super::scanned;

/// Line, attribute, message and the lines of the chain of each violation.
fn placed(text: &str) -> Vec<(u32, String, String, Vec<u32>)> {
    let report = scanned(&[("main.tf", text)]);
    let chain = |v: &crate::evaluate::Violation| v.origins.iter().map(|step| step.location.start.line).collect();
    report
        .violations
        .iter()
        .map(|v| (v.location.start.line, v.attribute.clone(), v.message.clone(), chain(v)))
        .collect()
}

const SHARED: &str = "locals { open = [\"0.0.0.0/0\"] }
resource \"aws_security_group\" \"a\" {
  ingress {
    description = \"x\"
    from_port   = 22
    to_port     = 22
    protocol    = \"tcp\"
    cidr_blocks = local.open
  }
  ingress {
    description = \"x\"
    from_port   = 3389
    to_port     = 3389
    protocol    = \"tcp\"
    cidr_blocks = local.open
  }
}
";

#[test]
fn values_from_a_shared_list_violate_where_they_are_used() {
    let said = |rule: usize, port: &str| format!("ingress[{rule}]: {port}/tcp is open to \"0.0.0.0/0\"");
    let expected = [
        (8, "ingress[0].cidr_blocks".to_owned(), said(0, "22"), vec![1]),
        (15, "ingress[1].cidr_blocks".to_owned(), said(1, "3389"), vec![1]),
    ];
    assert_eq!(placed(SHARED), expected);
}

#[test]
fn values_of_a_loop_and_of_defaults_violate_where_they_are_used() {
    let text = "variable \"rules\" {
  type    = list(object({ p = number, c = optional(list(string), [\"0.0.0.0/0\"]) }))
  default = [{ p = 22 }]
}
resource \"aws_security_group\" \"dyn\" {
  dynamic \"ingress\" {
    for_each = var.rules
    content {
      description = \"x\"
      from_port   = ingress.value.p
      to_port     = ingress.value.p
      protocol    = \"tcp\"
      cidr_blocks = ingress.value.c
    }
  }
}
";
    let found = placed(text);
    assert_eq!(found.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [13]);
    assert_eq!(found[0].3.first(), Some(&2), "{found:?}");
}

#[test]
fn a_rule_of_its_own_is_called_by_its_attributes() {
    let text = "resource \"aws_security_group_rule\" \"r\" {\n  type        = \"ingress\"\n  protocol    = \"-1\"\n  from_port   = 0\n  to_port     = 0\n  cidr_blocks = [\"10.0.0.0/8\", \"0.0.0.0/0\"]\n}\n";
    let said = "every port is open to \"0.0.0.0/0\"".to_owned();
    assert_eq!(placed(text), [(6, "cidr_blocks[1]".to_owned(), said, vec![])]);
}
