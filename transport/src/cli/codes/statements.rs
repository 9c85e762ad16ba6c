//! Codes of SBOMs and VEX documents.

use super::Line;

/// Of `publisher`.
pub(super) const TABLE: &[Line] = &[
    (
        "ReferrersFull",
        "So much would be attached to one artifact that data planes might miss the signature that counts.",
        "statements of many keys, or of many publications, pile up",
        "delete attachments that nobody needs from the registry, or sign with fewer statement keys",
    ),
    (
        "StatementNowhere",
        "A statement about an image can't be attached where the image lies: it is its makers' registry.",
        "the images of the level are pulled from elsewhere, and were not copied",
        "publish with `--registry HOST --copy-images`, or attach the statement to the component",
    ),
    (
        "StatementOfAnotherImage",
        "An SBOM is attached to something else than it says it is about.",
        "it was made of another image or platform, or `of` names the component and not the image",
        "name with `of` what it was made of, by its digest",
    ),
    (
        "StatementTooLarge",
        "A statement is larger than what may be attached there.",
        "an SBOM of many images was attached to a component or to the level",
        "attach SBOMs to images, which take 16 MiB, or leave out what nobody reads",
    ),
    (
        "StatementUnsigned",
        "A statement of release.yaml isn't signed; nothing was pushed.",
        "`release sign` ran without `--statement-key`",
        "run `publisher release sign DIR --key FILE --statement-key FILE`, or take it out of release.yaml",
    ),
    (
        "StatementsUnreadable",
        "The list of statements of a built level can't be read.",
        "it was edited, or another version wrote it",
        "build the level again",
    ),
];

/// Of `release lint` and `release build`.
pub(super) const FINDINGS: &[Line] = &[
    (
        "StatementInvalid",
        "A statement isn't as the standard that it names has it.",
        "a tool of an older version made it, or it was edited",
        "make it anew with a tool that keeps to the standard, or correct what is named",
    ),
    (
        "StatementOfAnotherImage",
        "An SBOM is attached to an image, and says itself that it is about another digest.",
        "the image was updated and the SBOM wasn't, or it is about one platform of the image",
        "make it of the level's image by its digest; or write `of` with the digest of the platform",
    ),
    (
        "StatementOfNothing",
        "`of` of a statement names nothing of this level, or several things.",
        "the component or the image is gone, or is there under several digests",
        "name a component or an image as this level has it, or leave `of` out for the whole level",
    ),
    (
        "StatementTooLarge",
        "A statement is larger than what may be attached there.",
        "an SBOM of many images was attached to a component or to the level",
        "attach SBOMs to images, which take 16 MiB, or leave out what nobody reads",
    ),
    (
        "StatementTwice",
        "The same file is given twice for the same thing.",
        "a line was copied",
        "take one out",
    ),
    (
        "StatementUnknown",
        "A file is no statement of a kind and version that is taken.",
        "it is of another version, in XML or tag-value form, or something else",
        "give CycloneDX 1.4 to 1.6, SPDX 2.3 or OpenVEX 0.2.0, as JSON",
    ),
    (
        "StatementUnreadable",
        "The file of a statement isn't there, leads out of the line's folder, is too large, or is no JSON.",
        "the path is mistyped, or the file was cut short",
        "keep statements beside the levels, such as sbom/agent.json; at most 16 MiB each",
    ),
    (
        "TooManyStatements",
        "There are more statements than are taken: 256 of a level, 8 of one thing.",
        "every tool's SBOM was added",
        "leave out what nobody reads",
    ),
    (
        "VexContradiction",
        "Two VEX statements of the level say different things of one product and one vulnerability.",
        "an older document was left beside a newer one, or two people wrote one each",
        "decide which one is right, and take the other one out",
    ),
    (
        "VexProductTwice",
        "A VEX statement of a product and a vulnerability stands there twice, perhaps under another name of either.",
        "the product is named by its digest and by its name, or the vulnerability by an alias",
        "take one out",
    ),
    (
        "VexProductUnknown",
        "A VEX document names a product that isn't in the level.",
        "the image was updated, or the document is about another product",
        "name an image of the level (`pkg:oci/...@DIGEST`, `host/path`), a component, or the line's name for all of it",
    ),
];
