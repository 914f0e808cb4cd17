//! The settings of sign-in at the agency's own provider (OpenID Connect): what of them can be
//! wrong, said before anybody is called.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;

use crate::domain::entry::Role;
use crate::domain::staff::{BOUNDS_MAX, Bounds};

/// Rows of the table of roles: some for each province and district.
const ROLES_MAX: usize = 1_000;
/// Letters of one setting.
const TEXT_BYTES_MAX: usize = 512;

/// The agency's own provider of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// As the provider's documents and tokens name it, letter by letter.
    pub issuer: String,
    pub client_id: String,
    /// Paths are relative to the data folder.
    pub client_secret_file: PathBuf,
    /// PEM; the only trust.
    pub authority: PathBuf,
    /// Where browsers reach the desk: scheme and host.
    pub desk_address: String,
    /// Where the provider has endpoints beside its issuer's host.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The claim that carries the roles; a dot leads into an object.
    pub roles_claim: String,
    /// What roles that change something need of `acr`; nothing if it is empty.
    #[serde(default)]
    pub acr: Vec<String>,
    /// What they need of `amr`; nothing if it is empty.
    #[serde(default)]
    pub amr: Vec<String>,
    /// The first whose value somebody has counts.
    pub roles: Vec<ProviderRole>,
}

/// What a value of the claim gives.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderRole {
    pub value: String,
    pub role: Role,
    #[serde(default)]
    pub campaigns: Vec<String>,
    #[serde(default)]
    pub provinces: Vec<String>,
    #[serde(default)]
    pub sites: Vec<String>,
}

impl ProviderRole {
    /// Where it holds.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            campaigns: self.campaigns.clone(),
            provinces: self.provinces.clone(),
            sites: self.sites.clone(),
        }
    }
}

/// Host and port of an https address, in small letters; none if it is no such address, or has a
/// user or a fragment in it.
pub fn https_host(address: &str) -> Option<String> {
    let rest = address.strip_prefix("https://")?;
    let is_fit = |byte: u8| byte.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&byte);
    if address.len() > TEXT_BYTES_MAX || !address.bytes().all(is_fit) {
        return None;
    }
    let host = rest.split(['/', '?']).next()?;
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    (super::is_host_name(name) && is_port).then(|| host.to_ascii_lowercase())
}

impl ProviderSettings {
    /// What types can't say.
    pub fn check(&self) -> Result<(), String> {
        let wrong = |name: &str, why: String| Err(format!("[provider] {name} {why}"));
        if https_host(&self.issuer).is_none() || self.issuer.contains('?') {
            let why = "write the address that the provider's documents name, with https:// and \
                       without ? and #, as \"https://login.example.go.kr/realms/agency\"";
            return wrong("issuer", format!("is {:?}: {why}", self.issuer));
        }
        let desk = self.desk_address.strip_prefix("https://");
        if https_host(&self.desk_address).is_none() || desk.is_some_and(|rest| rest.contains('/')) {
            let why = "write https:// and the host by which browsers reach the desk, without a \
                       path, as \"https://desk.example.go.kr\"";
            return wrong("desk_address", format!("is {:?}: {why}", self.desk_address));
        }
        let is_host = |host: &&String| https_host(&format!("https://{host}/")).is_some();
        if let Some(host) = self.hosts.iter().find(|host| !is_host(host)) {
            let why = "write a host, with its port if it is not 443, and no scheme or path";
            return wrong("hosts", format!("has {host:?}: {why}"));
        }
        let is_text = |text: &str| {
            let graphic = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
            !text.is_empty() && text.len() <= TEXT_BYTES_MAX && text.bytes().all(graphic)
        };
        for (name, text) in [
            ("client_id", &self.client_id),
            ("roles_claim", &self.roles_claim),
        ] {
            if !is_text(text) {
                let why = format!("is {text:?}: write 1 to {TEXT_BYTES_MAX} letters of ASCII");
                return wrong(name, why);
            }
        }
        if self.roles_claim.split('.').any(str::is_empty) {
            let why = "a dot leads into an object, so a name stands on both sides of it";
            return wrong("roles_claim", format!("is {:?}: {why}", self.roles_claim));
        }
        self.check_roles()
    }

