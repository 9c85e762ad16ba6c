//! Places in JSON as RFC 6901 writes them: `/a~1b/c` is the key `c` below the key `a/b`.

/// The place of a key below another place; the top's is empty.
pub fn below(place: &str, key: &str) -> String {
    format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The keys on the way, from the top.
pub fn keys(place: &str) -> impl Iterator<Item = String> {
    place.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~"))
}

/// For people, who write values so: `a.b`. Keys stay as they are escaped.
pub fn dotted(place: &str) -> String {
    place.trim_start_matches('/').replace('/', ".")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_come_back_as_they_went_in(wanted in prop::collection::vec("[a~/01.]{0,5}", 0..5)) {
            let place = wanted.iter().fold(String::new(), |place, key| below(&place, key));
            prop_assert_eq!(keys(&place).collect::<Vec<_>>(), wanted);
        }
    }
}
