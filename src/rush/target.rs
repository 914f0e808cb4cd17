//! The server of a rush: its address, what it trusts, and what it says of itself.

use std::net::ToSocketAddrs as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use serde_json::Value;

use super::http::{call, push_get};
use super::wire::Way;
use crate::tls::read_chain;

/// Between two looks at the server's clock.
const LOOK_APART: Duration = Duration::from_millis(500);

/// Where a server is, from its URL.
///
/// # Errors
/// In words for the operator: what is wrong with the URL, or that it is not this host's.
pub fn find(url: &str, ca: Option<&Path>, is_own: bool) -> anyhow::Result<Way> {
    let (scheme, rest) = url
        .split_once("://")
        .with_context(|| format!("{url} is no address: write it as http://127.0.0.1:8021"))?;
    let rest = rest.trim_end_matches('/');
    ensure!(!rest.contains('/'), "{url}: leave the path away");
    let port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => bail!("{url}: the address begins with http:// or https://"),
    };
    let has_port = rest
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let with_port = if has_port {
        rest.to_owned()
    } else {
        format!("{rest}:{port}")
    };
    let found = with_port.to_socket_addrs();
    let mut found = found.with_context(|| format!("{url}: no such host"))?;
    let address = found
        .next()
        .with_context(|| format!("{url}: no such host"))?;
    let loopback = address.ip().is_loopback() && found.all(|other| other.ip().is_loopback());
    if !loopback && !is_own {
        bail!(
            "{url} is {address}, not this machine: a rush is an attack on a host that is not \
             yours; if it is yours, say so with --this-host-is-mine"
        );
    }
    if scheme == "http" {
        return Ok(Way { address, tls: None });
    }
    let ca = ca.with_context(|| {
        format!(
            "{url} needs a certificate to trust: give --ca FILE.pem, or --data DIR of its server"
        )
    })?;
    let mut roots = RootCertStore::empty();
    for certificate in read_chain(ca)? {
        let added = roots.add(certificate);
        added.with_context(|| format!("{} can't be trusted", ca.display()))?;
    }
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let host = with_port.rsplit_once(':').map_or("", |(host, _)| host);
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let name = ServerName::try_from(host).with_context(|| format!("{url}: no host name"))?;
    Ok(Way {
        address,
        tls: Some((Arc::new(config), name)),
    })
}

/// The server's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time {
    pub now: Timestamp,
    pub simulated: bool,
    /// Its seconds for one of ours.
    pub speed: f64,
}

/// What anyone can ask a server.
pub struct Server {
    pub way: Way,
    pub url: String,
}

impl Server {
    /// The server as its address names it, with its port if it is not the usual one.
    pub fn host(&self) -> &str {
        self.url.split_once("://").map_or("", |(_, host)| host)
    }

    pub fn get(&self, path: &str) -> anyhow::Result<(u16, Value)> {
        let mut ask = Vec::new();
        push_get(&mut ask, path, "");
        let url = &self.url;
        let (status, body) = call(&self.way, &ask).with_context(|| {
            format!(
                "{url} does not answer: start a server, for example with `sumun demo \
                 --plain-http`, and check http or https"
            )
        })?;
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Ok((status, json))
    }

    pub fn time(&self) -> anyhow::Result<Time> {
        let look = || -> anyhow::Result<(Timestamp, bool)> {
            let (_, now) = self.get("/api/v1/now")?;
            let at = now["now"].as_str().and_then(|text| text.parse().ok());
            let url = &self.url;
            let at =
                at.with_context(|| format!("{url} is no Sumun server: /api/v1/now says {now}"))?;
            Ok((at, now["simulated"] == true))
        };
        let (first, simulated) = look()?;
        let mut speed = 1.0;
        let mut now = first;
        if simulated {
            let began = crate::clock::tick();
            std::thread::sleep(LOOK_APART);
            (now, _) = look()?;
            let passed_s = began.elapsed().as_secs_f64();
            speed = (now.duration_since(first).as_secs_f64() / passed_s * 50.0).round() / 50.0;
        }
        Ok(Time {
            now,
            simulated,
            speed,
        })
    }

    /// The campaign of that name as the server shows it.
    pub fn campaign(&self, id: &str) -> anyhow::Result<Value> {
        let (status, campaign) = self.get(&format!("/api/v1/campaigns/{id}"))?;
        ensure!(
            status == 200,
            "{} has no campaign {id} (status {status}): name one with --campaign ID",
            self.url
        );
        Ok(campaign)
    }

    /// What the rules say of a birth date now: `answer`, and when an opening comes.
    pub fn opening_of(
        &self,
        campaign: &str,
        born: &str,
    ) -> anyhow::Result<(String, Option<Timestamp>)> {
        let path = format!("/api/v1/campaigns/{campaign}/openings?birth_date={born}");
        let (status, said) = self.get(&path)?;
        ensure!(status == 200, "{}{path} answers {status}: {said}", self.url);
        let answer = said["answer"].as_str().unwrap_or_default().to_owned();
        let opens_at = said["opens_at"].as_str().and_then(|text| text.parse().ok());
        Ok((answer, opens_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_unless_it_is_ones_own() {
        for own in [
            "http://127.0.0.1:8021",
            "http://localhost:1/",
            "http://[::1]:9",
        ] {
            assert!(find(own, None, false).is_ok(), "{own}");
        }
        let far = find("http://192.0.2.7:80", None, false).unwrap_err();
        assert!(far.to_string().contains("--this-host-is-mine"), "{far}");
        assert!(find("http://192.0.2.7:80", None, true).is_ok());
    }

    #[test]
    fn says_what_is_wrong_with_an_address() {
        for (url, hint) in [
            ("127.0.0.1:8021", "http://127.0.0.1:8021"),
            ("ftp://127.0.0.1", "http://"),
            ("http://127.0.0.1:1/api", "path"),
            ("https://127.0.0.1:1", "--ca"),
        ] {
            let said = find(url, None, false).unwrap_err().to_string();
            assert!(said.contains(hint), "{said}");
        }
    }
}
