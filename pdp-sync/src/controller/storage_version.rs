//! Stored versions of custom resources: before a definition drops a version, every object must be written anew in the
//! version that stays, or the API server can't read it any more. Only definitions named here are touched.
//!
//! An object is in the storage version once it was written by an API server that knows the definition; the field
//! managers' entries have to name that version, too. `status.storedVersions` is cut last, and only if every object of
//! the kind was seen in every namespace: a process that dies on the way starts over.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject, PartialObjectMeta};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::crd::MANAGER;

/// The definitions whose objects pdp-sync keeps readable: Flux's that it uses, and its own.
pub(crate) const DEFINITIONS: [&str; 6] = [
    "gitrepositories.source.toolkit.fluxcd.io",
    "helmreleases.helm.toolkit.fluxcd.io",
    "kustomizations.kustomize.toolkit.fluxcd.io",
    "ocirepositories.source.toolkit.fluxcd.io",
    "updateapprovals.updates.pdp.wso2.com",
    "updatesubscriptions.updates.pdp.wso2.com",
];

/// So many objects are listed at once.
const PAGE: u32 = 100;
/// More pages than this aren't walked in one go.
const MAX_PAGES: usize = 200;
/// How often an object is tried that others write at the same time.
const TRIES: usize = 5;

/// What a definition needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// All objects are stored in the storage version.
    Nothing,
    /// Objects may be stored in other versions.
    Rewrite {
        /// The version that stays.
        to: String,
        /// The versions that have to go from `status.storedVersions`.
        from: Vec<String>,
    },
    /// It can't be done: the definition has no served storage version.
    Impossible,
}

/// What became of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is no such definition.
    NotThere,
    /// Nothing had to be done.
    UpToDate,
    /// All objects were written anew and the other versions taken from the list.
    Migrated {
        /// How many objects there are.
        objects: usize,
    },
    /// Someone wrote at the same time, or there are too many objects for one go: try again later.
    Again,
    /// The definition has no served storage version.
    Impossible,
}

/// Decides from the definition alone.
pub(crate) fn step(definition: &CustomResourceDefinition) -> Step {
    let versions = &definition.spec.versions;
    let Some(storage) = versions.iter().find(|version| version.storage && version.served) else {
        return Step::Impossible;
    };
    let stored = definition.status.iter().flat_map(|status| status.stored_versions.iter().flatten());
    let from: Vec<_> = stored.filter(|version| **version != storage.name).cloned().collect();
    match from.is_empty() {
        true => Step::Nothing,
        false => Step::Rewrite { to: storage.name.clone(), from },
    }
}

/// Brings all objects of the named definition into its storage version.
///
/// # Errors
/// The API server's; `Forbidden` (403) if not all namespaces may be listed: then nothing is taken from the list.
pub(crate) async fn migrate(client: &Client, name: &str) -> kube::Result<Outcome> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let Some(definition) = definitions.get_opt(name).await? else { return Ok(Outcome::NotThere) };
    let to = match step(&definition) {
        Step::Nothing => return Ok(Outcome::UpToDate),
        Step::Impossible => return Ok(Outcome::Impossible),
        Step::Rewrite { to, from } => {
            tracing::info!(definition = name, to, ?from, "objects are written in the storage version");
            to
        }
    };
    let Some(objects) = rewrite_all(client, &resource(&definition, &to)).await? else {
        return Ok(Outcome::Again);
    };
    // Whoever changed the definition meanwhile may have changed the storage version.
    let cut = json!({
        "metadata": { "resourceVersion": definition.metadata.resource_version },
        "status": { "storedVersions": [to] },
    });
    match definitions.patch_status(name, &by_us(), &Patch::Merge(cut)).await {
        Ok(_) => Ok(Outcome::Migrated { objects }),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(Outcome::Again),
        Err(error) => Err(error),
    }
}

fn by_us() -> PatchParams {
    PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() }
}

fn resource(definition: &CustomResourceDefinition, version: &str) -> ApiResource {
    let (group, names) = (&definition.spec.group, &definition.spec.names);
    ApiResource {
        api_version: format!("{group}/{version}"),
        group: group.clone(),
        version: version.to_owned(),
        kind: names.kind.clone(),
        plural: names.plural.clone(),
    }
}

/// How many objects were written; `None` if not all could be.
async fn rewrite_all(client: &Client, resource: &ApiResource) -> kube::Result<Option<usize>> {
    let all: Api<DynamicObject> = Api::all_with(client.clone(), resource);
    let (mut page, mut count) = (ListParams::default().limit(PAGE), 0);
    for _ in 0..MAX_PAGES {
        let listed = match all.list_metadata(&page).await {
            // The list grew too old to be continued.
            Err(kube::Error::Api(status)) if status.code == 410 => return Ok(None),
            listed => listed?,
        };
        for object in listed.items {
            if !rewrite(client, resource, object).await? {
                return Ok(None);
            }
            count += 1;
        }
        match listed.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page.continue_token = Some(token),
            None => return Ok(Some(count)),
        }
    }
    Ok(None)
}

/// True once the object is written, or gone; false if others kept writing it.
async fn rewrite(
    client: &Client,
    resource: &ApiResource,
    mut object: PartialObjectMeta<DynamicObject>,
) -> kube::Result<bool> {
    let name = object.name_any();
    let api: Api<DynamicObject> = match object.namespace() {
        Some(namespace) => Api::namespaced_with(client.clone(), &namespace, resource),
        None => Api::all_with(client.clone(), resource),
    };
    for _ in 0..TRIES {
        let patch =
            Patch::Merge(patch(object.managed_fields(), object.resource_version(), &resource.api_version));
        match api.patch_metadata(&name, &by_us(), &patch).await {
            Ok(_) => return Ok(true),
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => return Err(error),
        }
        match api.get_metadata_opt(&name).await? {
            Some(newer) => object = newer,
            None => return Ok(true),
        }
    }
    Ok(false)
}

/// The smallest patch that makes the API server write the object: nothing, unless a field manager's entry names
/// another version.
fn patch(managed: &[ManagedFieldsEntry], resource_version: Option<String>, api_version: &str) -> Value {
    if managed.iter().all(|entry| entry.api_version.as_deref() == Some(api_version)) {
        return json!({});
    }
    let at_storage = |entry: &ManagedFieldsEntry| ManagedFieldsEntry {
        api_version: Some(api_version.to_owned()),
        ..entry.clone()
    };
    let entries: Vec<_> = managed.iter().map(at_storage).collect();
    json!({ "metadata": { "resourceVersion": resource_version, "managedFields": entries } })
}

#[cfg(test)]
mod tests;
