//! The ground itself: a PostgreSQL server that is killed keeps what it committed, and a wire goes dead without a word.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use pdp_e2e::{Forwarder, Postgres};

#[test]
fn what_was_committed_is_there_after_a_kill() {
    let postgres = Postgres::start().unwrap();
    postgres.sql("CREATE TABLE kept (name TEXT); INSERT INTO kept VALUES ('ada'), ('bo')").unwrap();
    let refused = postgres.sql("SELECT name FROM lost").unwrap_err().to_string();
    assert!(refused.contains("\"lost\" does not exist"), "{refused}");
    for _ in 0..2 {
        postgres.kill();
        assert!(postgres.sql("SELECT 1").is_err());
        postgres.restart().unwrap();
        assert_eq!(postgres.sql("SELECT name FROM kept ORDER BY name").unwrap(), "ada\nbo");
    }
}

/// The next byte; none if there is none for a moment, or ever again.
fn next(stream: &mut TcpStream) -> Option<u8> {
    let mut byte = [0];
    stream.read(&mut byte).is_ok_and(|read| read == 1).then_some(byte[0])
}

#[test]
fn a_frozen_wire_loses_nothing_and_closes_nothing() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let between = Forwarder::start(listener.local_addr().unwrap().port()).unwrap();
    let mut near = TcpStream::connect((Ipv4Addr::LOCALHOST, between.port())).unwrap();
    let (mut far, _) = listener.accept().unwrap();
    let patience = |stream: &TcpStream, millis| {
        stream.set_read_timeout(Some(Duration::from_millis(millis))).unwrap();
    };
    near.write_all(b"a").unwrap();
    patience(&far, 30_000);
    assert_eq!(next(&mut far), Some(b'a'));
    between.freeze();
    near.write_all(b"b").unwrap();
    patience(&far, 100);
    assert_eq!(next(&mut far), None);
    between.thaw();
    patience(&far, 30_000);
    assert_eq!(next(&mut far), Some(b'b'));
    between.freeze();
    drop(far);
    patience(&near, 100);
    assert!(near.read(&mut [0]).is_err(), "nobody hears that the other side hung up");
    between.thaw();
    patience(&near, 30_000);
    assert_eq!(near.read(&mut [0]).unwrap(), 0);
}
