//! scratch
use pdp_e2e::World;
fn main() -> anyhow::Result<()> {
    let t = std::time::Instant::now();
    let world = World::start_with(true)?;
    println!("--- {:?}", t.elapsed());
    world.release(41, "emergency")?;
    println!("--- {:?}", t.elapsed());
    world.open(41, &["canary=100", "general=100"])?;
    println!("--- {:?}", t.elapsed());
    Ok(())
}
