//! Kubernetes Events beside the subscription, for `kubectl describe` and `flux events`.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use pdp_policies::{At, Digest};

use super::{News, Severity, cut};
use crate::crd::MANAGER;

/// The API server takes no longer note (bytes).
const MAX_NOTE: usize = 1024;
/// The annotation that names the level, as Flux's own events name their revision.
const REVISION: &str = "updates.pdp.wso2.com/revision";

/// Writes one event. Best effort: an event that can't be written is logged and forgotten.
pub(crate) async fn write(
    client: &Client,
    regarding: &ObjectReference,
    news: &News,
    instance: &str,
    now: At,
) {
    let namespace = regarding.namespace.as_deref().unwrap_or("default");
    let events: Api<Event> = Api::namespaced(client.clone(), namespace);
    match events.create(&PostParams::default(), &event(regarding, news, instance, now)).await {
        Ok(_) => {}
        // Told before, by a process that died right after.
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        Err(error) => tracing::warn!(reason = news.reason, %error, "an event could not be written"),
    }
}

/// The event. Its name tells what happened when, so that the same isn't written twice.
fn event(regarding: &ObjectReference, news: &News, instance: &str, now: At) -> Event {
    let name = regarding.name.as_deref().unwrap_or(MANAGER);
    let what = format!("{:?}/{}/{}/{:?}/{now}", regarding.uid, news.reason, news.message, news.revision);
    let annotations = news.revision.as_ref().map(|revision| [(REVISION.to_owned(), revision.clone())].into());
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{}", cut(name, 200), Digest::of(what.as_bytes()).short())),
            namespace: regarding.namespace.clone(),
            annotations,
            ..ObjectMeta::default()
        },
        action: Some("Reconcile".to_owned()),
        event_time: Some(MicroTime(now.timestamp())),
        note: Some(cut(&news.message, MAX_NOTE).to_owned()),
        reason: Some(news.reason.clone()),
        regarding: Some(regarding.clone()),
        reporting_controller: Some(MANAGER.to_owned()),
        reporting_instance: Some(cut(instance, 128).to_owned()),
        type_: Some(match news.severity {
            Severity::Info => "Normal".to_owned(),
            Severity::Error => "Warning".to_owned(),
        }),
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn regarding() -> ObjectReference {
        ObjectReference {
            name: Some("prod".to_owned()),
            namespace: Some("pdp".to_owned()),
            uid: Some("u".to_owned()),
            ..ObjectReference::default()
        }
    }

    #[test]
    fn has_what_the_api_server_demands() {
        let news = News {
            message: "ä".repeat(600),
            revision: Some("42@sha256:ab".into()),
            ..News::floors_rebuilt()
        };
        let event = event(&regarding(), &news, "pod", At::from_unix(5));
        assert_eq!(event.note.unwrap().len(), MAX_NOTE);
        assert_eq!(event.type_.as_deref(), Some("Warning"));
        assert_eq!(event.metadata.namespace.as_deref(), Some("pdp"));
        assert!(event.metadata.name.unwrap().starts_with("prod."));
        assert_eq!(event.metadata.annotations.unwrap()[REVISION], "42@sha256:ab");
        assert!(event.event_time.is_some() && event.reporting_controller.is_some() && event.action.is_some());
    }

    #[test]
    fn the_name_tells_events_apart_but_not_copies() {
        let name =
            |news: &News, at| event(&regarding(), news, "pod", At::from_unix(at)).metadata.name.unwrap();
        let (one, other) = (News::orphaned(), News::root_changed());
        assert_eq!(name(&one, 1), name(&one, 1));
        assert_ne!(name(&one, 1), name(&one, 2));
        assert_ne!(name(&one, 1), name(&other, 1));
    }
}
