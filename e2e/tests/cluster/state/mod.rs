//! What survives, and what happens when it is lost, edited, dated wrongly, or cut off from its vendor.

mod clock;
mod decision;
mod edits;
mod floors;
mod outages;
