//! Floods: ten thousand reports at once, a gigabyte long ones. Nobody else notices, and the log says who it was.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use pdp_e2e::connection::{Connection, post};
use pdp_e2e::{Wire, World, wait_for};
use reqwest::Method;
use serde_json::{Value, json};

use crate::attack::note;
use crate::base::unix_now;
use crate::server_attacks::served;

const REPORTS: &str = "reports?line=pdp-2026";
const FLOOD: usize = 10_000;
/// What one data plane may hand in at once; then one a second.
const BURST: u64 = 60;

/// A report of `now` that differs from all others by its number.
fn numbered(wire: &Wire, now: i64, number: usize) -> Vec<u8> {
    let mut report = wire.report(now, Value::Null, 41, "", "waiting");
    report["target"] = Value::Null;
    report["catalog"]["timestamp"] = number.into();
    wire.seal(&report)
}

/// Sends all of them over fifty connections; how many were answered with each status.
fn flood(runtime: &tokio::runtime::Runtime, host: &str, requests: &Arc<Vec<Vec<u8>>>) -> Vec<u16> {
    let next = Arc::new(AtomicUsize::new(0));
    let connections = (0..50).map(|_| {
        let (host, requests, next) = (host.to_owned(), requests.clone(), next.clone());
        runtime.spawn(async move {
            let (mut connection, mut statuses) = (Connection::open(&host).await.unwrap(), Vec::new());
            while let Some(request) = requests.get(next.fetch_add(1, Relaxed)) {
                statuses.push(connection.ask(request).await.unwrap().status);
            }
            statuses
        })
    });
    let connections: Vec<_> = connections.collect();
    connections.into_iter().flat_map(|connection| runtime.block_on(connection).unwrap()).collect()
}

fn counted(world: &World) -> u64 {
    let figures = world.server().unwrap().get("/metrics").unwrap().1;
    let line = figures.lines().find_map(|line| line.strip_prefix("pdp_channel_server_reports_total "));
    line.map_or(0, |number| number.parse().unwrap())
}

/// The log's lines about one data plane's refused reports.
fn lines(world: &World, wire: &Wire) -> Vec<String> {
    let words = world.server().unwrap().words();
    let of = |line: &&str| line.contains("report refused") && line.contains(&wire.id());
    words.lines().filter(of).map(str::to_owned).collect()
}

