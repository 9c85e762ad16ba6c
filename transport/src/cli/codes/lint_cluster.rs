//! Findings about what a cluster, Helm or the level before wouldn't take.

use super::Line;

pub(super) const TABLE: &[Line] = &[
    (
        "BadNamespace",
        "No cluster has such a namespace.",
        "it has a dot, a capital letter, or more than 63 characters",
        "write letters, digits and `-`",
    ),
    (
        "BadVersion",
        "Helm reads the version of a chart as none.",
        "a word instead of a version, such as `latest`",
        "write the version that the chart's own Chart.yaml says",
    ),
    (
        "BaseForgotten",
        "The level names no base, and older levels lie beside it.",
        "`base:` was left out, so that nothing was compared",
        "name the level that it was made from under `base`",
    ),
    (
        "BaseUnreadable",
        "Files of the base can't be read, so what it would lose is unknown.",
        "charts or manifests of the base were moved or deleted",
        "bring them back to where the base's release.yaml names them",
    ),
    (
        "DefinitionBroken",
        "A definition of kinds takes away what objects or programs of the base need.",
        "a version that was stored or served is gone, or its scope, kind or names are others",
        "keep the old version beside the new one; if it is meant, list the definition under `drops:`",
    ),
    (
        "DefinitionDropped",
        "A definition of kinds that the base has isn't here.",
        "the newer chart doesn't have it any more",
        "bring it back; if it is meant, list the definition under `drops:`",
    ),
    (
        "DefinitionNarrowed",
        "A definition of kinds takes less in a field than the base's did; it is told, and nothing is refused.",
        "its makers made a field required, took away a value, or lowered a bound",
        "make sure that no object in a data plane needs what isn't taken any more",
    ),
    (
        "DefinitionTwice",
        "Two components bring one definition of kinds, and not the same: the one that is applied last wins.",
        "a chart has an older copy of another chart's definition in `crds/`",
        "let one component bring it, or make both the same",
    ),
    (
        "FixedField",
        "Manifests change a field that no cluster changes: the update would fail in every data plane.",
        "a selector, a volume claim, a Service's address or the like isn't that of the base any more",
        "keep it, or give the object another name",
    ),
    (
        "FluxObject",
        "A component has an object that tells Flux what to install: it would be under no lock and no signature.",
        "a chart or a folder of manifests has a HelmRelease, a Kustomization or a source of Flux's among its objects",
        "take it out; what it installs is a component of its own",
    ),
    (
        "HiddenList",
        "An object has a list `items` and isn't called a list: Helm and Flux would apply what is in it, and nothing else.",
        "a kind whose name doesn't end in `List` has `items` beside `kind`",
        "write each object as a document of its own, or call the list `List`",
    ),
    (
        "KindByPatch",
        "A patch or a replacement of a kustomization changes what an object is, so nobody sees it in the manifests.",
        "an operation on `/kind`, `/apiVersion`, `/items` or the whole object",
        "write the object as it has to be as a document of its own",
    ),
    (
        "KubernetesSuffixRefused",
        "Helm refuses the chart in clusters whose version has a vendor's suffix.",
        "`kubeVersion` of the chart names no version before a release, such as `>=1.30.0-0`",
        "let the chart name one, or run the component on other platforms",
    ),
    (
        "NothingDropped",
        "`drops:` names a definition that isn't lost.",
        "its name is mistyped, or it came back",
        "take it out, or correct the name",
    ),
    (
        "NullStays",
        "A value is null, and the chart has none of that name: templates would get the null.",
        "the name is mistyped, or the chart's value was renamed",
        "take the line out, or correct the name",
    ),
    (
        "RepeatedKey",
        "Two elements of a list have one key: a cluster refuses the whole object.",
        "an environment variable, port, volume or the like stands there twice",
        "keep one of each, in the component's values or in the chart",
    ),
    (
        "UnknownField",
        "A manifest has a field that Kubernetes doesn't know: server-side apply refuses the whole object.",
        "a slip in its name, or a field of a later Kubernetes",
        "correct the name, or raise `requires.kubernetes`",
    ),
    (
        "RequirementNeverMet",
        "No version meets what the release requires.",
        "two bounds contradict each other",
        "correct the range under `requires`",
    ),
];
