//! A world's own copy of the release line, to be edited before a level is released.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::world::World;

/// What becomes of a component's pods: kwok decides it by the image's name (`tools/stages.yaml`), because the
/// tag is gone once images are pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The image is never pulled. A Deployment is given up after three seconds.
    NeverReady,
    /// Ready at first; ten seconds later it crashes again and again.
    ReadyThenFails,
    /// The pods are fine, but a hook before the upgrade fails.
    HookFails,
    /// The same, but the hook never ends.
    HookHangs,
}

/// The copy, at one level. Edits of a component go to a folder of its own, so that other levels keep theirs.
#[derive(Debug)]
pub struct Line {
    folder: PathBuf,
    level: u32,
    /// The level's `release.yaml`; saved after the edits.
    pub release: Value,
    /// Of a hotfix: the organizations that it is promoted for.
    pub audience: Vec<String>,
    forgotten: Vec<String>,
}

impl Line {
    pub(crate) fn open(folder: &Path, level: u32) -> Result<Self> {
        if !folder.exists() {
            copy(&World::fixtures().join("pdp-2026"), folder)?;
        }
        let release = read(folder, &level.to_string())?;
        Ok(Self { folder: folder.to_owned(), level, release, audience: Vec::new(), forgotten: Vec::new() })
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join(format!("{}/release.yaml", self.level))
    }

    /// Writes `release.yaml`, and the base to lint against if something was forgotten: the fixture of the
    /// linter's own check must not stop a release that the data plane is to be tested with.
    pub(crate) fn save(&self) -> Result<Option<PathBuf>> {
        write(&self.file(), &self.release)?;
        if self.forgotten.is_empty() || self.release["base"].is_null() {
            return Ok(None);
        }
        let mut base = read(&self.folder, &self.release["base"].to_string())?;
        take_out(&mut base, |name| self.forgotten.iter().any(|forgotten| forgotten == name));
        let path = self.folder.join(format!("{}/base.yaml", self.level));
        write(&path, &base)?;
        Ok(Some(path))
    }

    /// A component's entry.
    ///
    /// # Errors
    /// When the level has no such component.
    pub fn component(&mut self, name: &str) -> Result<&mut Value> {
        let level = self.level;
        let mut all = self.release["components"].as_array_mut().into_iter().flatten();
        all.find(|component| component["name"] == name).with_context(|| format!("{name} at level {level}"))
    }

    /// Sets a field of a component, such as `onFailure`, `timeout`, `settle`, `stage`.
    ///
    /// # Errors
    /// When the level has no such component.
    pub fn set(&mut self, component: &str, field: &str, value: Value) -> Result<()> {
        self.component(component)?[field] = value;
        Ok(())
    }

    /// Values of the release for a component, in a file of their own: for all platforms, or for one.
    ///
    /// # Errors
    /// When they can't be written, or the level has no such component.
    pub fn values(&mut self, component: &str, platform: Option<&str>, text: &str) -> Result<()> {
        let name = format!("values/{component}-{}.yaml", platform.unwrap_or("all"));
        let path = self.folder.join(format!("{}/{name}", self.level));
        std::fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        std::fs::write(&path, text)?;
        let entry = self.component(component)?;
        match platform {
            Some(platform) => entry["platformValues"][platform] = json!(name),
            None => entry["values"] = json!(name),
        }
        Ok(())
    }

