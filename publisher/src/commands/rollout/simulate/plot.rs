//! A simulation as a picture (SVG): both plans over the same time, ring upon ring, what is healthy, under way and
//! broken.

use std::fmt::Write;

use pdp_policies::Span;
use pdp_policies::rollout::simulate::{Course, Point, Simulation, length};

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 960.0;
const PANEL: f64 = 190.0;
const TOPS: [f64; 2] = [110.0, 370.0];
/// One per ring, first to last, then again.
const TINTS: [&str; 6] = ["#f2a900", "#3aa3a0", "#3b6fb6", "#7a5aa6", "#8a8d3f", "#9c6b4e"];
const BROKEN: &str = "#c62828";
/// Failed without the level's doing.
const OTHERS: &str = "#555555";
/// Lengths between two marks on the axis, in seconds.
const STEPS: [i64; 15] = [
    60, 300, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000, 2_592_000, 7_776_000,
    31_536_000,
];

/// The scales that both panels share.
struct Scale {
    /// The end of the axis of time (seconds).
    time: f64,
    /// The end of the axis of shares (percent).
    share: f64,
    /// The size of the fleet.
    fleet: f64,
}

impl Scale {
    fn of(simulation: &Simulation) -> Self {
        let courses = [&simulation.gated, &simulation.timed];
        // Stragglers with rare windows come long after: the picture ends with the plans.
        let ends = courses.iter().flat_map(|course| [course.length, course.stop.map(|stop| stop.after)]);
        let last = ends.flatten().max().unwrap_or_default();
        let started = courses.iter().map(|course| course.started).max().unwrap_or_default();
        let fleet = f64::from(simulation.data_planes.max(1));
        let share = f64::from(started) * 100.0 / fleet;
        let nice = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0].into_iter().find(|nice| *nice >= share);
        Self { time: seconds(last).max(60.0) * 1.04, share: nice.unwrap_or(100.0), fleet }
    }

    fn x(&self, after: Span) -> f64 {
        LEFT + (RIGHT - LEFT) * (seconds(after) / self.time).min(1.0)
    }

    fn y(&self, top: f64, count: u32) -> f64 {
        top + PANEL - PANEL * f64::from(count) * 100.0 / self.fleet / self.share
    }
}

/// The picture as a file.
pub(super) fn svg(simulation: &Simulation, headline: &str) -> String {
    let scale = Scale::of(simulation);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} 640\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"640\" fill=\"#ffffff\"/>\n"
    );
    // A bold letter is about 0.6 as wide as high.
    let size = ((RIGHT - LEFT) / (0.6 * headline.chars().count().max(1) as f64)).min(18.0);
    text(&mut svg, LEFT, 30.0, "start", &format!("font-size=\"{size:.1}\" font-weight=\"bold\""), headline);
    legend(&mut svg, simulation);
    let (gated, timed) = (&simulation.gated, &simulation.timed);
    let end = match (gated.stop, gated.length) {
        (Some(stop), _) => {
            format!(
                "halted by themselves after {}, {} started ({} %), {} broken",
                length(stop.after),
                stop.started,
                stop.share,
                gated.broken
            )
        }
        (None, Some(end)) => format!("through after {}", length(end)),
        (None, None) => "it stalls".to_owned(),
    };
    let title = format!("Waves that prove themselves: {end}");
    panel(&mut svg, &scale, gated, &title, TOPS[0], "halted");
    let (started, broken) = (timed.started, timed.broken);
    let title = format!(
        "The same length by the clock alone, if nobody stops it: {started} start and {broken} break in the end"
    );
    panel(&mut svg, &scale, timed, &title, TOPS[1], "people notice");
    text(&mut svg, (LEFT + RIGHT) / 2.0, 615.0, "middle", "", "time since the promotion");
    svg + "</svg>\n"
}

fn panel(svg: &mut String, scale: &Scale, course: &Course, title: &str, top: f64, stopped: &str) {
    text(svg, LEFT, top - 12.0, "start", "font-weight=\"bold\"", title);
    axes(svg, scale, top);
    for number in 0..course.rings.len() {
        let tint = TINTS[number % TINTS.len()];
        band(svg, scale, course, top, number, ["healthy", tint, "1"], |point| {
            (0, part(&point.healthy, number))
        });
        band(svg, scale, course, top, number, ["broken", BROKEN, "1"], |point| {
            let healthy = part(&point.healthy, number);
            (healthy, healthy + part(&point.broken, number))
        });
        band(svg, scale, course, top, number, ["failed otherwise", OTHERS, "1"], |point| {
            let level = part(&point.healthy, number) + part(&point.broken, number);
            (level, level + others(point, number))
        });
        band(svg, scale, course, top, number, ["under way", tint, "0.4"], |point| {
            let ended = part(&point.healthy, number) + part(&point.broken, number) + others(point, number);
            (ended, part(&point.started, number))
        });
    }
    for ring in &course.rings {
        if let Some(opened) = ring.opened.filter(|opened| seconds(*opened) <= scale.time) {
            mark(svg, scale, top, opened, "#666666", "4 3", &format!("{} opens", ring.ring));
        }
    }
    if let Some(stop) = course.stop {
        mark(svg, scale, top, stop.after, BROKEN, "", stopped);
    }
}

