//! Patterns as Go has them, said as Rust has them: classes of ASCII letters only, `\Q…\E`, braces that count nothing.

use std::iter::Peekable;
use std::str::Chars;

/// Why a pattern is not compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Go refuses it, too.
    Wrong,
    /// Go may know it, this program does not.
    Beyond,
}

/// The same pattern in Rust's dialect.
pub(super) fn translated(pattern: &str) -> Result<String, Flaw> {
    let mut out = String::with_capacity(pattern.len());
    let mut left = pattern.chars().peekable();
    let mut in_class = false;
    // Whether what came last says how often; it cannot be said twice.
    let mut repeated = false;
    while let Some(letter) = left.next() {
        let repeats = !in_class && (matches!(letter, '*' | '+' | '?') || letter == '{' && counts(left.clone()));
        if repeats && repeated {
            return Err(Flaw::Wrong);
        }
        repeated = repeats;
        match letter {
            '{' if repeats => {
                out.push('{');
                out.extend(left.by_ref().take_while(|letter| *letter != '}'));
                out.push('}');
                out.extend(left.next_if_eq(&'?'));
            }
            _ if repeats => {
                out.push(letter);
                out.extend(left.next_if_eq(&'?'));
            }
            '\\' => escape(&mut left, in_class, &mut out)?,
            '[' if in_class => named_class(&mut left, &mut out),
            '[' => {
                in_class = true;
                out.push('[');
                if let Some(not) = left.next_if_eq(&'^') {
                    out.push(not);
                }
                // The first one belongs to the class.
                if left.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            // Rust takes two of these for an operation on classes.
            '&' | '~' if in_class => out.extend(['\\', letter]),
            '-' if in_class && left.peek() == Some(&'-') => return Err(Flaw::Beyond),
            '{' if !in_class => out.push_str("\\{"),
            '(' if !in_class && left.peek() == Some(&'?') => {
                if !is_group(left.clone()) {
                    return Err(Flaw::Wrong);
                }
                out.push('(');
            }
            _ => out.push(letter),
        }
    }
    Ok(out)
}

/// `[:alpha:]` in a class up to its end; a bracket alone stands for itself there.
fn named_class(left: &mut Peekable<Chars<'_>>, out: &mut String) {
    if left.peek() != Some(&':') {
        return out.push_str("\\[");
    }
    out.push('[');
    for inner in left.by_ref() {
        out.push(inner);
        if inner == ']' {
            return;
        }
    }
}

/// Whether `(?` begins what Go knows: no look around, no flags of Rust's own.
fn is_group(mut left: Peekable<Chars<'_>>) -> bool {
    left.next();
    let behind: String = left.clone().take(2).collect();
    let mut head = left.take_while(|c| !matches!(c, ':' | ')' | '<' | '>'));
    !matches!(&*behind, "<=" | "<!") && !head.any(|c| matches!(c, '=' | '!' | 'x' | 'u' | 'R' | '#'))
}

fn escape(left: &mut Peekable<Chars<'_>>, in_class: bool, out: &mut String) -> Result<(), Flaw> {
    let Some(letter) = left.next() else { return Err(Flaw::Wrong) };
    let class = match letter {
        'd' => "0-9",
        'D' => "^0-9",
        'w' => "0-9A-Za-z_",
        'W' => "^0-9A-Za-z_",
        's' => "\\t\\n\\f\\r ",
        'S' => "^\\t\\n\\f\\r ",
        'b' if !in_class => {
            out.push_str("(?-u:\\b)");
            return Ok(());
        }
        'Q' => {
            quoted(left, out);
            return Ok(());
        }
        // What follows in braces belongs to it.
        'p' | 'P' | 'x' => {
            out.extend(['\\', letter]);
            if left.peek() == Some(&'{') {
                out.extend(left.by_ref().take_while(|letter| *letter != '}'));
                out.push('}');
            }
            return Ok(());
        }
        'C' | '0'..='7' => return Err(if matches!(letter, '1'..='7') { Flaw::Wrong } else { Flaw::Beyond }),
        'u' | 'U' => return Err(Flaw::Wrong),
        // A sign stands for itself, though Rust gives some of them a meaning.
        '<' | '>' => {
            out.push(letter);
            return Ok(());
        }
        _ => {
            out.extend(['\\', letter]);
            return Ok(());
        }
    };
    match in_class && !class.starts_with('^') {
        true => out.push_str(class),
        false => out.extend(["[", class, "]"]),
    }
    Ok(())
}

/// What stands between `\Q` and `\E`, or the end, as itself.
fn quoted(left: &mut Peekable<Chars<'_>>, out: &mut String) {
    while let Some(letter) = left.next() {
        if letter == '\\' && left.next_if_eq(&'E').is_some() {
            return;
        }
        out.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
    }
}

/// Whether what follows a brace says how often: `2}`, `2,}`, `2,3}`.
fn counts(mut left: Peekable<Chars<'_>>) -> bool {
    let mut digits = 0;
    while left.next_if(char::is_ascii_digit).is_some() {
        digits += 1;
    }
    if left.next_if_eq(&',').is_some() {
        while left.next_if(char::is_ascii_digit).is_some() {}
    }
    digits > 0 && left.next() == Some('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_to_go() {
        let cases = [
            (r"\d+[\w-]", "[0-9]+[0-9A-Za-z_-]"),
            (r"[^\D]", "[^[^0-9]]"),
            (r"\Qa.b\E+", r"a\.b+"),
            (r"{x}a{2}b{2,}c{,2}", r"\{x}a{2}b{2,}c\{,2}"),
            (r"[]a[]", r"[\]a\[]"),
            (r"[[:alpha:]&&]", r"[[:alpha:]\&\&]"),
            (r"\<a\>", "<a>"),
        ];
        for (pattern, ours) in cases {
            assert_eq!(translated(pattern).as_deref(), Ok(ours), "{pattern}");
            assert!(regex::Regex::new(ours).is_ok(), "{ours}");
        }
        for pattern in ["a**", "a{2}+", "(?=a)", "(?<!a)", r"\1", "(?x)a b", r"\u0041"] {
            assert_eq!(translated(pattern), Err(Flaw::Wrong), "{pattern}");
        }
    }
}
