//! `channel-server token`: who may ask the server what. The first token can only be made here.

use clap::Subcommand;
use pdp_policies::{Organization, Span};
use pdp_transport::channel_server::{ApiToken, Role};
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{self, Format, print, say};
use pdp_transport::cli::{clock, exit};
use serde_json::json;

use super::{DatabaseArgs, failed};
use crate::database::TokenRow;
use crate::event::Actor;
use crate::secret;

/// `channel-server token ...`
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Makes a token and prints it, once.
    Create(CreateArgs),
    /// Lists tokens without their secrets.
    List(DatabaseArgs),
    /// Takes a token back, at once.
    Revoke(RevokeArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Whose it is; stands in the event log beside everything that they do.
    #[arg(long)]
    name: String,
    /// What it may do.
    #[arg(long, value_enum)]
    role: Role,
    /// Limits it to one organization; org-approver and org-viewer need one.
    #[arg(long)]
    organization: Option<Organization>,
    /// How long it is good, such as 90d.
    #[arg(long, default_value = "90d")]
    life: Span,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The token's id, as `token list` shows it.
    id: String,
}

pub(crate) async fn run(command: Token, format: Format) -> Result<u8> {
    match command {
        Token::Create(args) => create(args, format).await,
        Token::List(args) => list(&args, format).await,
        Token::Revoke(args) => revoke(&args, format).await,
    }
}

async fn create(args: CreateArgs, format: Format) -> Result<u8> {
    let needs_organization = matches!(args.role, Role::OrgApprover | Role::OrgViewer);
    if needs_organization && args.organization.is_none() {
        return Err(Failure::new("OrganizationMissing", "this role is for one organization")
            .hint("name it with --organization"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "@.-_".contains(c);
    if args.name.is_empty() || args.name.len() > 100 || !args.name.chars().all(plain) {
        return Err(Failure::new("BadName", "a name has up to 100 letters, digits, @ . - _"));
    }
    let (secret, hash) = secret::new("pdpt_").map_err(internal)?;
    let id: [u8; 8] = secret::random().map_err(internal)?;
    let now = clock::now();
    let token = ApiToken {
        id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
        name: args.name,
        role: args.role,
        organization: args.organization,
        expires: now.plus(args.life),
        revoked: None,
    };
    let row = TokenRow { token, hash };
    let database = args.database.open().await?;
    database.create_token(&row, now, &Actor::Operator).await.map_err(|e| failed(&e))?;
    database.close().await;
    say(&format!(
        "✔ token {} for {}, good until {}; it is shown this once:",
        row.token.id, row.token.name, row.token.expires
    ));
    print(format, &json!({ "token": secret, "id": row.token.id, "expires": row.token.expires }), &secret)?;
    Ok(exit::DONE)
}

async fn list(args: &DatabaseArgs, format: Format) -> Result<u8> {
    let database = args.open().await?;
    let tokens = async { database.read().await?.tokens().await };
    let tokens = tokens.await.map_err(|e| failed(&e))?;
    database.close().await;
    let mut lines = vec![format!("{:16}  {:30}  {:16}  {:20}  UNTIL", "ID", "NAME", "ROLE", "ORGANIZATION")];
    lines.extend(tokens.iter().map(|token| {
        let organization = token.organization.as_ref().map_or("all", Organization::as_str);
        let role = format!("{:?}", token.role);
        let until = token.revoked.map_or_else(|| token.expires.to_string(), |at| format!("taken back {at}"));
        format!("{:16}  {:30}  {role:16}  {organization:20}  {until}", token.id, token.name)
    }));
    output::list(format, &tokens, tokens.iter().map(|token| &token.id), &lines.join("\n"))?;
    Ok(exit::DONE)
}

async fn revoke(args: &RevokeArgs, format: Format) -> Result<u8> {
    let database = args.database.open().await?;
    let revoked =
        database.revoke_token(&args.id, clock::now(), &Actor::Operator).await.map_err(|e| failed(&e))?;
    database.close().await;
    if !revoked {
        return Err(Failure::new("NotFound", format!("no token `{}` that is still good", args.id))
            .hint("`channel-server token list` shows the ids")
            .exit(exit::NOT_FOUND));
    }
    print(format, &json!({ "revoked": args.id }), &format!("✔ token {} is good for nothing now", args.id))?;
    Ok(exit::DONE)
}
