//! When a component's turn is.

use crate::release::{Component, PDP_SYNC};

/// The controllers of Flux that apply components, by the last part of their images' names.
const FLUX: [&str; 3] = ["source-controller", "kustomize-controller", "helm-controller"];

/// Components of one turn are applied together, turns in ascending order.
///
/// Whoever applies a level doesn't change in the midst of what it applies: Flux's controllers and pdp-sync have turns of
/// their own, after the other components of their stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// As the release numbers it.
    pub stage: u32,
    applies: Applies,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Applies {
    Nothing,
    Flux,
    PdpSync,
}

impl Turn {
    /// Before all components of a release: their stages count from 1.
    pub const FIRST: Self = Self { stage: 0, applies: Applies::Nothing };

    /// The turn of a component.
    pub fn of(component: &Component) -> Self {
        let applies = match component.name.as_str() {
            PDP_SYNC => Applies::PdpSync,
            _ if component.images.iter().any(|image| FLUX.contains(&last_part(&image.name))) => Applies::Flux,
            _ => Applies::Nothing,
        };
        Self { stage: component.stage, applies }
    }
}

impl std::fmt::Display for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.applies {
            Applies::Nothing => self.stage.fmt(f),
            Applies::Flux => write!(f, "{} (Flux)", self.stage),
            Applies::PdpSync => write!(f, "{} (pdp-sync)", self.stage),
        }
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
