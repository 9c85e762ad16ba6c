//! scratch
use pdp_e2e::World;
fn main() -> anyhow::Result<()> {
    let world = World::start_with(true)?;
    world.release(41, "emergency")?;
    world.open(41, &["canary=100", "general=100"])?;
    let acme = world.data_plane("acme-retail", "prod", "general", "")?;
    acme.pass(&world, &[])?;
    acme.pass(&world, &[])?;
    world.release(42, "emergency")?;
    world.open(42, &["canary=100", "general=100"])?;
    acme.pass(&world, &[])?;
    println!("{}", world.git.git("acme-retail-prod", &["log", "--stat", "main"])?);
    for (p, c) in world.git.files("acme-retail-prod", "main")? {
        if p.contains("router") || p.contains("helm-controller") {
            println!("--- {p}\n{}", String::from_utf8_lossy(&c));
        }
    }
    Ok(())
}
