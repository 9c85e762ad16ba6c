//! Every "no" and every "not yet" by its stable code.

mod obstacle;
mod refusal;
mod words;

pub use obstacle::{Obstacle, ObstacleCode, Owner};
pub use refusal::{Refusal, RefusalCode};
pub use words::{Words, command_refusals, obstacles, refusals};
