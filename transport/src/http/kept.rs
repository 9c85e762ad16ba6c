//! Connections that were kept and turn out closed: hosts and proxies close them at the moment when they are used again.

use reqwest::{Client, Method, Request, Response};

use super::pause;

/// So many connections to a host are kept for later, and each may turn out closed.
pub(super) const KEPT_CONNECTIONS: u8 = 2;

/// Sends a request. A question whose connection broke before an answer is asked again, until it was on a new connection
/// for sure; whatever changes something is sent once, for the other side may have done it.
pub(super) async fn execute(client: &Client, mut request: Request) -> reqwest::Result<Response> {
    for tries in 0..KEPT_CONNECTIONS {
        let Some(again) = again(&request) else { break };
        match client.execute(request).await {
            Err(error) if broke(&error) => tokio::time::sleep(pause(tries.into())).await,
            outcome => return outcome,
        }
        request = again;
    }
    client.execute(request).await
}

fn again(request: &Request) -> Option<Request> {
    is_question(request).then(|| request.try_clone()).flatten()
}

/// GET and HEAD, and what Git asks by POST: nothing is changed by it.
fn is_question(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        || request.url().path().ends_with("/git-upload-pack")
}

/// True if there was a connection and it ended without an answer.
fn broke(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}
