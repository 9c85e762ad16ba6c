//! Codes of `pdp-sync` and `kubectl pdp`.

use super::Line;

pub(super) const TABLE: &[Line] = &[
    (
        "AlreadyRunning",
        "Another pdp-sync holds the state folder.",
        "the old one didn't stop, or two were started",
        "stop the other one: one data plane needs one pdp-sync",
    ),
    (
        "Ambiguous",
        "There are several subscriptions, and none is named.",
        "the namespace holds more than one",
        "name one of those that the hint lists",
    ),
    (
        "ApiServerRefused",
        "The API server doesn't accept an object.",
        "Flux or the definitions of pdp-sync are of another version, or a webhook refuses",
        "bring Flux and pdp-sync up to date; the cause has the server's words",
    ),
    (
        "ApiServerUnavailable",
        "The API server doesn't answer, or not now.",
        "it is overloaded or being updated",
        "wait: pdp-sync tries again by itself",
    ),
    (
        "BadKubeconfig",
        "The kubeconfig can't be used.",
        "it isn't there, is damaged, or has no such context",
        "`kubectl config get-contexts` lists what there is; `--kubeconfig` and `--context` name another one",
    ),
    (
        "BadSubscription",
        "The subscription has problems; all are listed.",
        "a field is mistyped, missing, or doesn't go with another one",
        "correct the fields that are named; see docs/formats.md",
    ),
    (
        "CatalogBehind",
        "The catalog is older than one that was seen, or than the server's.",
        "a mirror or cache lags behind",
        "wait: it is fetched again by itself; if it stays, check the source",
    ),
    (
        "Conflict",
        "Somebody else wrote at the same moment.",
        "a person or another controller changed the object",
        "look at it and run the command again; pdp-sync reads again by itself",
    ),
    (
        "FluxSource",
        "The move of an address isn't followed: the catalog comes through a Flux source.",
        "Flux's object is the customer's, and pdp-sync doesn't change it",
        "change the address in the Flux source; see docs/moving.md",
    ),
    (
        "Forbidden",
        "The account lacks a right in the cluster.",
        "a role is missing, or was bound to another account",
        "grant what the hint names; see docs/least-privilege.md",
    ),
    (
        "ForeignWriter",
        "Somebody else writes what pdp-sync keeps, again and again.",
        "another tool, or a second pdp-sync, owns the same object or branch",
        "find out who (the cause names the manager), and let one of both go",
    ),
    (
        "HostNotAllowed",
        "The administrator of pdp-sync doesn't list this host.",
        "a new host, or a slip in its name",
        "name a listed host, or have it added (PDP_SYNC_ALLOWED_HOSTS; chart value allowedHosts)",
    ),
    (
        "Invalid",
        "The API server says that the object isn't valid.",
        "a field has a value that its definition doesn't allow",
        "`kubectl explain usub.spec` says what is allowed",
    ),
    (
        "MoveNotAllowed",
        "The move of an address isn't followed: the new host isn't listed.",
        "the administrator limits the hosts",
        "have the host added (PDP_SYNC_ALLOWED_HOSTS; chart value allowedHosts)",
    ),
    (
        "NoCluster",
        "The controller finds no cluster.",
        "it runs outside of one, without a kubeconfig",
        "run it in a cluster, or set KUBECONFIG",
    ),
    (
        "NoFluxSource",
        "`--with-source` was asked, and the catalog doesn't come through Flux.",
        "pdp-sync fetches the catalog itself",
        "leave out `--with-source`",
    ),
    (
        "NotEnrolled",
        "The data plane isn't enrolled at the channel server.",
        "the enrolment token is missing, or its state was lost",
        "`publisher pdp token` makes a token; name it in spec.instruction.server.enrolmentToken",
    ),
    (
        "NotSigned",
        "ssh-keygen didn't sign.",
        "OpenSSH isn't installed, or the key can't be used",
        "install OpenSSH, or name another key with `--key`; the cause has ssh-keygen's words",
    ),
    (
        "NothingToGoBackTo",
        "There is no good level to go back to.",
        "nothing older was ever healthy here, or one is being taken back already",
        "`kubectl pdp history` shows what was installed",
    ),
    (
        "OtherIdentity",
        "The state is enrolled as another data plane.",
        "it was copied, or the subscription was renamed",
        "give each data plane a state of its own, or empty this one and enrol anew",
    ),
    (
        "PortTaken",
        "The controller can't listen on a port.",
        "another program uses it",
        "choose another address with `--metrics-addr` or `--health-addr`",
    ),
    (
        "StateTooLarge",
        "The state doesn't fit a Secret.",
        "very many levels or components",
        "report it, with the number of components",
    ),
    (
        "Suspended",
        "The subscription is suspended: nobody looks.",
        "a person suspended it",
        "`kubectl pdp resume` lets it go on",
    ),
];
