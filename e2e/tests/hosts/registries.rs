//! Each registry in each way that it is run.

use std::path::PathBuf;

use pdp_e2e::hosts::{
    Access, Authority, Distribution, Edition, Gitea, Lighttpd, Nginx, Olareg, PUSHER, READER, TokenService,
    debian_version, logins, tools,
};
use pdp_e2e::{Outside, World};

use crate::row::{Row, Table};
use crate::story;

/// A running registry and how the programs come in.
pub(crate) struct Way {
    /// As the programs take it.
    pub(crate) registry: String,
    /// `host:port`, by which Docker's config knows it.
    pub(crate) address: String,
    pub(crate) login: Option<(String, String)>,
    pub(crate) ca: Option<PathBuf>,
}

impl Way {
    pub(crate) fn open(address: String) -> Self {
        Self { registry: address.clone(), address, login: None, ca: None }
    }

    pub(crate) fn with_login(self, user: &str, password: &str) -> Self {
        Self { login: Some((user.to_owned(), password.to_owned())), ..self }
    }

    pub(crate) fn with_tls(self, authority: &Authority) -> Self {
        let registry = format!("https://{}", self.registry);
        Self { registry, ca: Some(authority.file().to_owned()), ..self }
    }

    pub(crate) fn below(self, prefix: &str) -> Self {
        Self { registry: format!("{}/{prefix}", self.registry), ..self }
    }

    /// A world that publishes there and pulls from there.
    pub(crate) fn world(&self) -> World {
        let mut world = World::prepare(
            Outside { registry: Some(self.registry.clone()), ca: self.ca.clone(), ..Outside::default() },
            false,
        )
        .unwrap();
        if let Some((user, password)) = &self.login {
            logins(&world.path(".docker"), &self.address, user, password).unwrap();
        }
        world.found().unwrap();
        world.catalog_in_oci = true;
        world
    }
}

/// All operations, from the first push to the ring state.
fn play(row: &mut Row, way: &Way) {
    let mut world = way.world();
    let folder = story::built(&world);
    if way.login.is_some() {
        refusals(row, way, &world, &folder);
    }
    if !row.works("publish", &story::publish(&world, &folder, &[])) {
        return;
    }
    row.works("again", &story::publish(&world, &folder, &[]));
    story::catalog(&world, "publish", false);
    assert!(story::promote(&world).is_done());
    story::catalog(&world, "publish", false);
    assert!(story::open(&world).is_done());
    let by_oci = row.works("catalog by OCI", &story::catalog(&world, "publish", true));
    row.works("verify", &story::verify(&world));
    let plane = world.data_plane("acme", "git", "general", "").unwrap();
    row.works("pdp-sync", &story::pass(&world, &plane, &[]));
    if by_oci {
        let source = format!("{{oci: {{repository: \"{}\", tag: latest}}}}", world.catalog_repository());
        let registry = world.registry_host();
        let plane = world.data_plane_on("acme", "oci", "general", &source, &registry, "").unwrap();
        row.works("from OCI", &story::pass(&world, &plane, &[]));
    }
    world.serve().unwrap();
    let place = format!("{{oci: {{repository: \"{}/pdp/ring-state\"}}}}", world.registry_host());
    let follower = story::follower(&world, "oci", &place);
    row.works("ring state", &story::instruction(&world, &follower));
}

/// What may not be done, before anything is there.
fn refusals(row: &mut Row, way: &Way, world: &World, folder: &str) {
    let with = |name: &str, login: Option<(&str, &str)>| {
        let docker = world.path(name);
        std::fs::create_dir_all(&docker).unwrap();
        if let Some((user, password)) = login {
            logins(&docker, &way.address, user, password).unwrap();
        }
        story::publish(world, folder, &[("DOCKER_CONFIG", &docker.to_string_lossy())])
    };
    row.refused("no login", "LoginNeeded, exit 4", &with("nobody", None));
    let user = way.login.as_ref().map(|(user, _)| user.as_str()).unwrap_or_default();
    row.refused("wrong login", "LoginNeeded, exit 4", &with("wrong", Some((user, "wrong"))));
}

fn name(edition: Edition, how: &str) -> String {
    format!("distribution {}{how}", edition.version().unwrap())
}