    /// A statement, in a file beside the level's `release.yaml`; `of` is a component or an image, or nothing.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn states(&mut self, name: &str, document: &Value, of: Option<&str>) -> Result<()> {
        write(&self.folder.join(format!("{}/{name}", self.level)), document)?;
        let entry = of.map_or_else(|| json!({ "path": name }), |of| json!({ "path": name, "of": of }));
        match self.release["statements"].as_array_mut() {
            Some(statements) => statements.push(entry),
            None => self.release["statements"] = json!([entry]),
        }
        Ok(())
    }

    /// Declares how long the level takes.
    pub fn takes(&mut self, length: &str) {
        self.release["usualLength"] = json!(length);
    }

    /// Two minutes for each component, one second to settle.
    pub fn quick(&mut self) {
        for component in self.release["components"].as_array_mut().into_iter().flatten() {
            component["timeout"] = json!("2m");
            component["settle"] = json!("1s");
        }
    }

    /// All target namespaces.
    pub fn namespaces(&self) -> Vec<String> {
        let all = self.release["components"].as_array().into_iter().flatten();
        let mut names: Vec<_> =
            all.filter_map(|component| component["namespace"].as_str().map(str::to_owned)).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Adds `-<suffix>` to the target namespaces of all levels of this copy; again is harmless.
    ///
    /// # Errors
    /// When a file can't be read or written.
    pub fn in_namespaces(&mut self, suffix: &str) -> Result<()> {
        rename_namespaces(&mut self.release, suffix);
        for level in std::fs::read_dir(&self.folder)? {
            let path = level?.path().join("release.yaml");
            if path.exists() {
                let mut release = read_file(&path)?;
                rename_namespaces(&mut release, suffix);
                write(&path, &release)?;
            }
        }
        for file in files(&self.folder.join("manifests"))? {
            let text = std::fs::read_to_string(&file)?;
            let renamed: Vec<_> = text.lines().map(|line| renamed(line, suffix)).collect();
            std::fs::write(&file, renamed.join("\n") + "\n")?;
        }
        Ok(())
    }

    /// Replaces text in a file of a component, such as `values.yaml`; it must be there.
    ///
    /// # Errors
    /// When it isn't.
    pub fn replace(&mut self, component: &str, file: &str, from: &str, to: &str) -> Result<()> {
        let path = self.own_folder(component)?.join(file);
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        ensure!(text.contains(from), "no `{from}` in {}", path.display());
        Ok(std::fs::write(&path, text.replace(from, to))?)
    }

    /// Writes a file of a component, such as `crds/more.yaml`.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&mut self, component: &str, file: &str, text: &str) -> Result<()> {
        let path = self.own_folder(component)?.join(file);
        std::fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        Ok(std::fs::write(&path, text)?)
    }

    /// Another name for a component's image, everywhere; the digest stays.
    ///
    /// # Errors
    /// When the component has no such image.
    pub fn rename_image(&mut self, component: &str, from: &str, to: &str) -> Result<()> {
        for file in files(&self.own_folder(component)?)? {
            let text = std::fs::read_to_string(&file)?;
            std::fs::write(&file, text.replace(from, to))?;
        }
        let mut images = self.component(component)?["images"].as_array_mut().into_iter().flatten();
        let image = images.find(|image| image["name"] == from).with_context(|| format!("image {from}"))?;
        image["name"] = json!(to);
        Ok(())
    }

    /// Another image behind a component's first one: the digest of what the fixtures hold as `name:tag`.
    ///
    /// # Errors
    /// When there is no such image.
    pub fn image_of(&mut self, component: &str, name_and_tag: &str) -> Result<()> {
        let digest = fixture_image(name_and_tag)?;
        self.component(component)?["images"][0]["digest"] = json!(digest);
        Ok(())
    }

    /// Lets a component fail.
    ///
    /// # Errors
    /// When the level has no such component.
    pub fn fate(&mut self, component: &str, fate: Fate) -> Result<()> {
        let image = self.component(component)?["images"][0].clone();
        let name = image["name"].as_str().context("an image has a name")?.to_owned();
        match fate {
            Fate::NeverReady => {
                self.rename_image(component, &name, &format!("{name}-never-ready"))?;
                self.give_up_soon(component)
            }
            Fate::ReadyThenFails => {
                self.rename_image(component, &name, &format!("{name}-ready-then-fails"))?;
                self.give_up_soon(component)
            }
            Fate::HookFails => self.failing_hook(component, &format!("{name}-hook-fails"), &image["digest"]),
            Fate::HookHangs => self.failing_hook(component, &format!("{name}-never-ready"), &image["digest"]),
        }
    }

    fn failing_hook(&mut self, component: &str, image: &str, digest: &Value) -> Result<()> {
        let images = self.component(component)?["images"].as_array_mut();
        images.context("a list of images")?.push(json!({ "name": image, "digest": digest }));
        self.write(component, "templates/failing-hook.yaml", &failing_hook(component, image))
    }

    /// Kubernetes says after three seconds that a rollout makes no progress.
    fn give_up_soon(&mut self, component: &str) -> Result<()> {
        for file in files(&self.own_folder(component)?)? {
            let text = std::fs::read_to_string(&file)?;
            if text.contains("kind: Deployment") {
                let text = text.replacen("\n  selector:", "\n  progressDeadlineSeconds: 3\n  selector:", 1);
                std::fs::write(&file, text)?;
            }
        }
        Ok(())
    }

    /// Gives a component's chart another name; release name and namespace stay.
    ///
    /// # Errors
    /// When it has no chart.
    pub fn rename_chart(&mut self, component: &str, to: &str) -> Result<()> {
        let from = self.component(component)?["chart"]["name"].clone();
        let from = from.as_str().with_context(|| format!("{component} has no chart"))?;
        self.replace(component, "Chart.yaml", &format!("name: {from}\n"), &format!("name: {to}\n"))?;
        self.component(component)?["chart"]["name"] = json!(to);
        Ok(())
    }

    /// Forgets all components but these.
    pub fn keep(&mut self, components: &[&str]) {
        let all = self.release["components"].as_array().cloned().unwrap_or_default();
        let names = all.iter().filter_map(|component| component["name"].as_str());
        names.filter(|name| !components.contains(name)).for_each(|name| self.forget(name));
    }

    /// Leaves a component out without a word, which the linter would refuse.
    pub fn forget(&mut self, component: &str) {
        take_out(&mut self.release, |name| name == component);
        self.forgotten.push(component.to_owned());
    }

    /// Leaves a component out and says so under `removed:`.
    pub fn remove(&mut self, component: &str) {
        take_out(&mut self.release, |name| name == component);
        match self.release["removed"].as_array_mut() {
            Some(removed) => removed.push(json!(component)),
            None => self.release["removed"] = json!([component]),
        }
    }

    /// The component's folder; a copy for this level alone, made at the first edit.
    fn own_folder(&mut self, component: &str) -> Result<PathBuf> {
        let (folder, level) = (self.folder.clone(), self.level);
        let entry = self.component(component)?;
        let kind = if entry["chart"].is_object() { "chart" } else { "manifests" };
        let path = entry[kind]["path"].as_str().context("a component has a path")?.to_owned();
        let mark = format!("@{level}");
        if path.ends_with(&mark) {
            return Ok(folder.join(path.trim_start_matches("../")));
        }
        let own = format!("{path}{mark}");
        entry[kind]["path"] = json!(own);
        let (from, to) =
            (folder.join(path.trim_start_matches("../")), folder.join(own.trim_start_matches("../")));
        copy(&from, &to)?;
        Ok(to)
    }
}

