//! Days of the calendar, counted from 1970-01-01.

use std::fmt;

/// A day as it is written: `2027-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Reads a day; `None` when the text is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_shaped = text.len() == 10
            && text
                .bytes()
                .zip(0..)
                .all(|(byte, at)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
        days_of_date(text).filter(|_| is_shaped)?;
        let mut numbers = text.split('-');
        let year = numbers.next()?.parse().ok()?;
        Some(Self { year, month: numbers.next()?.parse().ok()?, day: numbers.next()?.parse().ok()? })
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days(self) -> i64 {
        days_of_date(&self.to_string()).unwrap_or_default()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The days from 1970-01-01 to a date (`2027-01-31`, also at the head of an RFC 3339 time); `None` when it is none.
#[must_use]
pub fn days_of_date(text: &str) -> Option<i64> {
    let date = text.get(..10)?;
    let mut numbers = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    // Days from the civil calendar, with the year beginning in March so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_days() {
        assert_eq!(days_of_date("1970-01-01"), Some(0));
        assert_eq!(days_of_date("2000-03-01T00:00:00Z"), Some(11_017));
        assert_eq!(days_of_date("2023-02-29"), None);
        assert_eq!(days_of_date("soon"), None);
    }

    #[test]
    fn a_day_is_written_in_one_way() {
        let day = Date::parse("2028-02-29").unwrap();
        assert_eq!((day.to_string().as_str(), day.days()), ("2028-02-29", 21_243));
        for bad in
            ["2027-02-29", "2027-1-31", "31-01-2027", "2027-01-31T00:00:00Z", "+027-01-01", "2027/01/31", "", "ü"]
        {
            assert_eq!(Date::parse(bad), None, "{bad}");
        }
    }
}
