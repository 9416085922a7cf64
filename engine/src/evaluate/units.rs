//! Values with units: Kubernetes quantities, versions.

use std::cmp::Ordering;

/// Compares two Kubernetes quantities (`500m`, `1Gi`, `2`). Suffixes as in the API conventions' `resource.Quantity`.
pub(super) fn compare_quantities(a: &str, b: &str) -> Option<Ordering> {
    quantity(a)?.partial_cmp(&quantity(b)?)
}

fn quantity(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024f64.powi(2),
        "Gi" => 1024f64.powi(3),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        "Ei" => 1024f64.powi(6),
        exponent => {
            let exponent = exponent.strip_prefix(['e', 'E'])?;
            10f64.powi(exponent.parse().ok()?)
        }
    };
    Some(number * factor)
}

/// Whether a version meets a requirement of comma-joined comparisons (`>= 1.2, < 2`, `1.5`); `None` when either is no version.
pub(super) fn version_meets(version: &str, requirement: &str) -> Option<bool> {
    let version = parts(version)?;
    for comparison in requirement.split(',') {
        let comparison = comparison.trim();
        let end = comparison.find(|c: char| !matches!(c, '<' | '>' | '=' | '!')).unwrap_or(comparison.len());
        let (operator, wanted) = comparison.split_at(end);
        let ordering = compare_parts(&version, &parts(wanted.trim())?);
        let holds = match operator {
            ">=" => ordering.is_ge(),
            ">" => ordering.is_gt(),
            "<=" => ordering.is_le(),
            "<" => ordering.is_lt(),
            "" | "=" | "==" => ordering.is_eq(),
            "!=" => ordering.is_ne(),
            _ => return None,
        };
        if !holds {
            return Some(false);
        }
    }
    Some(true)
}

/// The numbers of a version: `v1.27.3-gke.100` is 1, 27, 3.
fn parts(text: &str) -> Option<Vec<u64>> {
    let text = text.trim().trim_start_matches(['v', 'V']);
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let numbers = text.get(..end)?.trim_end_matches('.');
    if numbers.is_empty() {
        return None;
    }
    numbers.split('.').map(|part| part.parse().ok()).collect()
}

fn compare_parts(a: &[u64], b: &[u64]) -> Ordering {
    let at = |parts: &[u64], index: usize| parts.get(index).copied().unwrap_or(0);
    let longest = a.len().max(b.len());
    (0..longest).map(|index| at(a, index).cmp(&at(b, index))).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_compare_across_suffixes() {
        assert_eq!(compare_quantities("1Gi", "1024Mi"), Some(Ordering::Equal));
        assert_eq!(compare_quantities("500m", "1"), Some(Ordering::Less));
        assert_eq!(compare_quantities("1e3", "1k"), Some(Ordering::Equal));
        assert_eq!(compare_quantities("1X", "1"), None);
    }

    #[test]
    fn versions_meet_requirements() {
        assert_eq!(version_meets("1.27.3-gke.100", ">= 1.27, < 2"), Some(true));
        assert_eq!(version_meets("v1.9", ">= 1.10"), Some(false));
        assert_eq!(version_meets("latest", "> 1"), None);
    }
}
