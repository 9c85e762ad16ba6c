//! A program as a container image: nothing in it but the program, the public CAs, and who it runs as. The same program
//! gives the same bytes on any machine.

mod chart;
mod image;
mod roots;

pub use chart::with_digest;
pub use image::{Program, write};
