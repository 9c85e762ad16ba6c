//! Notification events, as Flux's controllers post them to notification-controller. Its alerts take a closed list of
//! kinds: the event names the Flux object of the component concerned, and the subscription in its metadata.

use std::time::Duration;

use pdp_policies::At;
use pdp_policies::flux::Kind;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{News, Severity, cut};
use crate::controller::metrics::Subscription;
use crate::crd::MANAGER;
use crate::time::jittered;

/// The Event API takes no longer message (bytes).
const MAX_MESSAGE: usize = 39_000;
/// How often one event is tried.
const TRIES: u32 = 4;
/// How long one try may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// So many events wait at most; further ones are dropped.
const QUEUE: usize = 64;

/// The Flux object that an event names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Involved {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) uid: Option<String>,
    pub(crate) resource_version: Option<String>,
}

impl Involved {
    fn group_version(&self) -> (&'static str, &'static str) {
        match self.kind {
            Kind::HelmRelease => ("helm.toolkit.fluxcd.io", "v2"),
            Kind::Kustomization => ("kustomize.toolkit.fluxcd.io", "v1"),
            Kind::OciRepository => ("source.toolkit.fluxcd.io", "v1"),
        }
    }
}

/// The event as notification-controller reads it. It drops metadata whose key has neither prefix.
pub(crate) fn event(news: &News, involved: &Involved, of: &Subscription, instance: &str, now: At) -> Value {
    let (group, version) = involved.group_version();
    let mut metadata = json!({
        "event.toolkit.fluxcd.io/subscription": format!("{}/{}", of.namespace, of.name),
    });
    if let Some(revision) = &news.revision {
        metadata[format!("{group}/revision")] = revision.as_str().into();
    }
    let mut object = json!({
        "apiVersion": format!("{group}/{version}"),
        "kind": involved.kind.as_str(),
        "name": involved.name,
        "namespace": involved.namespace,
    });
    if let Some(uid) = &involved.uid {
        object["uid"] = uid.as_str().into();
    }
    if let Some(resource_version) = &involved.resource_version {
        object["resourceVersion"] = resource_version.as_str().into();
    }
    json!({
        "involvedObject": object,
        "severity": match news.severity { Severity::Info => "info", Severity::Error => "error" },
        "timestamp": now.to_string(),
        "message": cut(&news.message, MAX_MESSAGE),
        "reason": news.reason,
        "metadata": metadata,
        "reportingController": MANAGER,
        "reportingInstance": instance,
    })
}

/// Sends events in the background: a pass never waits for it.
#[derive(Debug, Clone)]
pub(crate) struct Notifier {
    queue: mpsc::Sender<Value>,
}

impl Notifier {
    /// Starts sending to `url`; ends when the last copy of it is dropped. Needs a runtime around it.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub(crate) fn start(url: String) -> reqwest::Result<Self> {
        Self::with_pause(url, Duration::from_secs(1))
    }

    fn with_pause(url: String, pause: Duration) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        let (queue, mut events) = mpsc::channel::<Value>(QUEUE);
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                send(&client, &url, &event, pause).await;
            }
        });
        Ok(Self { queue })
    }

    /// Sends an event soon, unless too many wait already.
    pub(crate) fn tell(&self, event: Value) {
        if self.queue.try_send(event).is_err() {
            tracing::warn!("a notification event was dropped: too many wait for notification-controller");
        }
    }
}

