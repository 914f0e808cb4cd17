//! The settings of a server: typed, unknown keys refused.

pub mod provider;

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use provider::ProviderSettings;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// What `init` writes: every setting with its default, commented out.
pub const TEMPLATE: &str = include_str!("server.toml");

/// Where a proxy says whom a request comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum ClientHeader {
    #[default]
    #[serde(rename = "x-forwarded-for")]
    XForwardedFor,
    /// RFC 7239.
    #[serde(rename = "forwarded")]
    Forwarded,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where people connect.
    pub listen: SocketAddr,
    /// Where metrics and health are read.
    pub admin_listen: SocketAddr,
    /// Answers without TLS; for loopback addresses only.
    pub plain_http: bool,
    /// Certificate chain and key in PEM; beside the data file unless absolute.
    pub certificate: PathBuf,
    pub certificate_key: PathBuf,
    /// Where the agency's people connect; empty closes the desk.
    #[serde(deserialize_with = "unless_empty")]
    pub desk_listen: Option<SocketAddr>,
    /// Authorities in PEM: with them the desk speaks to clients with a certificate that one of them
    /// signed and to nobody else.
    #[serde(deserialize_with = "unless_empty")]
    pub desk_client_ca: Option<PathBuf>,
    /// Authorities in PEM: with them the admin listener speaks TLS, to clients with a certificate
    /// that one of them signed and to nobody else.
    #[serde(deserialize_with = "unless_empty")]
    pub admin_client_ca: Option<PathBuf>,
    /// The pair of the admin listener, if it is not that of people.
    #[serde(deserialize_with = "unless_empty")]
    pub admin_certificate: Option<PathBuf>,
    #[serde(deserialize_with = "unless_empty")]
    pub admin_certificate_key: Option<PathBuf>,
    /// Where people who come without TLS are sent on to it.
    #[serde(deserialize_with = "unless_empty")]
    pub redirect_listen: Option<SocketAddr>,
    /// Threads that answer requests; 0 for one a core.
    pub workers: usize,
    /// Connections at the same time; more wait in the listen queue.
    pub connections_max: usize,
    /// A request must arrive, and its answer leave, within this; a slower client is dropped.
    pub exchange_s: u32,
    /// Host names by which people reach this server; any, if there are none.
    pub hosts: Vec<String>,
    /// Proxies whose word on whom they speak for is taken.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they say whom a request comes from.
    pub client_header: ClientHeader,
    /// Networks that the four bounds below do not hold for.
    #[serde(deserialize_with = "networks")]
    pub exempt_networks: Vec<IpNet>,
    /// Connections of one address (IPv6: of one /64); 0 for an eighth of all.
    pub address_connections_max: usize,
    /// Connections of one /24 (IPv6: of one /48); 0 for a quarter of all.
    pub network_connections_max: usize,
    /// Requests a second from one address by people who are not in session.
    pub address_requests_per_s: u32,
    /// Requests a second from one network by people who are not in session.
    pub network_requests_per_s: u32,
    /// What all connections together may hold: requests that have not come whole, and answers that
    /// were not taken.
    pub held_mib_max: usize,
    /// The name of the record in its checkpoints, as a host and a path without a scheme; made from
    /// the key that the journal was founded with, if none is set. Never changed later: witnesses
    /// know the record by it.
    #[serde(deserialize_with = "unless_empty")]
    pub record_origin: Option<String>,
    /// `error`, `warn`, `info` or `debug`.
    pub log: String,
    /// The agency's own provider of accounts; without one nobody signs in elsewhere than here.
    pub provider: Option<ProviderSettings>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 9443)),
            plain_http: false,
            desk_listen: Some(SocketAddr::from(([127, 0, 0, 1], 7443))),
            desk_client_ca: None,
            certificate: PathBuf::from("certs/server.pem"),
            certificate_key: PathBuf::from("certs/server.key"),
            admin_client_ca: None,
            admin_certificate: None,
            admin_certificate_key: None,
            redirect_listen: None,
            workers: 0,
            connections_max: 100_000,
            // A 60 kB page at 2 kB/s.
            exchange_s: 30,
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            client_header: ClientHeader::XForwardedFor,
            exempt_networks: vec![
                IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
                IpNet::new_assert(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
            ],
            address_connections_max: 0,
            network_connections_max: 0,
            // A town of 20,000 people behind one address comes in ten seconds.
            address_requests_per_s: 1_000,
            network_requests_per_s: 4_000,
            // 5 kB a connection: most answers fit what the kernel keeps for the client.
            held_mib_max: 512,
            record_origin: None,
            log: "info".to_owned(),
            provider: None,
        }
    }
}