fn anonymous(edition: Edition, row: &'static str) {
    let registry = Distribution::start(edition, Access::Anonymous, None).unwrap();
    let mut row = Row::begin(Table::Registries, row, name(edition, ", anonymous"));
    play(&mut row, &Way::open(registry.host()));
    row.end();
}

fn basic(edition: Edition, row: &'static str) {
    let registry = Distribution::start(edition, Access::Basic, None).unwrap();
    let mut row = Row::begin(Table::Registries, row, name(edition, ", Basic"));
    play(&mut row, &Way::open(registry.host()).with_login(PUSHER.user, PUSHER.password));
    row.end();
}

/// Nobody gets more than was asked for: reading asks for `pull` alone.
fn token(edition: Edition, row: &'static str) {
    let folder = tempfile::tempdir().unwrap();
    let service = TokenService::start(folder.path()).unwrap();
    let registry = Distribution::start(edition, Access::Token(&service), None).unwrap();
    let mut row = Row::begin(Table::Registries, row, name(edition, ", token service"));
    let way = Way::open(registry.host()).with_login(PUSHER.user, PUSHER.password);
    play(&mut row, &way);
    let world = way.world();
    let folder = story::built(&world);
    logins(&world.path("reader"), &way.address, READER.user, READER.password).unwrap();
    let docker = world.path("reader").to_string_lossy().into_owned();
    let refused = story::publish(&world, &folder, &[("DOCKER_CONFIG", &docker)]);
    // The level is there already: what only reads is let in, what writes isn't.
    row.refused("only pulls", "LoginNeeded, exit 4", &refused);
    let asked = service.take_asked();
    assert!(asked.iter().any(|scope| scope.starts_with("pusher repository:pdp/pdp-2026:pull")), "{asked:#?}");
    row.end();
}

fn tls(edition: Edition, row: &'static str) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path()).unwrap();
    let certificate = authority.certificate("registry").unwrap();
    let registry = Distribution::start(edition, Access::Basic, Some(&certificate)).unwrap();
    let mut row = Row::begin(Table::Registries, row, name(edition, ", Basic, TLS with a private CA"));
    let way = Way::open(registry.host()).with_login(PUSHER.user, PUSHER.password);
    play(&mut row, &way.with_tls(&authority));
    row.end();
}

/// nginx passes bodies up to a limit: what is larger is refused in words, what isn't passes.
fn behind_nginx(behind: &str, small: bool, more: &str) -> Nginx {
    let limit = if small { "1k" } else { "1m" };
    let pass = format!("client_max_body_size {limit};\nlocation / {{ proxy_pass http://{behind}; }}\n{more}");
    Nginx::start(&pass, None).unwrap()
}

