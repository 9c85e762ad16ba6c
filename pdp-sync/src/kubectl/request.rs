//! One question to the API server, and what its failure means to a person.

use std::time::Duration;

use pdp_transport::cli::Failure;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;

/// The API server answers within seconds or not at all.
const ANSWER: Duration = Duration::from_secs(30);
/// Its name in the API, as rights spell it.
pub(super) const SUBSCRIPTIONS: &str = "updatesubscriptions.updates.pdp.wso2.com";

/// What is asked: a verb and a resource as RBAC names them.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) verb: &'static str,
    pub(super) resource: &'static str,
    /// None for all namespaces.
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
}

impl Request {
    /// A request for one object.
    pub(super) fn one(verb: &'static str, resource: &'static str, namespace: &str, name: &str) -> Self {
        Self { verb, resource, namespace: Some(namespace.to_owned()), name: Some(name.to_owned()) }
    }

    /// A request for all objects there.
    pub(super) fn all(verb: &'static str, resource: &'static str, namespace: Option<&str>) -> Self {
        Self { verb, resource, namespace: namespace.map(str::to_owned), name: None }
    }

    /// Waits for the answer, not for ever.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `Conflict`, `LoginNeeded`, `Unreachable` and others.
    pub(super) async fn answer<T>(&self, answer: impl Future<Output = kube::Result<T>>) -> Result<T> {
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(answer) => answer.map_err(|error| self.failed(&error)),
            Err(_) => Err(self.unreachable(&format!("no answer within {} s", ANSWER.as_secs()))),
        }
    }

    /// What the error means.
    pub(super) fn failed(&self, error: &kube::Error) -> Failure {
        match error {
            kube::Error::Api(status) => self.refused(status),
            kube::Error::Auth(cause) => self.login(&cause.to_string()),
            kube::Error::SerdeError(cause) => Failure::new("Garbage", self.what())
                .cause(cause)
                .hint("it isn't what this version of kubectl-pdp knows: update it together with pdp-sync"),
            other => self.unreachable(&chain(other)),
        }
    }

    fn refused(&self, status: &kube::core::Status) -> Failure {
        let failure = |code: &str| Failure::new(code, self.what()).cause(&status.message);
        match status.code {
            401 => self.login(&status.message),
            403 => failure("Forbidden").hint(self.missing_right()).exit(exit::LOGIN),
            404 if self.name.is_none() || !status.message.contains("not found") => {
                failure("NotFound").hint("this cluster doesn't know the kind: `pdp-sync crds | kubectl apply -f -` defines pdp-sync's own, `flux install` Flux's")
            }
            404 => failure("NotFound").hint("`kubectl pdp status -A` lists what there is"),
            409 => failure("Conflict").hint("somebody changed it at the same moment: look at it and run the command again"),
            422 | 400 => failure("Invalid").hint("`kubectl explain usub.spec` says what is allowed"),
            429 | 500.. => Failure { transient: true, ..failure("ServerFailed").hint("run the command again in a minute") },
            _ => failure("ServerFailed"),
        }
    }

    fn login(&self, cause: &str) -> Failure {
        Failure::new("LoginNeeded", self.what())
            .cause(cause)
            .hint("the kubeconfig's user isn't let in: log in again, as for any other kubectl command")
            .exit(exit::LOGIN)
    }

    fn unreachable(&self, cause: &str) -> Failure {
        let failure = Failure::new("Unreachable", self.what()).cause(cause);
        let hint = "is the cluster up, and is it the right one? `kubectl config current-context`, `kubectl cluster-info`";
        Failure { transient: true, ..failure.hint(hint) }
    }

    fn missing_right(&self) -> String {
        let place = match &self.namespace {
            Some(namespace) => format!("in namespace {namespace}"),
            None => "in all namespaces".to_owned(),
        };
        let flag =
            self.namespace.as_ref().map_or_else(|| "-A".to_owned(), |namespace| format!("-n {namespace}"));
        let (verb, resource) = (self.verb, self.resource);
        format!(
            "it takes the right to {verb} {resource} {place}: `kubectl auth can-i {verb} {resource} {flag}`"
        )
    }

    fn what(&self) -> String {
        let place = match (&self.namespace, &self.name) {
            (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
            (Some(namespace), None) => format!("in namespace {namespace}"),
            _ => "in all namespaces".to_owned(),
        };
        format!("{} {} {place}", self.verb, self.resource)
    }
}

/// An error with its causes; clients hide the interesting one at the end.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        next = cause.source();
    }
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answered(code: u16, message: &str) -> Failure {
        let status = kube::core::Status { code, message: message.to_owned(), ..Default::default() };
        Request::one("get", "secrets", "pdp", "pdp-prod-state").failed(&kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn each_answer_has_its_code_and_a_next_step() {
        for (code, message, expected, exit, hint) in [
            (401, "Unauthorized", "LoginNeeded", 4, "log in"),
            (403, "secrets is forbidden", "Forbidden", 4, "the right to get secrets in namespace pdp"),
            (404, "secrets \"x\" not found", "NotFound", 2, "status -A"),
            (404, "the server could not find the requested resource", "NotFound", 2, "pdp-sync crds"),
            (409, "the object has been modified", "Conflict", 2, "run the command again"),
            (422, "is invalid", "Invalid", 2, "kubectl explain"),
            (503, "apiserver is shutting down", "ServerFailed", 2, "in a minute"),
        ] {
            let failure = answered(code, message);
            assert_eq!((failure.code.as_str(), failure.exit), (expected, exit), "{code} {message}");
            assert!(failure.hint.as_ref().unwrap().contains(hint), "{failure}");
            assert!(failure.what.contains("get secrets pdp/pdp-prod-state"), "{failure}");
        }
    }

    #[test]
    fn a_right_that_is_missing_everywhere_is_named_so() {
        let status = kube::core::Status { code: 403, ..Default::default() };
        let all = Request::all("list", SUBSCRIPTIONS, None);
        let hint = all.failed(&kube::Error::Api(Box::new(status))).hint.unwrap();
        assert!(hint.contains("list updatesubscriptions.updates.pdp.wso2.com in all namespaces"), "{hint}");
        assert!(hint.contains("can-i list updatesubscriptions.updates.pdp.wso2.com -A"), "{hint}");
    }
}