/// So many threads can answer requests.
const WORKERS_MAX: usize = 512;
/// As many connections as addresses have ports, a hundred times over.
const CONNECTIONS_MAX: usize = 10_000_000;
/// 1 TiB.
const HELD_MIB_MAX: usize = 1 << 20;

/// A name, or an address of IPv4, or one of IPv6 in brackets.
fn is_host_name(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').map(str::parse::<Ipv6Addr>);
        return matches!(address, Some(Ok(_)));
    }
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !host.is_empty() && host.bytes().all(letter) && !host.starts_with('.') && !host.ends_with('.')
}

/// Networks, each with its prefix, or a single address.
fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let read = |text: String| {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse().or_else(|_| address()).map_err(|_| {
            D::Error::custom(format!(
                "{text:?} is no network: write an address, or one with the length of its prefix, \
                 as \"10.0.0.1\" or \"10.0.0.0/8\""
            ))
        })
    };
    texts.into_iter().map(read).collect()
}

/// A setting that is not set when its text is empty.
fn unless_empty<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = text.parse();
    parsed
        .map(Some)
        .map_err(|why| D::Error::custom(format!("{text:?}: {why}")))
}

impl Config {
    /// Reads settings; the error names the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check()?;
        Ok(config)
    }

    /// What types can't say.
    pub fn check(&self) -> Result<(), String> {
        let desk = self.desk_listen.filter(|desk| !desk.ip().is_loopback());
        if let Some(desk) = desk.filter(|_| self.plain_http) {
            return Err(format!(
                "plain_http is for loopback only, but desk_listen is {desk}: passwords would cross \
                 the network unencrypted; set plain_http = false"
            ));
        }
        if self.plain_http && !self.listen.ip().is_loopback() {
            let listen = self.listen;
            return Err(format!(
                "plain_http is for loopback only, but listen is {listen}: people's names would \
                 cross the network unencrypted; set plain_http = false"
            ));
        }
        self.check_tls()?;
        if let Some(provider) = &self.provider {
            if self.desk_listen.is_none() {
                return Err(
                    "[provider] is set, but desk_listen is \"\", so the desk is closed: \
                     set desk_listen, or remove [provider]"
                        .to_owned(),
                );
            }
            provider.check()?;
        }
        let at_least_1 = [
            ("exchange_s", self.exchange_s as usize),
            ("connections_max", self.connections_max),
            (
                "address_requests_per_s",
                self.address_requests_per_s as usize,
            ),
            (
                "network_requests_per_s",
                self.network_requests_per_s as usize,
            ),
            ("held_mib_max", self.held_mib_max),
        ];
        if let Some((name, _)) = at_least_1.iter().find(|(_, value)| *value == 0) {
            return Err(format!("{name} must be at least 1"));
        }
        let at_most = [
            ("workers", self.workers, WORKERS_MAX),
            ("connections_max", self.connections_max, CONNECTIONS_MAX),
            ("held_mib_max", self.held_mib_max, HELD_MIB_MAX),
        ];
        if let Some((name, value, most)) = at_most.iter().find(|(_, value, most)| value > most) {
            return Err(format!("{name} is {value}: it can be {most} at the most"));
        }
        if let Some(host) = self.hosts.iter().find(|host| !is_host_name(host)) {
            return Err(format!(
                "hosts has {host:?}: write a name without scheme, port, path or final dot, as \
                 \"book.example.go.kr\""
            ));
        }
        let lists = [
            ("trusted_proxies", &self.trusted_proxies, "believed"),
            ("exempt_networks", &self.exempt_networks, "exempt"),
        ];
        for (name, networks, what) in lists {
            if let Some(network) = networks.iter().find(|network| network.prefix_len() == 0) {
                return Err(format!(
                    "{name} has {network}: everybody would be {what}; name the networks"
                ));
            }
        }
        let spoils = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
        if let Some(origin) = self
            .record_origin
            .as_ref()
            .filter(|name| name.contains(spoils))
        {
            return Err(format!(
                "record_origin is {origin:?}: write a host and a path without spaces and +, as \
                 \"book.example.go.kr/2021\""
            ));
        }
        if !["error", "warn", "info", "debug"].contains(&self.log.as_str()) {
            return Err(format!(
                "log is {:?}: use error, warn, info or debug",
                self.log
            ));
        }
        Ok(())
    }

    fn check_tls(&self) -> Result<(), String> {
        let wrong = if self.admin_certificate.is_some() != self.admin_certificate_key.is_some() {
            "admin_certificate and admin_certificate_key are one pair: set both, or none"
        } else if self.admin_certificate.is_some() && self.admin_client_ca.is_none() {
            "admin_certificate is set, but the admin listener speaks TLS only with \
             admin_client_ca: set it to the authority of monitoring's certificates"
        } else if self.redirect_listen.is_some() && self.plain_http {
            "redirect_listen is set, but with plain_http there is no TLS to send people to: set \
             plain_http = false"
        } else if self.redirect_listen.is_some() && self.hosts.is_empty() {
            "redirect_listen is set, but hosts is empty: name the hosts to which people may be \
             sent, as hosts = [\"book.example.go.kr\"]"
        } else {
            return Ok(());
        };
        Err(wrong.to_owned())
    }

    /// Threads that answer requests.
    pub fn workers(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        if self.workers == 0 {
            cores
        } else {
            self.workers
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_the_defaults() {
        assert_eq!(Config::parse(TEMPLATE), Ok(Config::default()));
        // Behind this line is an example of what is not set by default.
        let (settings, provider) = TEMPLATE.split_once("# [provider]").unwrap();
        let uncommented: String = settings
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|rest| rest.contains(" = "))
                    .unwrap_or(line)
            })
            .filter(|line| !line.starts_with('#'))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(uncommented.contains("workers = 0"));
        assert_eq!(Config::parse(&uncommented), Ok(Config::default()));
        let shown = provider.lines().filter_map(|line| line.strip_prefix("# "));
        let shown = shown.filter(|line| line.contains(" = ") || line.starts_with("[["));
        let shown: Vec<&str> = std::iter::once("[provider]").chain(shown).collect();
        let config = Config::parse(&shown.join("\n")).unwrap();
        assert_eq!(config.provider.unwrap().roles.len(), 2);
    }

    #[test]
    fn what_the_server_could_not_live_with_is_refused_with_the_setting_at_fault() {
        for wrong in [
            "workers = 513",
            "connections_max = 0",
            "connections_max = 288230376151711744",
            "held_mib_max = 17592186044416",
            "exchange_s = 0",
            "address_requests_per_s = 0",
            "hosts = [\"book.example:443\"]",
            "hosts = [\"https://book.example\"]",
            "hosts = [\"book.example.\"]",
            "hosts = [\"::1\"]",
            "hosts = [\"\"]",
            "trusted_proxies = [\"0.0.0.0/0\"]",
            "trusted_proxies = [\"10.0.0.0/33\"]",
            "trusted_proxies = [\"proxy\"]",
            "exempt_networks = [\"::/0\"]",
            "record_origin = \"book.example 2021\"",
            "record_origin = \"book.example+2021\"",
            "redirect_listen = \"0.0.0.0:80\"",
            "redirect_listen = \"0.0.0.0\"",
            "redirect_listen = \"127.0.0.1:80\"\nplain_http = true\nhosts = [\"a.kr\"]",
            "admin_certificate = \"a.pem\"\nadmin_client_ca = \"b.pem\"",
            "admin_certificate = \"a.pem\"\nadmin_certificate_key = \"a.key\"",
        ] {
            let (name, _) = wrong.split_once(' ').unwrap();
            let fault = Config::parse(wrong).unwrap_err();
            assert!(fault.contains(name), "{wrong}: {fault}");
        }
        let good = "hosts = [\"Book.example\", \"127.0.0.1\", \"[::1]\"]\n\
                    trusted_proxies = [\"10.0.0.1\", \"2001:db8::/32\"]";
        let config = Config::parse(good).unwrap();
        assert_eq!(config.trusted_proxies[0].to_string(), "10.0.0.1/32");
    }

    #[test]
    fn unknown_keys_and_plain_http_for_strangers_are_refused() {
        assert!(
            Config::parse("listn = \"127.0.0.1:1\"")
                .unwrap_err()
                .contains("listn")
        );
        let open = "plain_http = true\nlisten = \"0.0.0.0:80\"";
        assert!(Config::parse(open).unwrap_err().contains("loopback"));
    }
}
