//! The tags of a repository, all pages of the list.

use pdp_policies::Digest;
use reqwest::StatusCode;
use serde::Deserialize;

use super::links::next_page;
use super::registry::Registry;
use super::repository::Repository;
use crate::error::{Error, Kind, Result};

/// A longer list is refused: so many pages, and so many bytes in all.
const MOST_PAGES: usize = 1000;
const MOST_BYTES: u64 = 16 << 20;

#[derive(Deserialize)]
struct Page {
    // Some registries write null for none.
    tags: Option<Vec<String>>,
}

impl Registry {
    /// All tags; none if there is no such repository.
    ///
    /// # Errors
    /// `TooLarge`, `Garbage`, and what requests can end with.
    pub async fn tags(&self, repository: &Repository) -> Result<Vec<String>> {
        let what = format!("tags of {repository}");
        let garbage = |cause: String| Error::new(Kind::Garbage, &what, cause);
        let mut url = self.url(repository, "tags/list")?;
        let (mut tags, mut left) = (Vec::new(), MOST_BYTES);
        for _ in 0..MOST_PAGES {
            let answer = self.send(repository, &what, || self.http().get(url.clone())).await?;
            match answer.status() {
                StatusCode::NOT_FOUND => return Ok(tags),
                status if status.is_success() => self.no_page(&what, &answer)?,
                _ => return Err(self.refused(&what, answer).await),
            }
            let next = next_page(&url, answer.headers()).map_err(garbage)?;
            let bytes = self.read(&what, answer, left).await?;
            left -= bytes.len() as u64;
            let page: Page = serde_json::from_slice(&bytes).map_err(|e| garbage(e.to_string()))?;
            tags.extend(page.tags.unwrap_or_default());
            if let Some(bad) = tags.iter().find(|tag| !is_tag(tag)) {
                return Err(garbage(format!("`{}` is no tag", pdp_policies::printable(bad))));
            }
            let Some(next) = next else { return Ok(tags) };
            url = next;
        }
        Err(Error::new(Kind::TooLarge, what, format!("more than {MOST_PAGES} pages")))
    }

    /// The digest that a tag names now, none if there is no such tag.
    ///
    /// # Errors
    /// As [`Registry::resolve_tag`].
    pub async fn tag_digest(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>> {
        Ok(self.resolve_tag(repository, tag).await?.map(|(digest, _)| digest))
    }
}

/// As OCI Distribution writes tags: they become part of addresses.
fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let rest = |b: u8| word(b) || b == b'.' || b == b'-';
    text.len() <= 128 && text.bytes().next().is_some_and(word) && text.bytes().all(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_lead_to_another_address_is_no_tag() {
        for (text, is) in [
            ("40", true),
            ("40-cilium", true),
            ("_a.b", true),
            ("", false),
            ("-a", false),
            ("..", false),
            ("a/../b", false),
            ("a?b", false),
            (&"a".repeat(129), false),
        ] {
            assert_eq!(is_tag(text), is, "{text}");
        }
    }
}
