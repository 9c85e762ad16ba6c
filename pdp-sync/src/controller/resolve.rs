//! From the object that the customer wrote to the subscription that a pass works on: Secrets, ConfigMaps, sources and
//! approvals are read here, once, at the beginning.

use std::collections::BTreeMap;
use std::path::Path;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use pdp_policies::API_VERSION;
use pdp_policies::decision::FluxInputs;
use pdp_policies::instruction::Enrolled;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::files;
use pdp_transport::flux_artifact::FluxArtifact;
use pdp_transport::login::{DockerConfig, Login, LoginSource};
use url::Url;

use super::surroundings::Surroundings;
use crate::cluster::{Cluster, Kind};
use crate::content::{Approvals, Content, HandedReports, SignedApproval};
use crate::crd::{
    CatalogSource as Source, FluxSourceKind, Instruction, KeyOf, NameOf, ReportsOf,
    RingStateSource as RingState, Signatures, TimeZones, UpdateApproval, UpdateSubscription,
    UpdateSubscriptionSpec, Verify,
};
use crate::flux;
use crate::secret_store::SecretStore;
use crate::state::ENROLLED;
use crate::subscription::{
    CatalogSource, InstructionSource, Logins, Metadata, RingStateSource, ServerSource, Spec, Subscription,
    Target,
};
use crate::zones::ZoneFiles;

/// What was read already.
#[derive(Debug, Clone, Copy)]
pub(super) struct AtHand<'a> {
    pub(super) surroundings: &'a Surroundings,
    pub(super) approvals: &'a [SignedApproval],
    pub(super) secrets: &'a SecretStore,
}

/// Reads everything that the object names and that isn't at hand.
pub(super) fn resolve(
    cluster: &Cluster,
    object: &UpdateSubscription,
    at_hand: &AtHand<'_>,
    cache: &Path,
) -> Result<Subscription> {
    let reader = Reader { cluster, is_enrolled: is_enrolled(at_hand.secrets) };
    let spec = &object.spec;
    let name = object.name_any();
    let ca = match &spec.cert_secret_ref {
        Some(secret) => vec![reader.certificate(secret, cache)?],
        None => Vec::new(),
    };
    let mut policy = spec.policy.clone();
    let time_zones = reader.time_zones(spec.time_zones.as_ref())?;
    let zones = time_zones.apply(&mut policy);
    let resolved = Spec {
        organization: spec.organization.clone(),
        data_plane: spec.data_plane.clone(),
        line: spec.line.clone(),
        ring: spec.ring.clone(),
        instruction: reader.instruction(spec.instruction.as_ref())?,
        approvals: Some(Approvals::Given(at_hand.approvals.to_vec())),
        reports_of: reader.reports(spec.reports_of.as_ref())?,
        platform: spec.platform,
        catalog: reader.catalog(&spec.catalog)?,
        root: reader.config_map(&spec.root.config_map_ref)?,
        mirror: spec.mirror.as_ref().map(|mirror| mirror.host.clone()),
        signatures: spec.signatures,
        leave_out: spec.leave_out.clone(),
        policy,
        time_zones,
        zones,
        target: Target::Flux(Box::new(flux_inputs(&name, spec, at_hand.surroundings))),
        component_platform_values: spec.values.platform_prefix.clone(),
        probe: None,
        interval: spec.interval,
        ca,
        rollback: spec.rollback.clone(),
        logins: reader.logins(spec)?,
        cluster_id: at_hand.surroundings.cluster_id,
    };
    let metadata = Metadata { name, namespace: cluster.namespace.clone() };
    let kind = "UpdateSubscription".to_owned();
    Ok(Subscription { api_version: API_VERSION.to_owned(), kind, metadata, spec: resolved })
}

/// What the Flux objects are to name.
fn flux_inputs(name: &str, spec: &UpdateSubscriptionSpec, surroundings: &Surroundings) -> FluxInputs {
    let mirror = spec.mirror.as_ref();
    let pull = mirror.map_or(spec.pull_secret_ref.as_ref(), |mirror| mirror.secret_ref.as_ref());
    let cert = mirror.and_then(|mirror| mirror.cert_secret_ref.as_ref()).or(spec.cert_secret_ref.as_ref());
    let verify = spec.verify == Verify::Auto && spec.signatures == Signatures::Required;
    FluxInputs {
        platform_values: spec.values.platform.clone(),
        customer_values: spec.values.customer_prefix.clone(),
        pull_secret: pull.map(|secret| secret.name.clone()),
        cert_secret: cert.map(|secret| secret.name.clone()),
        verify_secret: verify.then(|| flux::artifact_keys_secret(name)),
        renames_in_place: surroundings.renames_in_place,
        post_renders_hooks: surroundings.post_renders_hooks,
    }
}