#[test]
fn ten_thousand_reports_at_once_are_one_data_planes_own_trouble() {
    let mut world = World::start().unwrap();
    world.serve().unwrap();
    world.organization("acme", "canary").unwrap();
    let (hostile, neighbour) =
        (Wire::new("acme", "hostile").unwrap(), Wire::new("acme", "neighbour").unwrap());
    let server = world.server().unwrap();
    [&hostile, &neighbour].into_iter().for_each(|wire| wire.enrol(server).unwrap());
    let (host, now) = (server.url().trim_start_matches("http://").to_owned(), unix_now());
    let send = |wire: &Wire, envelope: Vec<u8>| {
        server.call(Method::POST, &wire.path(REPORTS), None, Some(envelope)).unwrap().0
    };
    assert_eq!(send(&hostile, numbered(&hostile, now, 0)), 204);
    let (before, events) = (counted(&world), server.events().unwrap().len());

    // Every other one is an old one that somebody kept.
    let requests = (1..=FLOOD).map(|n| {
        let envelope = numbered(&hostile, now - i64::from(n % 2 == 0), n);
        post(&host, &hostile.path(REPORTS), None, &envelope)
    });
    let requests = Arc::new(requests.collect::<Vec<_>>());
    let (begun, wall, over) = (Instant::now(), unix_now(), AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (statuses, heard, meanwhile) = std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            let (mut heard, mut meanwhile) = (Vec::new(), 0);
            for n in 0..20 {
                heard.push(send(&neighbour, numbered(&neighbour, now, n)));
                let path = neighbour.path("assignment?line=pdp-2026");
                heard.push(server.call(Method::GET, &path, Some(&neighbour.token(now)), None).unwrap().0);
                meanwhile += usize::from(!over.load(Relaxed));
            }
            (heard, meanwhile)
        });
        let statuses = flood(&runtime, &host, &requests);
        over.store(true, Relaxed);
        let (heard, meanwhile) = others.join().unwrap();
        (statuses, heard, meanwhile)
    });
    // The server counts by the wall clock, which may be set meanwhile. Seconds are whole on either clock.
    let on_the_wall = u64::try_from(unix_now() - wall).unwrap();
    let took = begun.elapsed().as_secs().max(on_the_wall) + 2;
    let of = |status: u16| statuses.iter().filter(|known| **known == status).count() as u64;
    let (taken, too_many, old) = (of(204), of(429), of(409));
    assert_eq!((taken + too_many + old, old), (FLOOD as u64, FLOOD as u64 / 2), "{taken} {too_many} {old}");
    assert!((BURST - 1..=BURST + took).contains(&taken), "{taken} taken in {took} s");
    assert!(heard.iter().all(|status| matches!(status, 200 | 204)), "{heard:?}");
    assert!(meanwhile > 0, "others were served while it went on");
    assert_eq!(counted(&world), before + taken + 20, "nothing is counted but what was taken");
    assert_eq!(server.events().unwrap().len(), events, "and none of it means anything");
    let said = lines(&world, &hostile);
    assert!(!said.is_empty() && said.len() as u64 <= 21 + took / 10, "{} lines", said.len());
    assert!(lines(&world, &neighbour).is_empty());
    wait_for("a line that says how many more there were", || {
        send(&hostile, numbered(&hostile, now - 1, 0));
        lines(&world, &hostile)
            .last()
            .is_some_and(|line| line.contains("unsaid") && !line.contains("unsaid=0"))
    })
    .unwrap();
    note("ten-thousand-reports", "TooManyReports", "refused");
}

#[test]
fn a_report_too_many_says_when_to_come_back_and_nobody_else_can_use_up_the_quota() {
    let served = served();
    let (victim, thief) = (served.enrolled("acme", "quota"), served.enrolled("other", "quota"));
    let now = unix_now();
    let (first, kept) = (numbered(&victim, now, 0), numbered(&victim, now - 60, 1));
    assert_eq!(served.report(&victim, first.clone()).0, 204);
    for n in 0..2 * BURST as usize {
        assert_eq!(served.report(&victim, thief.seal(&json!({ "n": n }))).0, 401, "of a stranger");
        assert_eq!(served.report(&victim, kept.clone()).0, 409, "replayed");
        assert_eq!(served.report(&victim, first.clone()).0, 204, "the last one again");
    }
    assert_eq!(served.report(&victim, numbered(&victim, now, 2)).0, 204, "its own quota is untouched");
    let url = format!("{}{}", served.world.server().unwrap().url(), victim.path(REPORTS));
    let http = reqwest::blocking::Client::new();
    let mut number = 3;
    let mut answer = None;
    wait_for("one too many", || {
        number += 1;
        let request = http.post(&url).body(numbered(&victim, now, number));
        answer = Some(request.send().unwrap()).filter(|answer| answer.status() == 429);
        answer.is_some()
    })
    .unwrap();
    let answer = answer.unwrap();
    let seconds = answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    let problem: Value = serde_json::from_str(&answer.text().unwrap()).unwrap();
    assert_eq!(problem["code"], "TooManyReports", "{problem}");
    wait_for("the next one to be taken", || {
        number += 1;
        served.report(&victim, numbered(&victim, now, number)).0 == 204
    })
    .unwrap();
    note("quota-of-another", "LoginNeeded", "refused");
}