fn failing_hook(component: &str, image: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {component}-failing\n  annotations:\n    \
         helm.sh/hook: pre-upgrade\n    helm.sh/hook-delete-policy: before-hook-creation\n\
         spec:\n  backoffLimit: 0\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n        \
         - name: main\n          image: {image}:1\n"
    )
}

fn fixture_image(name_and_tag: &str) -> Result<String> {
    let index = std::fs::read(World::fixtures().join("images/index.json"))?;
    let index: Value = serde_json::from_slice(&index)?;
    let mut entries = index["manifests"].as_array().into_iter().flatten();
    let found =
        entries.find(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == name_and_tag);
    let digest = found.and_then(|entry| entry["digest"].as_str());
    Ok(digest.with_context(|| format!("no image {name_and_tag} in the fixtures"))?.to_owned())
}

fn rename_namespaces(release: &mut Value, suffix: &str) {
    for component in release["components"].as_array_mut().into_iter().flatten() {
        if let Some(name) = component["namespace"].as_str() {
            component["namespace"] = json!(with_suffix(name, suffix));
        }
    }
}

fn renamed(line: &str, suffix: &str) -> String {
    match line.split_once("namespace: ") {
        Some((before, name)) if before.trim().is_empty() => {
            format!("{before}namespace: {}", with_suffix(name, suffix))
        }
        _ => line.to_owned(),
    }
}

fn with_suffix(name: &str, suffix: &str) -> String {
    let end = format!("-{suffix}");
    if name.ends_with(&end) { name.to_owned() } else { format!("{name}{end}") }
}

fn take_out(release: &mut Value, out: impl Fn(&str) -> bool) {
    if let Some(components) = release["components"].as_array_mut() {
        components.retain(|component| !component["name"].as_str().is_some_and(&out));
    }
}

fn read(folder: &Path, level: &str) -> Result<Value> {
    read_file(&folder.join(format!("{level}/release.yaml")))
}

fn read_file(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_saphyr::from_str(&text).with_context(|| path.display().to_string())
}

/// JSON is YAML, and has no quoting rules to get wrong.
fn write(path: &Path, value: &Value) -> Result<()> {
    Ok(std::fs::write(path, format!("{value:#}\n"))?)
}

/// All files below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for file in files(from)? {
        let there = to.join(file.strip_prefix(from)?);
        std::fs::create_dir_all(there.parent().context("a file lies in a folder")?)?;
        std::fs::copy(&file, &there).with_context(|| there.display().to_string())?;
    }
    Ok(())
}
