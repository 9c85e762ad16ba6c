//! The channel server's API as its clients and the server itself see it. `docs/api.md` describes it.

mod client;
mod types;

pub use client::{ChannelServer, Polled};
pub use types::{
    AUDIENCE, ApiToken, Claims, DataPlaneView, EnrolmentToken, EnrolmentTokenRequest, EventView,
    EverythingOrder, EverythingView, HaltView, InstalledView, OrganizationChange, OrganizationView, Page,
    Problem, RingChange, RingStatus, RingView, Role, RolloutOrder, RolloutView, TOKEN_LIFE,
};
