//! Every beginning of a window against a walk over the minutes: what the clock skips begins at the first instant after the gap,
//! what it shows twice begins the first time. Real zones, real changes of clocks.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use pdp_policies::At;
use pdp_policies::policy::Window;

/// Zones with gaps and doubled hours at many times of day, of an hour, half an hour and more; ahead of and behind UTC.
const ZONES: [&str; 30] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Athens",
    "Europe/Chisinau",
    "Atlantic/Azores",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Halifax",
    "America/Havana",
    "America/Asuncion",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Nuuk",
    "America/Scoresbysund",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Pacific/Chatham",
];

const RULES: [&str; 20] = [
    "30 2 * * *",
    "30 2,14 * * *",
    "0 2 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "15 1-3 * * *",
    "*/20 2 * * *",
    "*/30 * * * *",
    "5 */2 * * *",
    "0 1 * * 0",
    "30 2 * * 0,6",
    "45 1 * * 1-5",
    "0 22 * * 6",
    "0 3 1 * *",
    "30 2 L * *",
    "0 2 * * 0#1",
    "30 2 * * 0L",
    "59 23 * * *",
    "0,30 1,2,3 * 3,4,9,10,11 *",
    "0 2 28-31 3,10 *",
];

const YEARS: std::ops::Range<i16> = 2024..2034;

/// One field: the numbers that it stands for.
fn numbers(field: &str, least: u8, most: u8) -> BTreeSet<u8> {
    let one = |part: &str| {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
            None => (range.parse().unwrap(), range.parse().unwrap()),
        };
        (from..=to).step_by(step.parse().unwrap())
    };
    field.split(',').flat_map(one).collect()
}

/// A rule, read by nobody else's code.
struct Walked {
    minutes: BTreeSet<u8>,
    hours: BTreeSet<u8>,
    months: BTreeSet<u8>,
    day: &'static str,
    weekday: &'static str,
}

impl Walked {
    fn read(rule: &'static str) -> Self {
        let fields: Vec<_> = rule.split(' ').collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else { panic!("{rule}") };
        let (minutes, hours, months) = (numbers(minute, 0, 59), numbers(hour, 0, 23), numbers(month, 1, 12));
        Self { minutes, hours, months, day, weekday }
    }

    fn on_day(&self, at: DateTime) -> bool {
        let (day, last) = (at.day(), at.days_in_month());
        let weekday = at.weekday().to_sunday_zero_offset();
        let of_month = match self.day {
            "*" => true,
            "L" => day == last,
            field => numbers(field, 1, 31).contains(&day.unsigned_abs()),
        };
        let of_week = match (self.weekday.split_once('#'), self.weekday.strip_suffix('L')) {
            _ if self.weekday == "*" => true,
            (Some((name, nth)), _) => weekday.to_string() == name && ((day - 1) / 7 + 1).to_string() == nth,
            (_, Some(name)) => weekday.to_string() == name && day + 7 > last,
            _ => numbers(self.weekday, 0, 6).contains(&weekday.unsigned_abs()),
        };
        of_month && of_week && self.months.contains(&at.month().unsigned_abs())
    }

    fn matches(&self, at: DateTime) -> bool {
        self.minutes.contains(&at.minute().unsigned_abs())
            && self.hours.contains(&at.hour().unsigned_abs())
            && self.on_day(at)
    }
}

/// Walks the minutes from `start` to `end` (seconds since 1970), with all rules at once.
fn walk(rules: &[Walked], zone: &TimeZone, start: i64, end: i64) -> Vec<Vec<At>> {
    let clock = |at: i64| zone.to_datetime(At::from_unix(at).timestamp());
    let (mut found, mut shown) = (vec![Vec::new(); rules.len()], clock(start - 60));
    for at in (start..end).step_by(60) {
        let now = clock(at);
        let mut passed = Vec::new();
        while shown < now {
            shown += jiff::SignedDuration::from_mins(1);
            passed.push(shown);
        }
        for (rule, found) in rules.iter().zip(&mut found) {
            if passed.iter().any(|shown| rule.matches(*shown)) {
                found.push(At::from_unix(at));
            }
        }
    }
    found
}

fn window(cron: &str, zone: &str) -> Window {
    let yaml = format!("{{name: w, kind: allow, cron: '{cron}', timeZone: {zone}, length: 1h}}");
    pdp_policies::yaml::read(&yaml).unwrap()
}

/// Three days around each change of clocks, and a week of each year.
fn stretches(zone: &TimeZone) -> Vec<(i64, i64)> {
    let midnight = |year| jiff::civil::date(year, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp();
    let (from, to) = (midnight(YEARS.start), midnight(YEARS.end));
    let changes = zone.following(from).take_while(|change| change.timestamp() < to);
    let around = |at: i64| (at - 36 * 3600 - at % 60, at + 36 * 3600 - at % 60);
    let mut all: Vec<_> = changes.map(|change| around(change.timestamp().as_second())).collect();
    all.extend(YEARS.map(|year| midnight(year).as_second()).map(|at| (at - 3 * 86_400, at + 4 * 86_400)));
    all
}

#[test]
fn beginnings_are_those_of_a_walk_over_the_minutes() {
    let (rules, mut compared) = (RULES.map(Walked::read), 0);
    for name in ZONES {
        let zone = TimeZoneDatabase::bundled().get(name).unwrap();
        for (start, end) in stretches(&zone) {
            for (rule, walked) in RULES.into_iter().zip(walk(&rules, &zone, start, end)) {
                let window = window(rule, name);
                let found = window.beginnings(At::from_unix(start - 1)).unwrap();
                let found: Vec<_> = found.take_while(|at| at.unix() < end).collect();
                assert_eq!(found, walked, "{rule} in {name} from {}", At::from_unix(start));
                compared += walked.len();
            }
        }
    }
    assert!(compared > 50_000, "{compared}");
}
