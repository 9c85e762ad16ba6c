//! `.helmignore` as Helm reads it, which isn't how Git reads its own: the first rule that decides wins, a rule with `!`
//! leaves out whatever it doesn't match, and `**` is refused.

use super::glob::Glob;

/// Helm's own rule, after those of the file.
const DEFAULT: &str = "templates/.?*";
/// Left out of manifests, as `flux push artifact` does.
const GIT: [&str; 4] = [".git", ".gitignore", ".gitmodules", ".gitattributes"];

/// Rules in their order.
#[derive(Debug)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    glob: Glob,
    negated: bool,
    folders_only: bool,
    whole_path: bool,
}

impl Rules {
    /// Of a chart; `file` is its `.helmignore`, empty if it has none.
    ///
    /// # Errors
    /// The line that Helm refuses, and why.
    pub(super) fn parse(file: &str) -> Result<Self, String> {
        let file = file.strip_prefix('\u{feff}').unwrap_or(file);
        let mut rules = Vec::new();
        for (number, line) in file.split('\n').chain([DEFAULT]).enumerate() {
            let rule = Rule::parse(line).map_err(|cause| format!("line {}: {cause}", number + 1))?;
            rules.extend(rule);
        }
        Ok(Self(rules))
    }

    /// For manifests: what Git keeps for itself.
    pub(super) fn for_manifests() -> Self {
        Self(GIT.iter().filter_map(|name| Rule::parse(name).ok().flatten()).collect())
    }

    /// True if the file or folder is left out; of a folder, with all that is in it.
    pub(super) fn leave_out(&self, path: &str, is_folder: bool) -> bool {
        for rule in &self.0 {
            let concerned = is_folder || !rule.folders_only;
            match (rule.negated, concerned && rule.takes(path)) {
                (false, true) | (true, false) => return true,
                _ => {}
            }
        }
        false
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Option<Self>, String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        if line.contains("**") {
            return Err("Helm doesn't know `**`".to_owned());
        }
        let pattern = |text| Glob::parse(text).map_err(|_| format!("`{line}` isn't a pattern"));
        pattern(line)?;
        let (negated, rest) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (folders_only, rest) = rest.strip_suffix('/').map_or((false, rest), |rest| (true, rest));
        let (whole_path, rest) =
            rest.strip_prefix('/').map_or((rest.contains('/'), rest), |rest| (true, rest));
        Ok(Some(Self { glob: pattern(rest)?, negated, folders_only, whole_path }))
    }

    fn takes(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.glob.takes(if self.whole_path { path } else { name })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_rule_that_decides_wins() {
        for (rules, path, is_folder, left_out) in [
            ("", "templates/.x", false, true),
            ("", "templates/.", false, false),
            ("", "charts/a/templates/.x", false, false),
            (".env", ".env", false, true),
            (".env", "a/.env", false, true),
            ("/.env", "a/.env", false, false),
            (".git/", ".git", true, true),
            (".git/", ".git", false, false),
            ("a/b", "a/b", false, true),
            ("a/b", "c/a/b", false, false),
            ("/*.txt", "a.txt", false, true),
            ("/*.txt", "a/a.txt", false, false),
            ("a[b-d].txt", "ac.txt", false, true),
            ("# .env\n\n", ".env", false, false),
            ("\u{feff}.env\r\n*.bak \r\n", ".env", false, true),
            ("\u{feff}.env\r\n*.bak \r\n", "x.bak", false, true),
            // What the negated rule doesn't take is left out, the rest goes on to the next rule.
            ("!*.yaml", "a.txt", false, true),
            ("!*.yaml", "a.yaml", false, false),
            ("!*.yaml\na.yaml", "a.yaml", false, true),
            ("a.txt\n!a.txt", "a.txt", false, true),
            ("!files/", "files", false, true),
            ("!files/", "files", true, false),
        ] {
            let rules = Rules::parse(rules).unwrap();
            assert_eq!(rules.leave_out(path, is_folder), left_out, "{rules:?} {path}");
        }
    }

    #[test]
    fn what_helm_refuses_is_refused_with_its_line() {
        for bad in ["a\n**/b", "a\n[b"] {
            assert!(Rules::parse(bad).unwrap_err().starts_with("line 2: "), "{bad}");
        }
    }
}
