//! What a provider says of itself (OpenID Connect Discovery 1.0), and what of it is taken: it has
//! to be of the issuer that the settings name, and to stay on the hosts that they allow.

use serde_json::Value;

use crate::config::provider::{ProviderSettings, https_host};

/// How the desk shows the provider who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientShown {
    /// In the header (RFC 6749, 2.3.1).
    Basic,
    /// In the form.
    Post,
}

/// What is known of a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub client_shown: ClientShown,
    /// Whether its answers in the address name it (RFC 9207).
    pub names_itself: bool,
}

/// Where the document of an issuer is.
pub fn address(issuer: &str) -> String {
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    format!("{issuer}/.well-known/openid-configuration")
}

impl Document {
    /// # Errors
    /// Why it is not taken: logged, and shown to nobody.
    pub fn read(document: &Value, settings: &ProviderSettings) -> Result<Self, String> {
        if document["issuer"].as_str() != Some(&settings.issuer) {
            let names = document["issuer"].as_str().unwrap_or_default();
            let names: String = names.chars().take(200).collect();
            let issuer = &settings.issuer;
            return Err(format!(
                "the discovery document is of {names:?}, and [provider] issuer is {issuer:?}: both \
                 have to be the same, letter by letter"
            ));
        }
        let own = https_host(&settings.issuer);
        let is_allowed = |host: &str| {
            let mut others = settings.hosts.iter();
            own.as_deref() == Some(host) || others.any(|other| other.eq_ignore_ascii_case(host))
        };
        let endpoint = |name: &str| {
            let address = document[name].as_str().unwrap_or_default();
            match https_host(address) {
                Some(host) if is_allowed(&host) => Ok(address.to_owned()),
                Some(host) => Err(format!(
                    "the provider has its {name} at {host}: if that is right, name it in \
                     [provider] hosts"
                )),
                None => Err(format!("the provider names no https address as its {name}")),
            }
        };
        let has = |name: &str, value: &str| {
            let list = document[name].as_array();
            list.map(|list| list.iter().any(|one| one.as_str() == Some(value)))
        };
        if has("code_challenge_methods_supported", "S256") == Some(false) {
            return Err("the provider does not take PKCE with S256".to_owned());
        }
        const SHOWN: &str = "token_endpoint_auth_methods_supported";
        // Without a list it is the header (Discovery 1.0, 3).
        let client_shown = if has(SHOWN, "client_secret_basic") != Some(false) {
            ClientShown::Basic
        } else if has(SHOWN, "client_secret_post") == Some(true) {
            ClientShown::Post
        } else {
            let why = "the provider takes neither client_secret_basic nor client_secret_post";
            return Err(why.to_owned());
        };
        let names_itself = &document["authorization_response_iss_parameter_supported"];
        Ok(Self {
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            jwks_uri: endpoint("jwks_uri")?,
            client_shown,
            names_itself: names_itself == &Value::Bool(true),
        })
    }
}
