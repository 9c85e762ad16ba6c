//! Forward proxies, with and without a login, and IPv6.

use pdp_e2e::hosts::{
    Access, Authority, Distribution, Edition, GitWeb, PUSHER, Squid, Tinyproxy, debian_version,
};
use pdp_e2e::{Outside, World};

use crate::registries::Way;
use crate::row::{Row, Seen, Table};
use crate::story;

/// Our programs don't send requests to this machine through a proxy unless told so: an address of this machine that
/// isn't excepted.
struct Ground {
    _registry: Distribution,
    way: Way,
    _folder: tempfile::TempDir,
}

/// A registry behind TLS, so that the proxy sees CONNECT.
fn ground() -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path()).unwrap();
    let certificate = authority.certificate("registry").unwrap();
    let registry = Distribution::start(Edition::Three, Access::Basic, Some(&certificate)).unwrap();
    let way = Way::open(registry.host()).with_login(PUSHER.user, PUSHER.password).with_tls(&authority);
    Ground { _registry: registry, way, _folder: folder }
}

fn play(name: &'static str, server: &str, proxy: &str, login: bool, count: impl Fn() -> usize) {
    let ground = ground();
    let mut row = Row::begin(Table::Proxies, name, server);
    let with = match login {
        true => format!("http://{}:{}@{proxy}", PUSHER.user, PUSHER.password),
        false => format!("http://{proxy}"),
    };
    let world = ground.way.world();
    let folder = story::built(&world);
    let through = |address: &str| [("HTTPS_PROXY", address.to_owned()), ("HTTP_PROXY", address.to_owned())];
    let env = through(&with);
    let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if !row.works("publish", &story::publish(&world, &folder, &env)) {
        row.end();
        return;
    }
    story::catalog(&world, "publish", false);
    assert!(story::promote(&world).is_done());
    story::catalog(&world, "publish", false);
    assert!(story::open(&world).is_done());
    story::catalog(&world, "publish", false);
    let before = count();
    let plane = world.data_plane("acme", "proxy", "general", "").unwrap();
    row.works("pdp-sync", &story::pass(&world, &plane, &env));
    row.works("all through it", &Seen::done_or(count() > before, "not through the proxy"));
    let direct = world.data_plane("acme", "direct", "general", "").unwrap();
    let before = count();
    let seen = story::pass(&world, &direct, &[&env[..], &[("NO_PROXY", "127.0.0.1")]].concat());
    let seen = if count() == before { seen } else { Seen::Refused("through the proxy".to_owned()) };
    row.works("NO_PROXY", &seen);
    if login {
        let bare = format!("http://{proxy}");
        let refused = story::publish(&world, &folder, &[("HTTPS_PROXY", &bare), ("HTTP_PROXY", &bare)]);
        row.refused("no login", "ProxyLoginNeeded, exit 4", &refused);
    }
    let gone = "http://127.0.0.1:9";
    let refused = story::publish(&world, &folder, &[("HTTPS_PROXY", gone), ("HTTP_PROXY", gone)]);
    row.refused("proxy down", "ProxyUnreachable, exit 2", &refused);
    row.end();
}

#[test]
fn tinyproxy() {
    for (name, login, how) in [("310", false, ""), ("311", true, ", with login")] {
        let proxy = Tinyproxy::start(login).unwrap();
        let server = format!("tinyproxy {}{how}", debian_version("tinyproxy").unwrap());
        play(name, &server, &proxy.host(), login, || proxy.requests());
    }
}

#[test]
fn squid() {
    for (name, login, how) in [("320", false, ""), ("321", true, ", with login")] {
        let proxy = Squid::start(login).unwrap();
        let server = format!("squid {}{how}", debian_version("squid").unwrap());
        play(name, &server, &proxy.host(), login, || proxy.requests());
    }
}

#[test]
fn ipv6() {
    let (v6, edition) = (std::net::Ipv6Addr::LOCALHOST.into(), Edition::Three);
    let registry = Distribution::start_at(v6, edition, Access::Anonymous, None).unwrap();
    let git = GitWeb::nginx(v6, false, None).unwrap();
    let outside = Outside {
        registry: Some(registry.host()),
        git: Some(std::sync::Arc::new(git)),
        ..Outside::default()
    };
    let server = format!(
        "none; distribution {} and git http-backend behind nginx {} on [::1]",
        edition.version().unwrap(),
        debian_version("nginx").unwrap()
    );
    let mut row = Row::begin(Table::Proxies, "330", server);
    let world = World::start_on(outside).unwrap();
    let folder = story::built(&world);
    row.works("publish", &story::publish(&world, &folder, &[]));
    story::catalog(&world, "publish", false);
    assert!(story::promote(&world).is_done());
    story::catalog(&world, "publish", false);
    assert!(story::open(&world).is_done());
    story::catalog(&world, "publish", false);
    let plane = world.data_plane("acme", "v6", "general", "").unwrap();
    row.works("pdp-sync", &story::pass(&world, &plane, &[]));
    row.end();
}