fn part(counts: &[u32], ring: usize) -> u32 {
    counts.get(ring).copied().unwrap_or_default()
}

fn others(point: &Point, ring: usize) -> u32 {
    part(&point.sick, ring) + part(&point.by_chance, ring)
}

/// One ring's area between two counts, upon the rings before it; steps, because counts jump.
fn band(
    svg: &mut String,
    scale: &Scale,
    course: &Course,
    top: f64,
    ring: usize,
    [name, fill, opacity]: [&str; 3],
    counts: impl Fn(&Point) -> (u32, u32),
) {
    if course.curve.iter().all(|point| counts(point).0 == counts(point).1) {
        return;
    }
    let (mut upper, mut lower) = (Vec::new(), Vec::new());
    let ends = course.curve.iter().skip(1).map(|point| scale.x(point.after)).chain([RIGHT]);
    for (point, end) in course.curve.iter().zip(ends) {
        let below: u32 = point.started.iter().take(ring).sum();
        let ((from, to), begin) = (counts(point), scale.x(point.after));
        for x in [begin, end] {
            upper.push((x, scale.y(top, below + to)));
            lower.push((x, scale.y(top, below + from)));
        }
    }
    let path: Vec<_> =
        upper.into_iter().chain(lower.into_iter().rev()).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let name = format!("{} {name}", course.rings.get(ring).map_or("", |ring| ring.ring.as_str()));
    let _ = writeln!(
        svg,
        "<polygon fill=\"{fill}\" fill-opacity=\"{opacity}\" points=\"{}\"><title>{name}</title></polygon>",
        path.join(" ")
    );
}

fn axes(svg: &mut String, scale: &Scale, top: f64) {
    for quarter in 0..=4u8 {
        let y = top + PANEL - PANEL * f64::from(quarter) / 4.0;
        let _ =
            writeln!(svg, "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#dddddd\"/>");
        let share = scale.share * f64::from(quarter) / 4.0;
        text(svg, LEFT - 8.0, y + 4.0, "end", "", &format!("{share} %"));
    }
    let step = STEPS.into_iter().find(|step| scale.time / *step as f64 <= 9.0).unwrap_or(31_536_000);
    for mark in (0..).map(|n| n * step).take_while(|mark| (*mark as f64) < scale.time) {
        let span = Span::from_seconds(u32::try_from(mark).unwrap_or_default());
        text(svg, scale.x(span), top + PANEL + 18.0, "middle", "fill=\"#555555\"", &length(span));
    }
}

/// A vertical line with a word on it, written upwards so that neighbours stay readable.
fn mark(svg: &mut String, scale: &Scale, top: f64, after: Span, colour: &str, dashes: &str, word: &str) {
    let (x, bottom) = (scale.x(after), top + PANEL);
    let _ = writeln!(
        svg,
        "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{bottom}\" stroke=\"{colour}\" stroke-width=\"1.5\" stroke-dasharray=\"{dashes}\"/>\n\
         <text transform=\"translate({:.1},{:.1}) rotate(-90)\" text-anchor=\"end\" font-size=\"11\" fill=\"{colour}\">{word}</text>",
        x + 12.0,
        // Far from where the rings' words are: a halt may come right after an opening.
        if dashes.is_empty() { top + PANEL * 0.42 } else { top + 4.0 }
    );
}

fn legend(svg: &mut String, simulation: &Simulation) {
    let mut x = LEFT;
    let rings = simulation.gated.rings.iter().enumerate();
    let tints = rings.map(|(n, ring)| (TINTS[n % TINTS.len()], "1", ring.ring.to_string()));
    let others =
        [&simulation.gated, &simulation.timed].iter().any(|course| course.sick + course.by_chance > 0);
    let others = others.then_some((OTHERS, "1", "failed otherwise"));
    let kinds = [("#888888", "0.4", "under way (lighter)"), (BROKEN, "1", "broken")];
    let kinds = kinds.into_iter().chain(others).map(|(fill, opacity, name)| (fill, opacity, name.to_owned()));
    for (fill, opacity, name) in tints.chain(kinds) {
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"48\" width=\"14\" height=\"14\" fill=\"{fill}\" fill-opacity=\"{opacity}\"/>"
        );
        text(svg, x + 20.0, 60.0, "start", "", &name);
        x += 46.0 + 7.5 * name.len() as f64;
    }
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, style: &str, words: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {style}>{words}</text>");
}

fn seconds(span: Span) -> f64 {
    span.seconds() as f64
}
