//! Codes of `publisher release init`, `bump` and `diff`.

use super::Line;

pub(super) const TABLE: &[Line] = &[
    (
        "AlreadyThere",
        "A folder that would be made is there already; nothing was written.",
        "the level was begun before, or a component of that name was",
        "go on with it, or take it away first",
    ),
    (
        "BadBundle",
        "A component's artifact can't be taken apart.",
        "the bundle wasn't built by `publisher release build`",
        "build the release anew, or find out who wrote this bundle",
    ),
    (
        "DisclosureDiffers",
        "What is said of an advisory isn't what its level signed.",
        "release.yaml was changed after the level was published, or the file is of another level",
        "put severity and dates back as they were signed, or give the file of this level",
    ),
    (
        "EmbargoNotOver",
        "What an advisory is about can't be told yet.",
        "the level says until when it is under embargo, and a level never changes",
        "wait until then, or name with `--advisory` those that are over",
    ),
    (
        "NotFetched",
        "The chart lies in a folder: nobody is asked for newer ones.",
        "the component names a `path`, or consists of manifests",
        "put the newer chart there, or name its source (`oci` or `repository`) in place of `path`",
    ),
    (
        "NothingFound",
        "There is no component in what was given.",
        "the folder holds no objects of Flux, or only references to other places",
        "give the folder of the objects themselves, such as what `flux export` or `kustomize build` prints",
    ),
];
