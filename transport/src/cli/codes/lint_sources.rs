//! Findings in charts and kustomizations.

use super::Line;

pub(super) const TABLE: &[Line] = &[
    (
        "BadChart",
        "Helm would refuse the chart.",
        "a field of Chart.yaml, or values.schema.json, isn't as Helm wants it",
        "correct what the finding names",
    ),
    (
        "BadChartVersion",
        "The chart's version is no semantic version.",
        "a `v`, a fourth number, or no version at all",
        "write such as 1.4.2",
    ),
    (
        "BadHelmignore",
        ".helmignore has a line that Helm refuses.",
        "a pattern with `**`, or a broken one",
        "correct the line",
    ),
    (
        "BadSubchart",
        "A chart in charts/ can't be read.",
        "its archive was cut short or made by hand",
        "run `helm dependency build` anew, or take it out of charts/",
    ),
    (
        "ChartInKustomization",
        "Flux inflates no Helm chart in a kustomization.",
        "`helmCharts` is used",
        "make the chart a component of its own",
    ),
    (
        "ChartNameDiffers",
        "The chart has another name than release.yaml says.",
        "another chart lies at that place",
        "make both the same",
    ),
    (
        "ChartVersionDiffers",
        "The chart has another version than release.yaml says.",
        "one of them was not raised",
        "make both the same",
    ),
    (
        "CyclicBase",
        "A kustomization takes itself in, by way of others.",
        "two bases name each other",
        "take one of them out",
    ),
    (
        "ImageByPatch",
        "A patch of a kustomization copies an image, and for which object isn't followed.",
        "`copy` or `move` in a JSON patch whose target is chosen by labels or by an expression",
        "name the object in `target`, or write the image",
    ),
    (
        "ImageByReplacement",
        "A replacement of a kustomization sets an image, and from where isn't followed.",
        "`replacements` is used for images",
        "use `images:` instead",
    ),
    (
        "KubernetesNotRequired",
        "The release lets Kubernetes versions in that the chart refuses.",
        "`kubeVersion` of the chart is narrower than `requires.kubernetes`",
        "narrow `requires.kubernetes` until the chart takes all of it",
    ),
    (
        "LibraryChart",
        "The chart is a library: it installs nothing.",
        "a chart for other charts was named",
        "name a chart that uses it",
    ),
    (
        "MissingResource",
        "A kustomization names something that isn't there.",
        "a file was moved or forgotten",
        "add it, or take the entry out",
    ),
    (
        "NoChart",
        "What lies at that place is no chart.",
        "the digest of an image or an index was given",
        "give the digest of a chart's manifest, as `helm push` prints it",
    ),
    (
        "NoKustomization",
        "The folder has no kustomization.yaml.",
        "the manifests lie there alone, or the overlay isn't named",
        "list the manifests in one, or name the folder that has one as `overlay`",
    ),
    (
        "OneChartSource",
        "A chart is said to be at several places, or at none.",
        "more than one of `path`, `oci` and `repository` is given",
        "give exactly one; a digest goes with the last two",
    ),
    (
        "RemoteBase",
        "A kustomization takes something from elsewhere.",
        "a URL stands under `resources`",
        "copy it into the component's folder",
    ),
    (
        "TwoKustomizations",
        "A folder has two kustomizations.",
        "kustomization.yaml and kustomization.yml, or one beside the overlay",
        "keep one",
    ),
    (
        "UnknownPlugin",
        "A kustomization uses a plugin whose images aren't followed.",
        "`generators` or `transformers` name a plugin of their own",
        "use `patches:` and `images:` instead",
    ),
    (
        "UnpinnedChart",
        "A chart from elsewhere has no digest.",
        "`digest` was forgotten",
        "compare the digest that the finding names with its makers', and add it",
    ),
    (
        "UnvendoredSubchart",
        "A subchart would be fetched from elsewhere: it isn't in charts/.",
        "`helm dependency build` wasn't run",
        "run it, and keep charts/ with the chart",
    ),
    (
        "WrongSubchart",
        "The subchart in charts/ isn't of the version that the chart asks for.",
        "Chart.yaml was changed afterwards",
        "run `helm dependency build` anew",
    ),
];
