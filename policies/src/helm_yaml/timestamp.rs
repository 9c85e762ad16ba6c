//! Which text `!!timestamp` takes: the forms that go-yaml knows. They stay text.

/// `2006-1-2`, `2006-1-2 15:4:5.9` or `2006-1-2T15:4:5.9Z07:00`.
pub(super) fn is_timestamp(text: &str) -> bool {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let with_zone = text.contains(['T', 't']);
    is_date(date)
        && time.is_none_or(|time| match with_zone {
            true => split_zone(time).is_some_and(is_time),
            false => is_time(time),
        })
}

fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let (Some(month), Some(day)) = (short_number(month), short_number(day)) else { return false };
    let Ok(year) = year.parse::<i16>() else { return false };
    parts[0].len() == 4
        && parts[0].bytes().all(|b| b.is_ascii_digit())
        && jiff::civil::Date::new(year, month, day).is_ok()
}

fn is_time(text: &str) -> bool {
    let (clock, fraction) = match text.split_once(['.', ',']) {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let parts: Vec<_> = clock.split(':').collect();
    let [hour, minute, second] = parts.as_slice() else { return false };
    let below = |text: &str, limit: i8| short_number(text).is_some_and(|number| number < limit);
    below(hour, 24)
        && below(minute, 60)
        && below(second, 60)
        && fraction.is_none_or(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// The time before `Z` or `+07:00`.
fn split_zone(text: &str) -> Option<&str> {
    if let Some(time) = text.strip_suffix('Z') {
        return Some(time);
    }
    let at = text.rfind(['+', '-'])?;
    let (hours, minutes) = text[at + 1..].split_once(':')?;
    let two = |text: &str, limit: i8| text.len() == 2 && short_number(text).is_some_and(|n| n <= limit);
    (two(hours, 24) && two(minutes, 60)).then(|| &text[..at])
}

/// One or two digits.
fn short_number(text: &str) -> Option<i8> {
    let digits = matches!(text.len(), 1..=2) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}
