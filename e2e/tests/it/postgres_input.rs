//! Addresses of databases that are wrong: the error says what, and shows no password.

use pdp_e2e::{Postgres, Program, Running, World, wait_for};

use crate::replicated::Replicated;

/// How a server ends that is to serve on this address: its exit code, and what it said.
fn serve(world: &World, name: &str, more: &[&str]) -> (Option<i32>, String) {
    let mut command = world.command(Program::ChannelServer).unwrap();
    command.args(["serve", "--listen", "127.0.0.1:0", "--catalog", &world.git.url("catalog")]);
    command.arg("--root").arg(world.root()).arg("--director-key").arg(world.path("director.pem")).args(more);
    let mut server = Running::start(command, world.path(&format!("{name}.log"))).unwrap();
    wait_for("the server to give up", || server.end().is_some()).unwrap();
    (server.code(), server.stdout() + &server.stderr())
}

#[test]
fn a_wrong_address_is_refused_with_what_is_wrong_and_without_its_password() {
    let one = Replicated::begin(1);
    let (right, port) = (one.postgres.address(), one.postgres.port());
    let here = format!("127.0.0.1:{port}");
    let cache = one.world.path("cache").to_string_lossy().into_owned();
    for (n, (address, code, named)) in [
        (format!("nonsense://pdp:hunter2@{here}/pdp"), "BadAddress", "postgres://"),
        ("postgres://pdp:hunter2@127.0.0.1:port/pdp".to_owned(), "BadAddress", "--database"),
        (format!("postgres://pdp@{here}/pdp?passwort=hunter2"), "BadAddress", "parameter"),
        (format!("postgres://pdp:hunter2@{here}/pdp"), "LoginNeeded", here.as_str()),
        (format!("{}nowhere", right.strip_suffix("pdp").unwrap()), "NotFound", "nowhere"),
        ("postgres://pdp:hunter2@127.0.0.1:1/pdp".to_owned(), "DatabaseUnavailable", "127.0.0.1:1"),
        (
            "postgres://pdp:hunter2@no-such-host.invalid/pdp".to_owned(),
            "DatabaseUnavailable",
            "no-such-host.invalid",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let more = ["--cache", &cache, "--database", &address];
        let (end, said) = serve(&one.world, &format!("wrong-{n}"), &more);
        assert!(matches!(end, Some(2 | 4)), "{address}: {end:?} {said}");
        assert!(said.contains(&format!("error[{code}]")) && said.contains(named), "{address}: {said}");
        shows_no_password(&said);
    }
    let (end, said) = serve(&one.world, "without-cache", &["--database", &right]);
    assert!(end == Some(2) && said.contains("--cache"), "{end:?} {said}");
    shows_no_password(&(said + &one.world.server().unwrap().words()));
}

#[test]
fn over_tls_only_the_certificate_of_the_right_name_is_spoken_to() {
    let (world, postgres) = (World::start().unwrap(), Postgres::start().unwrap());
    let list = |more: &str| {
        let address = format!("{}?{more}", postgres.address());
        let listed =
            world.run(Program::ChannelServer, &["token", "list", "--database", &address], &[]).unwrap();
        shows_no_password(&listed.stderr);
        (listed.code, listed.stderr)
    };
    let refused = |more: &str, code: &str| {
        let (end, said) = list(more);
        assert!(
            matches!(end, Some(2 | 4)) && said.contains(&format!("error[{code}]")),
            "{more}: {end:?} {said}"
        );
    };
    let other = postgres.require_tls("db.example").unwrap();
    refused(&format!("sslmode=verify-full&sslrootcert={}", other.display()), "DatabaseUnavailable");
    let certificate = postgres.require_tls("127.0.0.1").unwrap();
    let checked = format!("sslmode=verify-full&sslrootcert={}", certificate.display());
    let (end, said) = list(&checked);
    assert_eq!(end, Some(0), "{said}");
    refused("sslmode=verify-full", "DatabaseUnavailable");
    refused("sslmode=disable", "LoginNeeded");
}

fn shows_no_password(said: &str) {
    let right = Postgres::PASSWORD.rsplit(' ').next().unwrap();
    assert!(!said.contains("hunter2") && !said.contains(right), "{said}");
}