fn limited(server: String, names: [&'static str; 2], behind: &str, way: impl Fn(String) -> Way) {
    let (small, large) = (behind_nginx(behind, true, ""), behind_nginx(behind, false, ""));
    let mut row = Row::begin(
        Table::Registries,
        names[0],
        format!("{server}, behind nginx {} with a limit of 1 KB", debian_version("nginx").unwrap()),
    );
    let narrow = way(small.host());
    let world = narrow.world();
    let folder = story::built(&world);
    row.refused("publish", "TooLargeForHost, exit 2", &story::publish(&world, &folder, &[]));
    row.end();
    let wide = format!("{server}, behind nginx {} with a limit of 1 MB", debian_version("nginx").unwrap());
    let mut row = Row::begin(Table::Registries, names[1], wide);
    play(&mut row, &way(large.host()));
    row.end();
}

fn behind_lighttpd(server: &str, row: &'static str, behind: &str, way: impl Fn(String) -> Way) {
    let front = Lighttpd::start(behind.parse().unwrap()).unwrap();
    let server = format!("{server}, behind lighttpd {}", debian_version("lighttpd").unwrap());
    let mut row = Row::begin(Table::Registries, row, server);
    play(&mut row, &way(front.host()));
    row.end();
}

macro_rules! distribution {
    ($edition:expr, $module:ident, $anonymous:literal, $basic:literal, $token:literal, $tls:literal,
     $limit:literal, $wide:literal, $lighttpd:literal) => {
        mod $module {
            use super::*;

            #[test]
            fn anonymous() {
                super::anonymous($edition, $anonymous);
            }

            #[test]
            fn basic() {
                super::basic($edition, $basic);
            }

            #[test]
            fn by_a_token_service_that_checks_scopes() {
                super::token($edition, $token);
            }

            #[test]
            fn by_tls_with_a_private_ca() {
                super::tls($edition, $tls);
            }

            #[test]
            fn behind_nginx_with_a_body_limit() {
                let registry = Distribution::start($edition, Access::Anonymous, None).unwrap();
                limited(name($edition, ""), [$limit, $wide], &registry.host(), Way::open);
            }

            #[test]
            fn behind_lighttpd() {
                let registry = Distribution::start($edition, Access::Anonymous, None).unwrap();
                super::behind_lighttpd(&name($edition, ""), $lighttpd, &registry.host(), Way::open);
            }
        }
    };
}

distribution!(Edition::Two, distribution_2, "110", "111", "112", "113", "114", "115", "116");
distribution!(Edition::Three, distribution_3, "120", "121", "122", "123", "124", "125", "126");

fn olareg() -> String {
    format!("olareg {}", pdp_e2e::hosts::version("olareg").unwrap())
}

#[test]
fn olareg_with_and_without_the_referrers_api() {
    for (row, referrers, how) in [("130", true, "anonymous"), ("131", false, "no referrers API")] {
        let registry = Olareg::start(&tools(), referrers).unwrap();
        let mut row = Row::begin(Table::Registries, row, format!("{}, {how}", olareg()));
        play(&mut row, &Way::open(registry.host()));
        row.end();
    }
}

/// olareg knows no logins and no TLS of its own: nginx does both for it.
#[test]
fn olareg_with_basic_and_tls_by_nginx() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, file) = (Authority::new(folder.path()).unwrap(), folder.path().join("htpasswd"));
    std::fs::write(&file, pdp_e2e::hosts::htpasswd()).unwrap();
    let registry = Olareg::start(&tools(), true).unwrap();
    let pass = format!(
        "client_max_body_size 0; auth_basic registry; auth_basic_user_file {};\nlocation / {{ proxy_pass http://{}; }}",
        file.display(),
        registry.host()
    );
    let certificate = authority.certificate("registry").unwrap();
    let front = Nginx::start(&pass, Some(&certificate)).unwrap();
    let version = debian_version("nginx").unwrap();
    let server = format!("{}, Basic and TLS with a private CA by nginx {version}", olareg());
    let mut row = Row::begin(Table::Registries, "132", server);
    let way = Way::open(front.host()).with_login(PUSHER.user, PUSHER.password);
    play(&mut row, &way.with_tls(&authority));
    row.end();
}

#[test]
fn olareg_behind_nginx_with_a_body_limit() {
    let registry = Olareg::start(&tools(), true).unwrap();
    limited(olareg(), ["133", "134"], &registry.host(), Way::open);
}

#[test]
fn olareg_behind_lighttpd() {
    let registry = Olareg::start(&tools(), true).unwrap();
    behind_lighttpd(&olareg(), "135", &registry.host(), Way::open);
}

fn gitea(how: &str) -> String {
    format!("Gitea {} packages{how}", pdp_e2e::hosts::version("gitea").unwrap())
}

fn to_gitea(gitea: &Gitea, address: String) -> Way {
    Way::open(address).with_login(Gitea::USER, gitea.token()).below(Gitea::USER)
}

#[test]
fn gitea_by_its_own_tokens() {
    let server = Gitea::start(None).unwrap();
    let mut row = Row::begin(Table::Registries, "140", gitea(", its own token login"));
    play(&mut row, &to_gitea(&server, server.host()));
    row.end();
}

#[test]
fn gitea_by_tls_with_a_private_ca() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path()).unwrap();
    let server = Gitea::start(Some(&authority.certificate("gitea").unwrap())).unwrap();
    let mut row = Row::begin(Table::Registries, "141", gitea(", token login, TLS with a private CA"));
    play(&mut row, &to_gitea(&server, server.host()).with_tls(&authority));
    row.end();
}
