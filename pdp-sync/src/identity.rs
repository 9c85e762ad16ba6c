//! Who this data plane is to the channel server: a key of its own, and an enrolment, each made once.

use pdp_policies::instruction::{Enrolment, EnrolmentToken};
use pdp_policies::{API_VERSION, At, Ring};
use pdp_transport::block_on;
use pdp_transport::channel_server::ChannelServer;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::signing_key::SigningKey;

use crate::customer::Customer;
use crate::endpoints::{Endpoints, ServerEndpoint};
use crate::moving;
use crate::state::State;

/// A token file is small (bytes).
const MAX_TOKEN_BYTES: u64 = 4096;

/// The server, and the key to speak to it with.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The server's address, as it is named.
    pub(crate) url: String,
    pub(crate) server: ChannelServer,
    pub(crate) key: SigningKey,
}

/// Makes the key and enrols if that hasn't happened yet. The key is on disk before anyone hears of it, so
/// that a lost answer is asked for again with the same key.
pub(crate) fn establish(
    endpoint: &ServerEndpoint,
    customer: &Customer,
    state: &mut State,
) -> Result<Identity> {
    let server = ChannelServer::new(&endpoint.url, &endpoint.http)?;
    let key = own_key(state)?;
    let identity = Identity { url: endpoint.url.clone(), server, key };
    let pdp = &customer.pdp;
    match &state.enrolled {
        Some(enrolled) if enrolled.id == *pdp => return Ok(identity),
        Some(enrolled) => {
            let what = format!("this state folder is enrolled as {}, not as {pdp}", enrolled.id);
            return Err(Failure::new("OtherIdentity", what)
                .hint("give each data plane a state folder of its own, or empty this one and enrol anew"));
        }
        None => {}
    }
    let enrolment = Enrolment {
        api_version: API_VERSION.to_owned(),
        token: token(endpoint)?.into_text(),
        organization: pdp.organization.clone(),
        data_plane: pdp.data_plane.clone(),
        public_key: identity.key.public_pem(),
        cluster_id: customer.cluster_id,
        pdp_sync: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let enrolled = block_on(identity.server.enrol(&enrolment))??;
    if enrolled.id != *pdp {
        return Err(Failure::new(
            "OtherIdentity",
            format!("the server enrolled {} instead of {pdp}", enrolled.id),
        ));
    }
    tracing::info!(%pdp, ring = %enrolled.ring, "enrolled");
    state.save_enrolled(enrolled)?;
    Ok(identity)
}

/// The same without a word to anybody, for each address of the server, the one whose word was followed last first; none
/// until enrolled under it.
pub(crate) fn known(endpoints: &Endpoints, customer: &Customer, state: &State, now: At) -> Vec<Identity> {
    if state.enrolled.as_ref().is_none_or(|enrolled| enrolled.id != customer.pdp) {
        return Vec::new();
    }
    let places = moving::servers(endpoints, &state.moves, true, now);
    let identity = |endpoint: &ServerEndpoint| {
        let server = ChannelServer::new(&endpoint.url, &endpoint.http).ok()?;
        let key = state.own_key().ok().flatten()?;
        Some(Identity { url: endpoint.url.clone(), server, key })
    };
    let asked = places.iter().flat_map(|places| &places.ask);
    let mut known: Vec<_> = asked.filter_map(|place| identity(&place.endpoint)).collect();
    let followed = state.instruction.as_ref().and_then(|kept| kept.server.as_deref());
    known.sort_by_key(|identity| Some(identity.url.as_str()) != followed);
    known
}

/// The ring of this data plane: the subscription's, or what enrolment answered.
pub(crate) fn own_ring<'a>(customer: &'a Customer, state: &'a State) -> Option<&'a Ring> {
    customer.ring.as_ref().or_else(|| state.enrolled.as_ref().map(|enrolled| &enrolled.ring))
}

/// This data plane's key, made the first time.
pub(crate) fn own_key(state: &mut State) -> Result<SigningKey> {
    if let Some(key) = state.own_key()? {
        return Ok(key);
    }
    let key = SigningKey::generate()?;
    state.save_key(&key)?;
    Ok(key)
}

fn token(endpoint: &ServerEndpoint) -> Result<EnrolmentToken> {
    let missing = |what: String| {
        Failure::new("NotEnrolled", what)
            .hint("`publisher pdp token` makes a token; name its file in spec.instruction.server.enrolmentToken (in a cluster: a Secret)")
            .exit(exit::LOGIN)
    };
    let content = endpoint.enrolment_token.as_ref();
    let content =
        content.ok_or_else(|| missing("this data plane isn't enrolled and has no enrolment token".into()))?;
    let bytes = content.read(MAX_TOKEN_BYTES)?;
    let bytes = bytes.ok_or_else(|| missing(format!("enrolment token {content} isn't there")))?;
    // Whatever else was named there, a Secret of somebody else's above all, stays here.
    let token = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
    token.ok_or_else(|| missing(format!("{content} holds no enrolment token: it was sent to nobody")))
}
