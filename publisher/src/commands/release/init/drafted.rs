//! From another way of installing: what is taken over, and what isn't.

use std::path::Path;

use pdp_policies::helm_yaml;
use pdp_policies::yaml::MAX_YAML_BYTES;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{self, Format};
use pdp_transport::files;
use serde_json::{Map, Value, json};

use super::{Args, FILE};
use crate::charts::{self, Origin, Trouble};
use crate::draft::{self, Draft, Head};

pub(super) async fn run(args: &Args, format: Format) -> Result<u8> {
    let (Some(line), Some(repository)) = (args.line.clone(), args.repository.clone()) else {
        return Err(internal("clap asks for line and repository"));
    };
    let fetch = args.cache.open(&args.catalog.git.connection);
    let draft = match (&args.from_flux, &args.from_umbrella) {
        (Some(folder), _) => {
            let (files, unread) = charts::readable_files(folder)?;
            draft::of_flux(files, unread)
        }
        (None, Some(chart)) => umbrella(args, chart, &fetch).await?,
        (None, None) => return Err(internal("clap asks for a source")),
    };
    if draft.components.is_empty() {
        return Err(nothing(&draft));
    }
    let draft = draft::pinned(draft, &fetch).await;
    let head = Head { line, level: args.level, version: args.version.clone(), kind: args.kind, repository };
    if !args.dry_run {
        draft::write(&args.folder, &head, &draft)?;
    }
    report(args, &draft, format)
}

async fn umbrella(args: &Args, chart: &Path, fetch: &charts::Fetch<'_>) -> Result<Draft> {
    let failed = |Trouble { code, message, hint, .. }: Trouble| Failure::new(code, message).hint(hint);
    let origin = Origin::Path(chart.display().to_string());
    let files = charts::read(&origin, "", Some(chart), fetch).await.map_err(failed)?;
    let namespace = args.namespace.clone().ok_or_else(|| internal("clap asks for a namespace"))?;
    let given = args.values.as_deref().map(values).transpose()?.unwrap_or_default();
    draft::of_umbrella(&files, given, &namespace).map_err(failed)
}

fn values(path: &Path) -> Result<Map<String, Value>> {
    let bytes = files::read_capped(path, MAX_YAML_BYTES as u64)?;
    let bytes = bytes.ok_or_else(|| Failure::new("NotFound", format!("no file {}", path.display())))?;
    helm_yaml::values_file(&String::from_utf8_lossy(&bytes))
        .map_err(|problem| Failure::new("BadValues", path.display().to_string()).cause(problem.to_string()))
}

fn nothing(draft: &Draft) -> Failure {
    let why: Vec<_> = draft.left.iter().map(line).collect();
    Failure::new("NothingFound", "no component was found")
        .cause(if why.is_empty() { "there is no HelmRelease, no Kustomization and no dependency".to_owned() } else { why.join("\n") })
        .hint("give the folder of the objects themselves, such as what `flux export` or `kustomize build` prints")
}

fn line(left: &draft::Left) -> String {
    let field = if left.field.is_empty() { String::new() } else { format!(" {}", left.field) };
    pdp_policies::printable_lines(&format!("! {}{field}: {}", left.object, left.why))
}

fn report(args: &Args, draft: &Draft, format: Format) -> Result<u8> {
    let file = args.folder.join(args.level.to_string()).join(FILE);
    let sign = if args.dry_run { "◎" } else { "✔" };
    let mut lines = vec![format!("{sign} {}: {} components", file.display(), draft.components.len())];
    lines.extend(draft.components.iter().map(|it| format!("  {} stage {}", it.name, it.stage)));
    if !draft.left.is_empty() {
        lines.push("not taken over:".to_owned());
        lines.extend(draft.left.iter().map(|it| format!("  {}", line(it))));
    }
    lines.push(format!(
        "  next: read {}, decide `onFailure` (hold for what must not go back), then `publisher release lock`",
        file.display()
    ));
    let components: Vec<_> =
        draft.components.iter().map(|it| json!({ "name": it.name, "stage": it.stage })).collect();
    let value =
        json!({ "file": file, "components": components, "left": draft.left, "written": !args.dry_run });
    output::print(format, &value, &lines.join("\n"))?;
    Ok(exit::DONE)
}