/// All approvals of the namespace, not judged.
pub(super) fn approvals(cluster: &Cluster) -> Result<Vec<SignedApproval>> {
    let api: Api<UpdateApproval> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    // More than the API server would hand out at once is nobody's to read.
    let parameters = ListParams::default().limit(500);
    let list = cluster.wait(|| "list UpdateApprovals".to_owned(), api.list(&parameters))?;
    let signed = |approval: UpdateApproval| SignedApproval {
        name: approval.name_any(),
        document: approval.spec.document.into_bytes(),
        signature: approval.spec.signature.into_bytes(),
    };
    Ok(list.items.into_iter().map(signed).collect())
}

/// True if what the server answered to an enrolment can be read.
fn is_enrolled(secrets: &SecretStore) -> bool {
    secrets.get(ENROLLED).is_some_and(|bytes| serde_json::from_slice::<Enrolled>(&bytes).is_ok())
}

/// What a Flux source holds, or why it holds nothing, and its own address.
type Held = (std::result::Result<FluxArtifact, String>, Option<String>);

struct Reader<'a> {
    cluster: &'a Cluster,
    /// An enrolment token is good for once: its Secret is read until then.
    is_enrolled: bool,
}

impl Reader<'_> {
    fn catalog(&self, source: &Source) -> Result<CatalogSource> {
        Ok(match source {
            Source::FluxSource { kind, name } => {
                let (artifact, url) = self.artifact(*kind, name)?;
                CatalogSource::Flux(artifact, url)
            }
            Source::Oci { repository, tag, .. } => {
                CatalogSource::Oci { repository: repository.clone(), tag: tag.clone() }
            }
            Source::Git { url, branch, .. } => {
                CatalogSource::Git { url: url.clone(), branch: branch.clone() }
            }
        })
    }

    /// What a Flux source holds now, and where Flux fetches it. After a restart of source-controller it holds nothing for a
    /// while.
    fn artifact(&self, kind: FluxSourceKind, name: &str) -> Result<Held> {
        let kind = source_kind(kind);
        let shown = format!("{} `{name}`", kind.name());
        let Some(object) = self.cluster.get(kind, name)? else {
            return Ok((Err(format!("{shown} isn't there")), None));
        };
        let source = object["spec"]["url"].as_str().map(str::to_owned);
        let artifact = &object["status"]["artifact"];
        let text = |field: &str| artifact[field].as_str().map(str::to_owned);
        let (Some(url), Some(digest), Some(revision)) = (text("url"), text("digest"), text("revision"))
        else {
            return Ok((Err(format!("{shown} holds nothing yet; see its conditions")), source));
        };
        Ok((Ok(FluxArtifact { url, digest, revision }), source))
    }

    fn instruction(&self, instruction: Option<&Instruction>) -> Result<InstructionSource> {
        Ok(match instruction {
            None => InstructionSource::Channel {},
            Some(Instruction::Approval {}) => InstructionSource::Approval {},
            Some(Instruction::RingState(RingState::Git { url, branch })) => {
                InstructionSource::RingState(RingStateSource::Git {
                    url: url.clone(),
                    branch: branch.clone(),
                })
            }
            Some(Instruction::RingState(RingState::Oci { repository })) => {
                InstructionSource::RingState(RingStateSource::Oci { repository: repository.clone() })
            }
            Some(Instruction::Server(server)) => {
                let token = server.enrolment_token_secret_ref.as_ref().filter(|_| !self.is_enrolled);
                let enrolment_token = token.map(|token| self.secret_content(token)).transpose()?;
                let (url, reports) = (server.url.clone(), server.reports);
                InstructionSource::Server(ServerSource { url, enrolment_token, reports })
            }
        })
    }

    fn logins(&self, spec: &UpdateSubscriptionSpec) -> Result<Logins> {
        let mut logins = Logins::of_nobody();
        match &spec.catalog {
            Source::Git { url, secret_ref: Some(secret), .. } => {
                let bad = |_| Failure::new("BadReference", format!("spec.catalog.git.url: `{url}`"));
                let url = Url::parse(url).map_err(bad)?;
                let secret = self.secret(&secret.name)?;
                let text =
                    |key: &str| value(&secret, key).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                let user = text("username").unwrap_or_else(|| "x-access-token".to_owned());
                let login = text("password").map(|secret| Login::password(&url, user, secret.trim()));
                logins.git = LoginSource::given_or_nobody(login);
            }
            Source::Oci { secret_ref: Some(secret), .. } => {
                logins.catalog = self.registry_login(secret)?;
            }
            _ => {}
        }
        let secret = match &spec.mirror {
            Some(mirror) => mirror.secret_ref.as_ref(),
            None => spec.pull_secret_ref.as_ref(),
        };
        if let Some(secret) = secret {
            logins.artifacts = self.registry_login(secret)?;
        }
        Ok(logins)
    }

    /// What the Secret holds for a host is looked up when that host asks.
    fn registry_login(&self, secret: &NameOf) -> Result<LoginSource> {
        let name = format!("Secret {}", secret.name);
        let held = self.secret(&secret.name)?;
        let text = value(&held, ".dockerconfigjson").ok_or_else(|| {
            Failure::new("NotFound", &name).hint("it needs the type kubernetes.io/dockerconfigjson")
        })?;
        Ok(LoginSource::DockerConfig(DockerConfig { name, text }))
    }

    /// Writes the CA where the HTTP client can read it; it is public.
    fn certificate(&self, secret: &NameOf, cache: &Path) -> Result<std::path::PathBuf> {
        let held = self.secret(&secret.name)?;
        let missing = || Failure::new("NotFound", format!("key ca.crt of Secret {}", secret.name));
        let pem = value(&held, "ca.crt").ok_or_else(missing)?;
        let path = cache.join("ca.crt");
        files::write_atomic(&path, &pem)?;
        Ok(path)
    }

    /// Reports of other data planes, by their keys in a ConfigMap.
    fn reports(&self, of: Option<&ReportsOf>) -> Result<HandedReports> {
        let Some(of) = of else { return Ok(HandedReports::default()) };
        Ok(HandedReports::Given(self.entries(&of.config_map_ref.name)?.unwrap_or_default()))
    }

    /// Newer zone data, by the keys of a ConfigMap.
    fn time_zones(&self, of: Option<&TimeZones>) -> Result<ZoneFiles> {
        let Some(of) = of else { return Ok(ZoneFiles::BuiltIn) };
        let name = &of.config_map_ref.name;
        Ok(ZoneFiles::Given(name.clone(), self.entries(name)?))
    }

    /// All that a ConfigMap holds, text and bytes, by key; none if it isn't there.
    fn entries(&self, name: &str) -> Result<Option<BTreeMap<String, Vec<u8>>>> {
        let entries = |map: ConfigMap| {
            let text = map.data.unwrap_or_default().into_iter().map(|(key, text)| (key, text.into_bytes()));
            let binary = map.binary_data.unwrap_or_default().into_iter().map(|(key, bytes)| (key, bytes.0));
            text.chain(binary).collect()
        };
        Ok(self.get_config_map(name)?.map(entries))
    }

    fn config_map(&self, key: &KeyOf) -> Result<Content> {
        let what = format!("key {} of ConfigMap {}", key.key, key.name);
        let bytes = self
            .get_config_map(&key.name)?
            .and_then(|map| map.data?.remove(&key.key))
            .map(String::into_bytes);
        Ok(Content::Given { what, bytes })
    }

    fn get_config_map(&self, name: &str) -> Result<Option<ConfigMap>> {
        let api: Api<ConfigMap> = self.api();
        self.cluster.wait(|| format!("get ConfigMap {name}"), api.get_opt(name))
    }

    fn secret_content(&self, key: &KeyOf) -> Result<Content> {
        let what = format!("key {} of Secret {}", key.key, key.name);
        let api: Api<Secret> = self.api();
        let held = self.cluster.wait(|| format!("get Secret {}", key.name), api.get_opt(&key.name))?;
        Ok(Content::Given { what, bytes: held.and_then(|secret| value(&secret, &key.key)) })
    }

    fn secret(&self, name: &str) -> Result<Secret> {
        let api: Api<Secret> = self.api();
        self.cluster.wait(|| format!("get Secret {name}"), api.get(name))
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.cluster.client.clone(), &self.cluster.namespace)
    }
}

fn value(secret: &Secret, key: &str) -> Option<Vec<u8>> {
    Some(secret.data.as_ref()?.get(key)?.0.clone())
}

/// The kind of Flux source that a catalog comes from.
pub(super) fn source_kind(kind: FluxSourceKind) -> Kind {
    match kind {
        FluxSourceKind::GitRepository => Kind::GitRepository,
        FluxSourceKind::OCIRepository => Kind::OciRepository,
    }
}