async fn send(client: &reqwest::Client, url: &str, event: &Value, pause: Duration) {
    for tried in 1..=TRIES {
        match client.post(url).json(event).send().await {
            Ok(answer) if answer.status().is_success() => return,
            // Told within the last five minutes.
            Ok(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS => return,
            Ok(answer) if !answer.status().is_server_error() => {
                let status = answer.status().as_u16();
                tracing::warn!(status, url, "notification-controller refused an event");
                return;
            }
            Ok(answer) => {
                tracing::debug!(status = answer.status().as_u16(), tried, "notification event failed")
            }
            Err(error) => tracing::debug!(%error, tried, "notification event failed"),
        }
        if tried < TRIES {
            tokio::time::sleep(jittered(pause * 2u32.pow(tried - 1))).await;
        }
    }
    tracing::warn!(
        url,
        tries = TRIES,
        "a notification event was given up; is notification-controller there?"
    );
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::Ipv4Addr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Json;
    use axum::Router;
    use axum::extract::State;
    use axum::routing::post;

    use super::*;

    fn involved() -> Involved {
        Involved {
            kind: Kind::HelmRelease,
            name: "gateway".into(),
            namespace: "pdp".into(),
            uid: Some("u".into()),
            resource_version: None,
        }
    }

    fn of() -> Subscription {
        Subscription { name: "prod".into(), namespace: "pdp".into() }
    }

    fn numbered(number: usize) -> Value {
        json!({ "number": number })
    }

    #[test]
    fn the_event_is_what_flux_s_recorder_posts() {
        let news = News { revision: Some("42@sha256:ab".into()), ..News::orphaned() };
        let event = event(&news, &involved(), &of(), "pod-1", At::from_unix(0));
        let wanted = json!({
            "involvedObject": {
                "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
                "name": "gateway", "namespace": "pdp", "uid": "u",
            },
            "severity": "info",
            "timestamp": "1970-01-01T00:00:00Z",
            "message": news.message,
            "reason": "Orphaned",
            "metadata": {
                "event.toolkit.fluxcd.io/subscription": "pdp/prod",
                "helm.toolkit.fluxcd.io/revision": "42@sha256:ab",
            },
            "reportingController": "pdp-sync",
            "reportingInstance": "pod-1",
        });
        assert_eq!(event, wanted);
    }

    /// A sink that answers with these codes in turn, then with 202, and tells what it got.
    struct Sink {
        codes: Vec<u16>,
        asked: AtomicUsize,
        got: mpsc::UnboundedSender<Value>,
    }

    async fn take(State(sink): State<Arc<Sink>>, Json(event): Json<Value>) -> StatusCode {
        let asked = sink.asked.fetch_add(1, Ordering::SeqCst);
        sink.got.send(event).unwrap();
        StatusCode::from_u16(sink.codes.get(asked).copied().unwrap_or(202)).unwrap()
    }

    async fn sink(codes: &[u16]) -> (Notifier, mpsc::UnboundedReceiver<Value>) {
        let (got, events) = mpsc::unbounded_channel();
        let sink = Arc::new(Sink { codes: codes.to_vec(), asked: AtomicUsize::new(0), got });
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let routes = Router::new().route("/", post(take)).with_state(sink);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (Notifier::with_pause(url, Duration::ZERO).unwrap(), events)
    }

    /// What arrives when events 0 and 1 are sent and the sink answers so.
    async fn arrives(codes: &[u16], count: usize) -> Vec<u64> {
        let (notifier, mut events) = sink(codes).await;
        notifier.tell(numbered(0));
        notifier.tell(numbered(1));
        let mut found = Vec::new();
        for _ in 0..count {
            found.push(events.recv().await.unwrap()["number"].as_u64().unwrap());
        }
        found
    }

    #[tokio::test]
    async fn sends_in_order() {
        assert_eq!(arrives(&[202, 202], 2).await, [0, 1]);
    }

    #[tokio::test]
    async fn tries_again_when_the_other_side_is_broken() {
        assert_eq!(arrives(&[503, 500, 202], 4).await, [0, 0, 0, 1]);
    }

    #[tokio::test]
    async fn gives_up_after_four_tries() {
        assert_eq!(arrives(&[503, 503, 503, 503], 5).await, [0, 0, 0, 0, 1]);
    }

    #[tokio::test]
    async fn takes_no_for_an_answer() {
        assert_eq!(arrives(&[429], 2).await, [0, 1]);
        assert_eq!(arrives(&[400], 2).await, [0, 1]);
    }

    #[tokio::test]
    async fn telling_never_waits() {
        let (notifier, _events) = sink(&[]).await;
        for number in 0..10 * QUEUE {
            notifier.tell(numbered(number));
        }
    }
}
