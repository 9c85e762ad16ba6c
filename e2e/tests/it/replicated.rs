//! Several channel servers over one PostgreSQL database.

use anyhow::Context;
use pdp_e2e::{ChannelServer, Postgres, Wire, World, wait_for};

use crate::base::unix_now;
use crate::crowd::Crowd;

/// A world whose channel server isn't alone. What is first ends first.
pub(crate) struct Replicated {
    pub(crate) world: World,
    pub(crate) replicas: Vec<ChannelServer>,
    pub(crate) postgres: Postgres,
}

impl Replicated {
    /// So many servers over a new database.
    pub(crate) fn begin(servers: usize) -> Self {
        let postgres = Postgres::start().unwrap();
        let mut world = World::start().unwrap();
        world.serve_on(&postgres.address()).unwrap();
        let replicas = (1..servers).map(|_| world.replica().unwrap()).collect();
        Self { world, replicas, postgres }
    }

    /// All servers; the first is the world's own.
    pub(crate) fn servers(&self) -> Vec<&ChannelServer> {
        self.world.server.iter().chain(&self.replicas).collect()
    }

    /// A crowd that every server knows.
    pub(crate) fn crowd(&self, size: usize, cap: usize) -> Crowd {
        let crowd = Crowd::gather(&self.world, size, cap);
        let last = crowd.wires.last().unwrap().id();
        self.until_all("the crowd", |server| server.admin(&format!("/v1/data-planes/{last}")).is_ok());
        self.until_all("level 41", |server| {
            server.rollout(41).is_ok_and(|view| view["rings"][0]["status"] == "open")
        });
        crowd
    }

    /// Waits until it is so at every server.
    pub(crate) fn until_all(&self, what: &str, is_so: impl Fn(&ChannelServer) -> bool) {
        self.servers().into_iter().for_each(|server| until(server, what, &is_so));
    }

    /// Waits until every server shows so many starts of level 41.
    pub(crate) fn until_starts(&self, count: usize) {
        self.until_all(&format!("{count} starts"), |server| {
            server.rollout(41).is_ok_and(|view| view["rings"][0]["starts"] == count)
        });
    }

    /// Waits until every server says that it can do its work.
    pub(crate) fn until_ready(&self) {
        self.servers().into_iter().for_each(|server| server.ready().unwrap());
    }

    /// Walks along the log with `channel-server verify-events`.
    pub(crate) fn log_is_whole(&self) {
        let verified = self.world.verify_events().unwrap();
        assert!(verified.ok() && verified.stdout.starts_with('✔'), "{}{}", verified.stdout, verified.stderr);
    }
}

/// Waits until it is so at one server.
pub(crate) fn until(server: &ChannelServer, what: &str, is_so: impl Fn(&ChannelServer) -> bool) {
    let waited = wait_for(&format!("{what} at {}", server.url()), || is_so(server));
    waited.with_context(|| server.words()).unwrap();
}

/// True if it says that it can't do its work, and this is why.
pub(crate) fn is_unready(server: &ChannelServer, code: &str) -> bool {
    server.get("/readyz").is_ok_and(|(status, body)| status == 503 && body.contains(code))
}

/// A data plane asks what it is told, and has heard what bears the tag `known`: status and tag. Equal decisions
/// bear equal tags.
pub(crate) fn poll(server: &ChannelServer, wire: &Wire, known: &str) -> (u16, String) {
    let url = format!("{}{}", server.url(), wire.path("assignment?line=pdp-2026"));
    let request = reqwest::blocking::Client::new().get(url).header("if-none-match", known);
    let answer = request.bearer_auth(wire.token(unix_now())).send().unwrap();
    (answer.status().as_u16(), answer.headers()["etag"].to_str().unwrap().to_owned())
}
