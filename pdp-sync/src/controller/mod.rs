//! What a Kubernetes controller owes to its surroundings: conditions, events, figures, health.

mod conditions;
mod handled;
mod health;
mod metrics;