    fn check_roles(&self) -> Result<(), String> {
        let wrong = |why: String| Err(format!("[[provider.roles]] {why}"));
        if self.roles.is_empty() {
            let why = "is missing, so nobody could sign in: add a value of the claim and the role \
                       that it gives";
            return wrong(why.to_owned());
        }
        if self.roles.len() > ROLES_MAX {
            let count = self.roles.len();
            return wrong(format!("stands there {count} times: at most {ROLES_MAX}"));
        }
        let mut seen = BTreeSet::new();
        for row in &self.roles {
            let value = &row.value;
            if value.is_empty() || !seen.insert(value) {
                return wrong(format!(
                    "has the value {value:?} empty or twice: only the first would count; remove \
                     one of them"
                ));
            }
            if row.role == Role::Site && row.sites.is_empty() {
                return wrong(format!(
                    "{value:?} gives the role `site` without sites: name at least one in sites"
                ));
            }
            let bounds = row.campaigns.len() + row.provinces.len() + row.sites.len();
            if bounds > BOUNDS_MAX {
                return wrong(format!(
                    "{value:?} names {bounds} campaigns, provinces and sites: at most {BOUNDS_MAX}"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    const GOOD: &str = "[provider]\n\
        issuer = \"https://login.example:8443/realms/agency\"\n\
        client_id = \"desk\"\n\
        client_secret_file = \"secret\"\n\
        authority = \"ca.pem\"\n\
        desk_address = \"https://desk.example\"\n\
        roles_claim = \"realm_access.roles\"\n\
        hosts = []\n\
        [[provider.roles]]\n\
        value = \"op\"\n\
        role = \"operator\"\n";

    #[test]
    fn settings_of_the_provider_are_refused_with_the_setting_at_fault() {
        assert!(Config::parse(GOOD).unwrap().provider.is_some());
        for (line, wrong) in [
            ("issuer = \"https://login", "issuer = \"http://login"),
            ("/realms/agency", "/realms?x=1"),
            ("/realms/agency", "/realms#x"),
            ("https://login.example:8443", "https://me@login.example"),
            ("https://login.example:8443", "https://login.example:0"),
            ("https://login.example:8443", "https://"),
            ("client_id = \"desk\"", "client_id = \"\""),
            ("https://desk.example", "http://desk.example"),
            ("https://desk.example", "https://desk.example/"),
            ("https://desk.example", "desk.example"),
            ("realm_access.roles", "realm_access..roles"),
            ("roles_claim = \"realm_access.roles\"", "roles_claim = \"\""),
            ("hosts = []", "hosts = [\"https://a.example\"]"),
            ("value = \"op\"", "value = \"\""),
            ("role = \"operator\"", "role = \"boss\""),
            ("role = \"operator\"", "role = \"site\""),
            ("role = \"operator\"", "rolle = \"operator\""),
        ] {
            let text = GOOD.replacen(line, wrong, 1);
            assert_ne!(text, GOOD, "{line}");
            let fault = Config::parse(&text).unwrap_err();
            let (name, _) = wrong.split_once(" = ").unwrap_or((wrong, ""));
            let is_named = fault.contains("provider") || fault.contains(name);
            assert!(is_named, "{wrong}: {fault}");
        }
        let twice = format!("{GOOD}[[provider.roles]]\nvalue = \"op\"\nrole = \"auditor\"\n");
        assert!(Config::parse(&twice).unwrap_err().contains("\"op\""));
        let (none, _) = GOOD.split_once("[[").unwrap();
        assert!(Config::parse(none).unwrap_err().contains("roles"));
        let closed = format!("desk_listen = \"\"\n{GOOD}");
        assert!(Config::parse(&closed).unwrap_err().contains("desk_listen"));
    }
}