/// The most memory that a process has used so far (KiB).
fn peak(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

const GIGABYTE: usize = 1 << 30;

/// A request that is being sent without end.
struct Endless {
    stream: TcpStream,
    chunked: bool,
    sent: usize,
}

impl Endless {
    fn begin(host: &str, path: &str, token: Option<&str>, chunked: bool) -> Self {
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
        let length = match chunked {
            true => "transfer-encoding: chunked".to_owned(),
            false => format!("content-length: {GIGABYTE}"),
        };
        let login = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n{login}{length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        Self { stream, chunked, sent: 0 }
    }

    /// Sends so much more; false once the connection is gone.
    fn send(&mut self, bytes: usize) -> bool {
        let piece = vec![b' '; bytes];
        let sent = match self.chunked {
            true => write!(self.stream, "{bytes:x}\r\n")
                .and_then(|()| self.stream.write_all(&piece))
                .and_then(|()| self.stream.write_all(b"\r\n")),
            false => self.stream.write_all(&piece),
        };
        self.sent += bytes;
        sent.is_ok()
    }

    /// Sends all that the server takes; its answer, and how much left this side.
    fn end(mut self) -> (String, usize) {
        let mut reading = self.stream.try_clone().unwrap();
        let answer = std::thread::spawn(move || {
            // What came before the connection broke is what counts.
            let (mut answer, mut piece) = (Vec::new(), [0; 1024]);
            while let Ok(read @ 1..) = reading.read(&mut piece) {
                answer.extend_from_slice(&piece[..read]);
            }
            String::from_utf8_lossy(&answer).into_owned()
        });
        while self.sent < GIGABYTE && self.send(16 * 1024) {}
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
        (answer.join().unwrap(), self.sent)
    }
}

#[test]
fn a_gigabyte_is_cut_off_at_the_cap_whoever_sends_it_and_however() {
    let served = served();
    let server = served.world.server().unwrap();
    let (large, neighbour) = (served.enrolled("acme", "gigabyte"), served.enrolled("acme", "beside"));
    let host = server.url().trim_start_matches("http://").to_owned();
    let (login, before) = (large.token(unix_now()), peak(server.id().unwrap()));
    let events = server.events().unwrap().len();
    for (name, path, token, what) in [
        ("gigabyte-report", large.path(REPORTS), None, "report refused"),
        ("gigabyte-ready", large.path("ready?line=pdp-2026"), Some(login.as_str()), "ready refused"),
        ("gigabyte-enrolment", "/v1/enrolments".to_owned(), None, "enrolment refused"),
    ] {
        for chunked in [false, true] {
            let case = format!("{name}, chunked: {chunked}");
            let mut endless = Endless::begin(&host, &path, token, chunked);
            let peer = endless.stream.local_addr().unwrap().to_string();
            assert!(endless.send(32 * 1024), "{case}: below the cap");
            let polled = served.call(
                Method::GET,
                &neighbour.path("assignment?line=pdp-2026"),
                Some(&neighbour.token(unix_now())),
                None,
            );
            assert_eq!(polled.0, 200, "{case}: others are served meanwhile");
            let (answer, sent) = endless.end();
            assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("TooLarge"), "{case}: {answer}");
            // The rest is what lay in the buffers of both sockets.
            assert!(sent < 64 << 20, "{case}: {sent} bytes left before the connection was closed");
            let words = server.words();
            let line = words.lines().find(|line| line.contains(&peer) && line.contains(what));
            let line = line.unwrap_or_else(|| panic!("{case}: no line about {peer}: {words}"));
            let named = what.starts_with("enrolment") || line.contains(&large.id());
            assert!(named && line.contains("TooLarge"), "{case}: {line}");
        }
        note(name, "TooLarge", "refused");
    }
    let grown = peak(server.id().unwrap()) - before;
    assert!(grown < 32 * 1024, "memory grew by {grown} KiB");
    assert_eq!(server.events().unwrap().len(), events, "nothing was written down");
}
