//! What opens levels to a PDP: assignment, ring state, or the customer's approval.

mod approval;
mod assignment;
mod enrolment;
mod request;
mod ring_state;

pub use approval::{APPROVAL_NAMESPACE, Approval, ApprovalDecision, MAX_APPROVAL_LIFE};
pub use assignment::{Assignment, Ceiling, MinimumCatalog, Ready, Start};
pub use enrolment::{Enrolled, Enrolment, EnrolmentToken, NoEnrolmentToken};
pub use request::{ApprovalRequest, REQUEST_NAMESPACE};
pub use ring_state::{RingLevel, RingShare, RingState};

use crate::time::Span;

/// `pollAfter` is clamped to this range, so that no director can make a PDP deaf or a flood.
pub const POLL_AFTER: (Span, Span) = (Span::from_seconds(5), Span::from_seconds(3600));
/// An assignment lives at most this long.
pub const MAX_ASSIGNMENT_LIFE: Span = Span::from_seconds(24 * 3600);
/// A ring state lives at most this long.
pub const MAX_RING_STATE_LIFE: Span = Span::from_seconds(7 * 86_400);
