//! The data plane that a path names.

use std::sync::Arc;

use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use pdp_policies::{DataPlaneName, Organization, PdpId};

use super::Refusal;
use crate::server::Server;

/// `{organization}/{data plane}`, both checked; whether there is such a data plane is another question.
#[derive(Debug)]
pub(crate) struct Named(pub(crate) PdpId);

impl FromRequestParts<Arc<Server>> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Server>) -> Result<Self, Refusal> {
        let Path((organization, data_plane)) = parts.extract::<Path<(Organization, DataPlaneName)>>().await?;
        Ok(Self(PdpId { organization, data_plane }))
    }
}
