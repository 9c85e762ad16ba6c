//! Each Git host in each way that it is run.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use pdp_e2e::hosts::{Authority, GitWeb, Gitea, Nginx, PUSHER, debian_version, jgit_version, version};
use pdp_e2e::{GitSite, Outside, World};

use crate::row::{Row, Seen, Table};
use crate::{catalogs, story};

/// A Git host, and how the programs come in.
struct Way {
    site: Arc<dyn GitSite>,
    ca: Option<PathBuf>,
    login: Option<(&'static str, String)>,
}

impl Way {
    fn open(site: impl GitSite + 'static) -> Self {
        Self { site: Arc::new(site), ca: None, login: None }
    }

    fn with_login(self, user: &'static str, password: &str) -> Self {
        Self { login: Some((user, password.to_owned())), ..self }
    }

    fn with_tls(self, authority: &Authority) -> Self {
        Self { ca: Some(authority.file().to_owned()), ..self }
    }

    /// A world with repositories there; it has no catalog yet.
    fn world(&self) -> World {
        let outside = Outside { git: Some(self.site.clone()), ca: self.ca.clone(), ..Outside::default() };
        let world = World::prepare(outside, false).unwrap();
        self.log_in(&world, self.login.as_ref().map(|(user, password)| (*user, password.as_str())));
        world.ceremony().unwrap();
        world
    }

    fn log_in(&self, world: &World, login: Option<(&str, &str)>) {
        let address = self.site.url("x");
        let (scheme, rest) = address.split_once("://").unwrap();
        let host = rest.split('/').next().unwrap();
        match login {
            Some((user, password)) => story::git_login(world, &format!("{scheme}://{host}"), user, password),
            None => drop(std::fs::remove_file(world.path(".gitconfig"))),
        }
    }
}

/// All operations, from the first catalog to the customer's repository.
fn play(row: &mut Row, way: &Way) -> World {
    let mut world = way.world();
    if let Some((user, password)) = &way.login {
        way.log_in(&world, None);
        row.refused("no login", "LoginNeeded, exit 4", &story::init(&world));
        way.log_in(&world, Some((user, "wrong")));
        row.refused("wrong login", "LoginNeeded, exit 4", &story::init(&world));
        way.log_in(&world, Some((user, password)));
    }
    if !row.works("catalog init", &story::init(&world)) {
        return world;
    }
    let folder = story::built(&world);
    if !row.works("propose", &story::publish(&world, &folder, &[])) {
        return world;
    }
    let merged = story::catalog(&world, "publish", false);
    if !row.works("promote", &story::promote(&world)) {
        return world;
    }
    let second = story::catalog(&world, "publish", false);
    assert!(story::open(&world).is_done());
    let third = story::catalog(&world, "publish", false);
    let all = [merged, second, third].into_iter().find(|seen| !seen.is_done()).unwrap_or(Seen::Done);
    row.works("catalog publish", &all);
    row.works("catalog refresh", &story::catalog(&world, "refresh", false));
    row.works("TUF clients", &catalogs::agree(&world, &checked_out(&world)));
    let plane = world.data_plane("acme", "git", "general", "").unwrap();
    if row.works("pdp-sync", &story::pass(&world, &plane, &[])) {
        // A pass more changes nothing in the customer's repository and is good.
        row.works("target", &Seen::of(&plane.pass(&world, &[]).unwrap()));
    }
    let served = world.serve();
    if row.works("server", &Seen::done_or(served.is_ok(), "not ready")) {
        let place = format!("{{git: {{url: \"{}\", branch: ring-state}}}}", world.git_url("ring-state"));
        let follower = story::follower(&world, "git", &place);
        row.works("ring state", &story::instruction(&world, &follower));
    }
    world
}

fn nginx_name(how: &str) -> String {
    format!("git http-backend behind nginx {}{how}", debian_version("nginx").unwrap())
}

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

#[test]
fn http_backend_behind_nginx() {
    let host = GitWeb::nginx(V4, false, None).unwrap();
    let mut row = Row::begin(Table::Git, "210", nginx_name(", anonymous"));
    let world = play(&mut row, &Way::open(host));
    row.end();
    catalogs::read_by_all(&world, "published to git http-backend", &checked_out(&world));
}

#[test]
fn http_backend_behind_nginx_with_a_login() {
    let host = GitWeb::nginx(V4, true, None).unwrap();
    let mut row = Row::begin(Table::Git, "211", nginx_name(", Basic"));
    play(&mut row, &Way::open(host).with_login(PUSHER.user, PUSHER.password));
    row.end();
}

#[test]
fn http_backend_behind_nginx_with_tls_and_a_login() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path()).unwrap();
    let host = GitWeb::nginx(V4, true, Some(&authority.certificate("git").unwrap())).unwrap();
    let mut row = Row::begin(Table::Git, "212", nginx_name(", Basic, TLS with a private CA"));
    play(&mut row, &Way::open(host).with_login(PUSHER.user, PUSHER.password).with_tls(&authority));
    row.end();
}

