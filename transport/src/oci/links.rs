//! Where a list goes on: the `Link` with `rel="next"` (RFC 8288), on the same origin only.

use reqwest::header::{HeaderMap, LINK};
use url::Url;

/// The next page of what came from `url`, none at the end.
///
/// # Errors
/// Why the page that is named isn't asked for.
pub(super) fn next_page(url: &Url, headers: &HeaderMap) -> Result<Option<Url>, String> {
    let values = headers.get_all(LINK).into_iter().filter_map(|value| value.to_str().ok());
    let Some(target) = values.flat_map(links).find_map(|(target, next)| next.then_some(target)) else {
        return Ok(None);
    };
    let next = url.join(target).map_err(|_| "the next page has no address".to_owned())?;
    let plain = next.username().is_empty() && next.password().is_none();
    if next.origin() != url.origin() || !plain {
        return Err("the next page is on another host".to_owned());
    }
    Ok(Some(next))
}

/// The targets of one header, each with whether it is the next page.
fn links(text: &str) -> Vec<(&str, bool)> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some((target, after)) = rest.split_once('<').and_then(|(_, link)| link.split_once('>')) {
        let end = end_of_link(after);
        found.push((target, is_next(&after[..end])));
        rest = &after[end..];
    }
    found
}

/// The comma behind a link's parameters, outside of quotes.
fn end_of_link(text: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn is_next(parameters: &str) -> bool {
    parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        let words = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("rel")
            && words.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_next_page_is_found_on_the_same_origin_alone() {
        let url = Url::parse("https://r.example/v2/a/referrers/sha256:1?n=2").unwrap();
        let at = |rest: &str| Ok(Some(format!("https://r.example/{rest}")));
        for (header, found) in [
            (r#"</v2/a/referrers/sha256:1?last=x>; rel="next""#, at("v2/a/referrers/sha256:1?last=x")),
            ("<?last=x>;rel=next", at("v2/a/referrers/sha256:1?last=x")),
            (r#"</first>; rel="first", </b,c>; title="a, <b>; rel=prev"; REL="last Next""#, at("b,c")),
            ("<https://r.example:443/x>; rel=next", at("x")),
            ("</x>; rel=prev", Ok(None)),
            ("nonsense", Ok(None)),
            ("<https://elsewhere.example/x>; rel=next", Err(())),
            ("<https://r.example:444/x>; rel=next", Err(())),
            ("<http://r.example/x>; rel=next", Err(())),
            ("<//elsewhere.example/x>; rel=next", Err(())),
            ("<https://u:p@r.example/x>; rel=next", Err(())),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LINK, header.parse().unwrap());
            let next = next_page(&url, &headers).map(|next| next.map(|url| url.to_string())).map_err(|_| ());
            assert_eq!(next, found, "{header}");
        }
    }
}
