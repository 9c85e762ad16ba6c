//! Which places are asked, in which order.
