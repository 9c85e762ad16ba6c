//! Every "no" and every "not yet" by its stable code.

mod obstacle;
mod refusal;

pub use obstacle::{Obstacle, ObstacleCode, Owner};
pub use refusal::{Refusal, RefusalCode};
