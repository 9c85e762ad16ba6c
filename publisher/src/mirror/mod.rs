//! A level in another registry: what has to be there, what is lacking, and bringing it there.

mod bring;
mod inventory;
mod lacking;
mod listed;
mod signatures;
mod statements;
mod tags;

pub(crate) use bring::bring;
pub(crate) use inventory::{Inventory, Item, Tag};
pub(crate) use lacking::{absent, lacking};
pub(crate) use listed::{Keys, listed};
pub(crate) use signatures::{attached, plain};
pub(crate) use tags::{tag, untagged};