#[test]
fn http_backend_on_ipv6() {
    let host = GitWeb::nginx(V6, false, None).unwrap();
    let mut row = Row::begin(Table::Git, "213", nginx_name(", on [::1]"));
    play(&mut row, &Way::open(host));
    row.end();
}

/// A repository that moved: the old address answers 301.
#[derive(Debug)]
struct Moved {
    host: GitWeb,
    front: Nginx,
}

impl GitSite for Moved {
    fn create(&self, name: &str) -> anyhow::Result<()> {
        self.host.create(name)
    }

    fn url(&self, name: &str) -> String {
        format!("http://{}/old/{name}", self.front.host())
    }
}

#[test]
fn http_backend_that_moved_to_another_address() {
    let host = GitWeb::nginx(V4, false, None).unwrap();
    let to = format!("location /old/ {{ rewrite ^/old/(.*)$ {}/$1 permanent; }}", host.base());
    let front = Nginx::start(&to, None).unwrap();
    let mut row = Row::begin(Table::Git, "214", nginx_name(", every address answers 301"));
    play(&mut row, &Way::open(Moved { host, front }));
    row.end();
}

fn gitea_name(how: &str) -> String {
    format!("Gitea {}{how}", version("gitea").unwrap())
}

#[test]
fn gitea_with_a_protected_branch() {
    let gitea = Gitea::start(None).unwrap();
    let mut row = Row::begin(Table::Git, "220", gitea_name(", access token"));
    let world = play(&mut row, &Way::open(gitea.clone()).with_login(Gitea::USER, gitea.token()));
    let plane = world.data_plane("acme", "protected", "general", "").unwrap();
    // The branch is there, and nobody may push to it.
    gitea.first_commit("acme-protected").unwrap();
    gitea.protect("acme-protected", "main").unwrap();
    row.refused("protected branch", "GitRefused, exit 2", &story::pass(&world, &plane, &[]));
    row.end();
}

/// Every repository is renamed right after it was made; the programs know the old name.
#[derive(Debug)]
struct Renamed(Gitea);

impl GitSite for Renamed {
    fn create(&self, name: &str) -> anyhow::Result<()> {
        self.0.create(name)?;
        self.0.rename(name, &format!("{name}-renamed"))
    }

    fn url(&self, name: &str) -> String {
        self.0.url(name)
    }
}

#[test]
fn gitea_with_renamed_repositories() {
    let gitea = Gitea::start(None).unwrap();
    let mut row = Row::begin(Table::Git, "221", gitea_name(", repositories renamed"));
    play(&mut row, &Way::open(Renamed(gitea.clone())).with_login(Gitea::USER, gitea.token()));
    row.end();
}

#[test]
fn gitea_by_tls_with_a_private_ca() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path()).unwrap();
    let gitea = Gitea::start(Some(&authority.certificate("gitea").unwrap())).unwrap();
    let mut row = Row::begin(Table::Git, "222", gitea_name(", TLS with a private CA"));
    let way = Way::open(gitea.clone()).with_login(Gitea::USER, gitea.token());
    play(&mut row, &way.with_tls(&authority));
    row.end();
}

#[test]
fn jgit() {
    let host = GitWeb::jgit().unwrap();
    let server = format!("JGit {} in Jetty, anonymous", jgit_version().unwrap());
    let mut row = Row::begin(Table::Git, "230", server);
    play(&mut row, &Way::open(host));
    row.end();
}

/// The published catalog as files, as the publisher fetched it from there.
fn checked_out(world: &World) -> PathBuf {
    let folder = world.path("checked-out");
    std::fs::create_dir_all(&folder).unwrap();
    let caches = std::fs::read_dir(world.path("pdp-publisher")).unwrap();
    for cache in caches.map(|entry| entry.unwrap().path()) {
        let mut git = Command::new("git");
        git.arg("--git-dir").arg(cache.join("git")).arg("--work-tree").arg(&folder);
        git.args(["checkout", "-q", "refs/remotes/origin/catalog", "--", "."]);
        assert!(git.status().unwrap().success());
    }
    assert!(folder.join("metadata/timestamp.json").exists());
    folder
}

#[test]
fn nothing_of_an_nginx_outlives_it() {
    let nginx = Nginx::start("", None).unwrap();
    let host = nginx.host();
    assert!(std::net::TcpStream::connect(&host).is_ok());
    drop(nginx);
    assert!(std::net::TcpStream::connect(&host).is_err(), "a worker still listens");
}
