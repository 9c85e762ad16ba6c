//! Codes in words, as `explain` and the documents have them.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ObstacleCode, RefusalCode};
use crate::rollout::CommandRefusal;

/// One code in words; each is a sentence or two in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    /// The stable code.
    pub code: String,
    /// What it means.
    pub meaning: String,
    /// What usually brings it about.
    pub cause: &'static str,
    /// What to do next.
    pub next: &'static str,
}

/// All refusals of documents, in the order of judging.
pub fn refusals() -> Vec<Words> {
    all(|code: RefusalCode| (code.cause(), code.hint()))
}

/// All obstacles.
pub fn obstacles() -> Vec<Words> {
    all(|code: ObstacleCode| (code.cause(), code.hint()))
}

/// All refusals of what people order a rollout to do.
pub fn command_refusals() -> Vec<Words> {
    all(|code: CommandRefusal| (code.cause(), code.hint()))
}

/// Every variant in the words of its type, which its schema has.
fn all<T: JsonSchema + DeserializeOwned>(rest: impl Fn(T) -> (&'static str, &'static str)) -> Vec<Words> {
    let schema = schemars::schema_for!(T).to_value();
    let variants = schema.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
    variants.iter().filter_map(|variant| words(variant, &rest)).collect()
}

fn words<T: DeserializeOwned>(
    variant: &Value,
    rest: &impl Fn(T) -> (&'static str, &'static str),
) -> Option<Words> {
    let name = variant.get("const")?;
    let code = name.as_str()?.to_owned();
    let meaning = variant.get("description")?.as_str()?.replace('\n', " ");
    let (cause, next) = rest(serde_json::from_value(name.clone()).ok()?);
    Some(Words { code, meaning, cause, next })
}
