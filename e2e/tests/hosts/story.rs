//! What a vendor and a data plane do, one operation after the other, each with its outcome.

use pdp_e2e::{DataPlane, Finished, Program, World};

use crate::row::Seen;

/// The level that all these runs publish.
pub(crate) const LEVEL: u32 = 41;

/// Builds and signs the level; its folder.
pub(crate) fn built(world: &World) -> String {
    let file = World::fixtures().join(format!("pdp-2026/{LEVEL}/release.yaml"));
    let out = world.path(&format!("level-{LEVEL}")).to_string_lossy().into_owned();
    world.publisher(&["release", "build", &file.to_string_lossy(), "--out", &out]).unwrap();
    world.publisher(&["release", "sign", &out, "--key", &world.key("artifact")]).unwrap();
    out
}

/// Pushes the level with its images and proposes it.
pub(crate) fn publish(world: &World, folder: &str, env: &[(&str, &str)]) -> Seen {
    let images = World::fixtures().join("images").to_string_lossy().into_owned();
    let (ci, person) = (world.key("ci"), world.key("release-1"));
    let args = ["release", "publish", folder, "--images", &images, "--key", &ci, "--key", &person];
    seen(world, "publish", &args, env)
}

/// Two release managers promote the level.
pub(crate) fn promote(world: &World) -> Seen {
    let (a, b, level) = (world.key("manager-1"), world.key("manager-2"), LEVEL.to_string());
    let args = ["release", "promote", &level, "--line", "pdp-2026", "--tempo", "emergency"];
    seen(world, "promote", &[&args[..], &["--key", &a, "--key", &b]].concat(), &[])
}

/// Two release managers open the level for everybody; merged with the next `catalog`.
pub(crate) fn open(world: &World) -> Seen {
    let (a, b, level) = (world.key("manager-1"), world.key("manager-2"), LEVEL.to_string());
    let args = ["channel", "open", &level, "--line", "pdp-2026", "--earlier", "--ring", "general=100"];
    seen(world, "open", &[&args[..], &["--key", &a, "--key", &b]].concat(), &[])
}

/// `catalog publish` or `catalog refresh`, as an OCI artifact too if asked.
pub(crate) fn catalog(world: &World, what: &str, oci: bool) -> Seen {
    let (snapshot, timestamp) = (world.key("snapshot"), world.key("timestamp"));
    let place = world.catalog_repository();
    let mut args = vec!["catalog", what, "--key", &snapshot, "--key", &timestamp];
    if oci {
        args.extend(["--oci", &place]);
    }
    seen(world, what, &args, &[])
}

/// What a data plane would check, without one.
pub(crate) fn verify(world: &World) -> Seen {
    seen(world, "verify", &["release", "verify", &LEVEL.to_string(), "--line", "pdp-2026"], &[])
}

/// A pass that has to bring the level. One that only waits (exit code 0) is followed by two more at the most, as in a
/// data plane that runs: a proxy may close a connection at any moment.
pub(crate) fn pass(world: &World, plane: &DataPlane, env: &[(&str, &str)]) -> Seen {
    let mut last = String::new();
    for _ in 0..3 {
        let finished = plane.pass(world, env).unwrap();
        if plane.level() == Some(u64::from(LEVEL)) {
            return Seen::Done;
        }
        println!("pdp-sync: {:?}\n{}\n{}", finished.code, finished.stdout, finished.stderr);
        last = format!("{}, exit {}", reason(&finished, plane), finished.code.unwrap_or(-1));
        if !finished.ok() {
            break;
        }
    }
    Seen::Refused(last)
}

/// Waits until passes have brought an instruction; what the last one said if none does.
pub(crate) fn instruction(world: &World, plane: &DataPlane) -> Seen {
    let mut last = None;
    let heard = pdp_e2e::wait_for("an instruction", || {
        last = Some(plane.pass(world, &[]).unwrap());
        plane.state.join("instruction.json").exists()
    });
    let Some(last) = last.filter(|_| heard.is_err()) else { return Seen::Done };
    tell("pdp-sync", &last);
    Seen::Refused(reason(&last, plane))
}

/// A data plane that follows the ring state from a place (YAML), and takes nothing from the channel alone.
pub(crate) fn follower(world: &World, name: &str, place: &str) -> DataPlane {
    let more = format!("  instruction: {{ringState: {place}}}\n");
    world.data_plane("quiet", name, "canary", &more).unwrap()
}

/// Publishes the first catalog.
pub(crate) fn init(world: &World) -> Seen {
    let folder = world.path("vendor/catalog").to_string_lossy().into_owned();
    seen(world, "init", &["catalog", "init", &folder], &[])
}

/// The first reason that a status gives for not being further.
fn reason(finished: &Finished, plane: &DataPlane) -> String {
    let status = plane.status().unwrap_or_default();
    let of = |kind: &str| {
        let all = status["conditions"].as_array().into_iter().flatten();
        let found = all.filter(|condition| condition["type"] == kind).find_map(|it| it["reason"].as_str());
        found.map(str::to_owned)
    };
    let kinds = ["Stalled", "Reconciling", "InstructionRefused", "InstructionUnavailable", "Blocked"];
    finished.error().or_else(|| kinds.into_iter().find_map(of)).unwrap_or_else(|| "no reason".to_owned())
}

fn seen(world: &World, what: &str, args: &[&str], env: &[(&str, &str)]) -> Seen {
    let finished = world.run(Program::Publisher, args, env).unwrap();
    tell(what, &finished);
    Seen::of(&finished)
}

/// Words of what failed; the test harness shows them when the row is wrong.
fn tell(what: &str, finished: &Finished) {
    if !finished.ok() {
        println!("{what}: {:?}\n{}\n{}", finished.code, finished.stdout, finished.stderr);
    }
}

/// Git's credential store with one login, for all programs of a world.
pub(crate) fn git_login(world: &World, address: &str, user: &str, password: &str) {
    let (scheme, host) = address.split_once("://").unwrap();
    let store = world.path("git-logins");
    let encoded = password.replace(' ', "%20");
    std::fs::write(&store, format!("{scheme}://{user}:{encoded}@{host}\n")).unwrap();
    let config = format!("[credential]\n\thelper = store --file={}\n", store.display());
    std::fs::write(world.path(".gitconfig"), config).unwrap();
}
