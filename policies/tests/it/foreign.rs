//! Images that a component's workloads run and the release doesn't know.

use std::collections::BTreeSet;

use pdp_policies::foreign::{MAX_LISTED, Template, UsedImage, foreign, names};
use pdp_policies::{Digest, ImageName};
use proptest::prelude::*;

fn release() -> BTreeSet<Digest> {
    BTreeSet::from([Digest::of(b"app"), Digest::of(b"init")])
}

fn own() -> Vec<ImageName> {
    vec!["registry.bank.example/sidecar".parse().unwrap(), "localhost:5000/proxy".parse().unwrap()]
}

fn template(images: &[&str]) -> Template {
    let used = |(n, image): (usize, &&str)| UsedImage {
        place: format!("container c{n}"),
        image: (*image).to_owned(),
    };
    Template {
        workload: "Deployment apps/agent".to_owned(),
        images: images.iter().enumerate().map(used).collect(),
    }
}

#[test]
fn an_image_needs_a_digest_of_the_release_or_a_name_that_the_customer_lists() {
    let (app, other) = (Digest::of(b"app"), Digest::of(b"other"));
    let hex = app.hex();
    for (image, is_foreign) in [
        (format!("registry.example/app@{app}"), false),
        (format!("registry.example/app:1.2@{app}"), false),
        (format!("mirror.bank.example:5000/x/app@{app}"), false),
        ("registry.example/app:1.2".to_owned(), true),
        ("registry.example/app".to_owned(), true),
        (format!("registry.example/app@{other}"), true),
        (format!("registry.example/app@{app}@{other}"), true),
        (format!("registry.example/app@{other}@{app}"), true),
        (format!("registry.example/app@{app}x"), true),
        (format!("registry.example/app@{app} "), true),
        (format!("registry.example/app:sha256-{hex}"), true),
        (format!("registry.example/app@sha512:{hex}"), true),
        (format!("registry.example/{hex}"), true),
        (String::new(), true),
        ("registry.bank.example/sidecar".to_owned(), false),
        ("registry.bank.example/sidecar:2".to_owned(), false),
        (format!("registry.bank.example/sidecar@{other}"), false),
        ("localhost:5000/proxy:2".to_owned(), false),
        ("registry.bank.example/sidecar/more:2".to_owned(), true),
        ("registry.bank.example/sidecar2".to_owned(), true),
        ("evil.example/registry.bank.example/sidecar".to_owned(), true),
        ("registry.bank.example/sidecar:x/evil".to_owned(), true),
        ("localhost:5000/evil/proxy".to_owned(), true),
    ] {
        let found = foreign(&release(), &[template(&[&image])], &own());
        assert_eq!(!found.is_empty(), is_foreign, "{image}: {found:?}");
    }
}

#[test]
fn each_foreign_image_is_named_with_its_workload_and_container() {
    let app = format!("registry.example/app@{}", Digest::of(b"app"));
    let found = foreign(&release(), &[template(&[&app, "evil.example/x:1"]), template(&[""])], &own());
    let words: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "Deployment apps/agent, container c1: evil.example/x:1",
            "Deployment apps/agent, container c0: no image",
        ]
    );
}

#[test]
fn the_names_to_list_are_all_of_them_or_none() {
    let named = |images: &[&str]| -> Vec<String> {
        names(&foreign(&release(), &[template(images)], &[])).iter().map(ToString::to_string).collect()
    };
    assert_eq!(named(&["b.example/x:1", "a.example/x", "b.example/x:2"]), ["a.example/x", "b.example/x"]);
    assert_eq!(named(&["b.example/x:1", "Not An Image"]), [""; 0]);
    assert_eq!(named(&["b.example/x:1", ""]), [""; 0]);
    let many: Vec<_> = (0..=MAX_LISTED).map(|number| format!("b.example/x{number}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!((named(&many).len(), named(&many[1..]).len()), (0, MAX_LISTED));
}

#[test]
fn what_others_wrote_is_escaped_and_cut() {
    let long = "\u{1b}[2J\u{202e}".repeat(1000);
    let found = foreign(&release(), &[Template { workload: long.clone(), ..template(&[&long]) }], &[]);
    let words = found[0].to_string();
    assert!(words.len() < 500 && !words.contains(['\u{1b}', '\u{202e}']), "{words}");
}

fn images() -> impl Strategy<Value = Vec<String>> {
    let digest = prop_oneof![Just(Digest::of(b"app")), Just(Digest::of(b"other"))];
    let name = prop_oneof![
        Just("registry.example/app".to_owned()),
        Just("registry.bank.example/sidecar".to_owned()),
        "[a-z:/@.]{0,30}"
    ];
    let image = prop_oneof![
        (name.clone(), digest.clone()).prop_map(|(name, digest)| format!("{name}@{digest}")),
        (name.clone(), "[a-z0-9]{1,5}").prop_map(|(name, tag)| format!("{name}:{tag}")),
        (name, digest, "\\PC{0,5}").prop_map(|(name, digest, rest)| format!("{name}@{digest}{rest}")),
        "\\PC{0,40}",
    ];
    prop::collection::vec(image, 0..8)
}

proptest! {
    /// Without a list of the customer's, what is let pass ends with a digest of the release; and none is told twice or lost.
    #[test]
    fn what_passes_is_content_of_the_release(images in images()) {
        let texts: Vec<_> = images.iter().map(String::as_str).collect();
        let found = foreign(&release(), &[template(&texts)], &[]);
        let ends = |image: &str| release().iter().any(|digest| image.ends_with(&format!("@{digest}")));
        let passed = images.iter().filter(|image| !found.iter().any(|it| it.image == **image));
        for image in passed {
            prop_assert!(ends(image), "{}", image);
        }
        prop_assert!(found.len() <= images.len());
    }

    /// The customer's list only lets more pass, and a larger release too: neither makes another image foreign.
    #[test]
    fn a_longer_list_never_finds_more(images in images()) {
        let texts: Vec<_> = images.iter().map(String::as_str).collect();
        let all = [template(&texts)];
        let none = foreign(&BTreeSet::new(), &all, &[]);
        let some = foreign(&release(), &all, &[]);
        let fewest = foreign(&release(), &all, &own());
        prop_assert_eq!(none.len(), images.len());
        prop_assert!(some.iter().all(|it| none.contains(it)));
        prop_assert!(fewest.iter().all(|it| some.contains(it)));
    }
}
