//! Certificates as operators replace them and clients meet them: what is served, what is refused
//! and in which words, at start and while serving.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use serde_json::Value;
use sumun::clock::wall;

use super::world::{Server, World, text};

/// The desk is closed, so that each certificate has one listener.
const SETTINGS: &str = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
                        desk_listen = \"\"\n";
const DAY_S: i64 = 86_400;

/// A world that serves over TLS; `extra` settings behind those.
fn world(extra: &str) -> World {
    let world = World::new(1);
    world.write("server.toml", &format!("{SETTINGS}{extra}"));
    world
}

/// An authority of a test, and what it signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = params(&[], -1, 100);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// A certificate for localhost and that key, valid between those days from now.
    fn sign(&self, key: &KeyPair, from_days: i64, until_days: i64) -> String {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = params(&names, from_days, until_days);
        params.signed_by(key, &self.issuer).unwrap().pem()
    }

    fn client(&self) -> (String, String) {
        let key = new_key();
        let mut params = params(&["monitoring".to_owned()], -1, 10);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        (signed.pem(), key.serialize_pem())
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap()
}

fn params(names: &[String], from_days: i64, until_days: i64) -> CertificateParams {
    let mut params = CertificateParams::new(names).unwrap();
    let at = |days: i64| {
        // An hour less, so that whole days are the same during all of a test.
        let s = wall().unix_s() + days * DAY_S - 3_600;
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(s as u64)
    };
    (params.not_before, params.not_after) = (at(from_days), at(until_days));
    params
}

/// Replaces a file as an operator should: whole, by rename.
fn put(path: &Path, text: &str, mode: u32) {
    let part = path.with_extension("part");
    fs::write(&part, text).unwrap();
    fs::set_permissions(&part, fs::Permissions::from_mode(mode)).unwrap();
    fs::rename(&part, path).unwrap();
}

struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn of(world: &World) -> Self {
        Self {
            certificate: world.path("certs/server.pem"),
            key: world.path("certs/server.key"),
        }
    }

    fn put(&self, certificate: &str, key: &str) {
        put(&self.key, key, 0o600);
        put(&self.certificate, certificate, 0o644);
    }
}

fn client(trusted: &str, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    client_with(trusted, versions, None)
}

fn client_with(
    trusted: &str,
    versions: &[&'static SupportedProtocolVersion],
    own: Option<(String, String)>,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(trusted.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let building = ClientConfig::builder_with_provider(ring)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match own {
        None => building.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            building.with_client_auth_cert(chain, key).unwrap()
        }
    })
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn connect(config: &Arc<ClientConfig>, address: SocketAddr) -> io::Result<Tls> {
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    let tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(StreamOwned::new(connection, tcp))
}

/// Asks on a connection; the whole answer.
fn ask(tls: &mut impl ReadWrite, path: &str) -> io::Result<String> {
    tls.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    loop {
        let mut part = [0; 4096];
        let came = tls.read(&mut part)?;
        if came == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&part[..came]);
        let so_far = text(&answer);
        if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
                return Ok(so_far);
            }
        }
    }
}

trait ReadWrite: io::Read + io::Write {}
impl<T: io::Read + io::Write> ReadWrite for T {}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12, &rustls::version::TLS13];

/// The certificate that a new connection is shown.
fn shown(trusted: &str, server: &Server) -> CertificateDer<'static> {
    shown_at(trusted, server.public)
}

fn shown_at(trusted: &str, address: SocketAddr) -> CertificateDer<'static> {
    let mut tls = connect(&client(trusted, BOTH), address).unwrap();
    assert!(
        ask(&mut tls, "/healthz")
            .unwrap()
            .starts_with("HTTP/1.1 200")
    );
    tls.conn.peer_certificates().unwrap()[0]
        .clone()
        .into_owned()
}

fn first(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// Waits until the log has so many lines with those words, and gives the last.
fn logged(server: &Server, words: &str, times: usize) -> String {
    for _ in 0..600 {
        let lines = server.log.lock().unwrap().clone();
        let found: Vec<_> = lines.iter().filter(|line| line.contains(words)).collect();
        if found.len() >= times {
            return found[found.len() - 1].clone();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!(
        "not {times} times {words:?} in {:#?}",
        server.log.lock().unwrap()
    );
}

/// Runs openssl, which `tests/all` installs.
fn openssl(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).output();
    let output = output.expect("openssl is there: tests/all installs it");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        text(&output.stderr)
    );
    output.stdout
}

fn rsa_key() -> String {
    let kind = [
        "genpkey",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:2048",
    ];
    text(&openssl(&kind))
}

#[test]
fn p256_and_rsa_certificates_are_served_in_tls_1_2_and_1_3() {
    let world = world("");
    let authority = Authority::new("kinds");
    let pair = Pair::of(&world);
    let rsa = KeyPair::from_pem(&rsa_key()).unwrap();
    // The older forms of a private key, as openssl wrote them for long.
    let file = world.write("rsa.pem", &rsa.serialize_pem());
    let old_rsa = openssl(&["rsa", "-traditional", "-in", file.to_str().unwrap()]);
    let p256 = new_key();
    let file = world.write("p256.pem", &p256.serialize_pem());
    let old_p256 = openssl(&["ec", "-in", file.to_str().unwrap()]);
    for (key, written) in [
        (&p256, p256.serialize_pem()),
        (&p256, text(&old_p256)),
        (&rsa, rsa.serialize_pem()),
        (&rsa, text(&old_rsa)),
    ] {
        let certificate = authority.sign(key, -1, 90);
        pair.put(&certificate, &written);
        let server = world.serve();
        for version in BOTH {
            let config = client(&authority.pem, &[version]);
            let mut tls = connect(&config, server.public).unwrap();
            let answer = ask(&mut tls, "/healthz").unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert_eq!(tls.conn.protocol_version(), Some(version.version));
            assert_eq!(
                tls.conn.peer_certificates().unwrap()[0],
                first(&certificate)
            );
            // On loopback no browser is told to use nothing but TLS.
            assert!(!answer.contains("strict-transport-security"), "{answer}");
        }
        // A request for either kind of key fits the key.
        let request = world.ok(&["certs", "request", "--name", "book.example.go.kr"]);
        let file = world.write("request.csr", request["request"].as_str().unwrap());
        let file = file.to_str().unwrap().to_owned();
        openssl(&["req", "-in", &file, "-noout", "-verify"]);
        let shown = text(&openssl(&[
            "req", "-in", &file, "-noout", "-text", "-pubkey",
        ]));
        assert!(shown.contains("DNS:book.example.go.kr"), "{shown}");
        let own = openssl(&["pkey", "-in", pair.key.to_str().unwrap(), "-pubout"]);
        assert!(shown.contains(&text(&own)), "{shown}");
    }
}

/// An expired certificate was served with `INFO ready`, SIGHUP put it in the place of a good one,
/// and a key of mode 0644 was not mentioned. Each fault now refuses a start and keeps the pair in
/// use at a reload, in words with the file, the reason and what to do.
#[test]
fn what_is_not_fit_is_refused_at_start_and_keeps_the_pair_in_use_at_a_reload() {
    let world = world("");
    let pair = Pair::of(&world);
    let authority = Authority::new("faults");
    let (key, other) = (new_key(), new_key());
    let (good, key_text) = (authority.sign(&key, -1, 90), key.serialize_pem());
    pair.put(&good, &key_text);
    let server = world.serve();
    let file = world.write("plain.pem", &key_text);
    let encrypt = [
        "pkcs8",
        "-topk8",
        "-passout",
        "pass:secret",
        "-in",
        file.to_str().unwrap(),
    ];
    let encrypted = text(&openssl(&encrypt));
    let encrypt = [
        "ec",
        "-aes128",
        "-passout",
        "pass:secret",
        "-in",
        file.to_str().unwrap(),
    ];
    let encrypted_old = text(&openssl(&encrypt));
    let small = [
        "genpkey",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:1024",
    ];
    let small = text(&openssl(&small));
    let other_first = format!("{}{good}", authority.sign(&other, -1, 90));
    let expired = authority.sign(&key, -10, -1);
    let early = authority.sign(&key, 1, 10);
    let mismatch = authority.sign(&other, -1, 90);
    let cut = &good[..good.len() / 2];
    let cut_key = &key_text[..key_text.len() / 2];
    let no_der = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    // Certificate, key, the key's mode, and words of the refusal.
    let faults: &[(&str, &str, u32, &[&str])] = &[
        (
            &expired,
            &key_text,
            0o600,
            &["has expired on 20", "server.pem", "certs renew"],
        ),
        (
            &early,
            &key_text,
            0o600,
            &["is not valid before 20", "server.pem", "clock"],
        ),
        (
            &mismatch,
            &key_text,
            0o600,
            &["does not belong to", "server.key", "server.pem"],
        ),
        (
            &other_first,
            &key_text,
            0o600,
            &["it belongs to certificate 2", "must be first"],
        ),
        (
            &good,
            &encrypted,
            0o600,
            &["is encrypted", "openssl pkey -in", "server.key"],
        ),
        (
            &good,
            &encrypted_old,
            0o600,
            &["is encrypted", "openssl pkey -in"],
        ),
        (
            &good,
            &key_text,
            0o644,
            &["can be read by others", "mode 0644", "chmod 0600"],
        ),
        (
            &good,
            &key_text,
            0o604,
            &["can be read by others", "mode 0604"],
        ),
        (&good, &key_text, 0o660, &["mode 0660", "chmod 0600"]),
        (cut, &key_text, 0o600, &["server.pem", "it may be cut"]),
        (
            &good,
            cut_key,
            0o600,
            &["server.key", "holds no private key", "it may be cut"],
        ),
        (
            "",
            &key_text,
            0o600,
            &["server.pem holds no certificate in PEM"],
        ),
        (
            &key_text,
            &key_text,
            0o600,
            &["server.pem holds no certificate in PEM"],
        ),
        (
            &good,
            &good,
            0o600,
            &["server.key holds no private key in PEM"],
        ),
        (
            no_der,
            &key_text,
            0o600,
            &["certificate 1 in", "is no X.509"],
        ),
        (
            &good,
            &small,
            0o600,
            &["server.key can't be used", "RSA of 2048"],
        ),
    ];
    for (at, (certificate, key, mode, words)) in faults.iter().enumerate() {
        put(&pair.key, key, *mode);
        put(&pair.certificate, certificate, 0o644);
        server.signal("HUP");
        let told = logged(&server, "was not reloaded", at + 1);
        let started = world.run(&["serve"]);
        let doctor = world.run(&["doctor", "--json"]);
        let doctor: Value = serde_json::from_slice(&doctor.stdout).unwrap();
        let mut checks = doctor["checks"].as_array().unwrap().iter();
        let doctor = checks
            .find(|check| check["check"] == "certificate")
            .unwrap();
        assert_eq!(doctor["ok"], false, "{doctor}");
        let refusals = [
            ("reload", told),
            ("doctor", doctor["detail"].as_str().unwrap().to_owned()),
            ("start", text(&started.stderr)),
        ];
        for (when, refusal) in refusals {
            // The data file is in use by the server: a start gets no further here.
            if when == "start" && refusal.contains("in use") {
                continue;
            }
            for word in *words {
                assert!(refusal.contains(word), "{when} {at}: {word:?} in {refusal}");
            }
        }
        assert_eq!(shown(&authority.pem, &server), first(&good), "fault {at}");
    }
    // Gone altogether.
    fs::remove_file(&pair.key).unwrap();
    server.signal("HUP");
    let told = logged(&server, "was not reloaded", faults.len() + 1);
    assert!(
        told.contains("can't read the key") && told.contains("sumun init"),
        "{told}"
    );
    assert_eq!(shown(&authority.pem, &server), first(&good));
    assert_eq!(server.stop().code(), Some(0));
    for (at, (certificate, key, mode, words)) in faults.iter().enumerate() {
        put(&pair.key, key, *mode);
        put(&pair.certificate, certificate, 0o644);
        let started = world.run(&["serve"]);
        let refusal = text(&started.stderr);
        assert_eq!(started.status.code(), Some(1), "{refusal}");
        for word in *words {
            assert!(refusal.contains(word), "start {at}: {word:?} in {refusal}");
        }
        assert!(!refusal.contains("\"ready\""), "{refusal}");
    }
    // What a group may read is fine.
    put(&pair.key, &key_text, 0o640);
    put(&pair.certificate, &good, 0o644);
    world.serve();
}

#[test]
fn pairs_are_replaced_under_load_and_no_request_fails() {
    let world = world("");
    let pair = Pair::of(&world);
    let authority = Authority::new("load");
    let pairs: Vec<_> = (0..20)
        .map(|_| {
            let key = new_key();
            (authority.sign(&key, -1, 90), key.serialize_pem())
        })
        .collect();
    pair.put(&pairs[0].0, &pairs[0].1);
    let server = world.serve();
    let done = AtomicBool::new(false);
    let [kept, new] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    std::thread::scope(|scope| {
        for at in 0..4 {
            let (done, kept, new, server, authority) = (&done, &kept, &new, &server, &authority);
            scope.spawn(move || {
                let config = client(&authority.pem, if at == 0 { &BOTH[..1] } else { BOTH });
                let mut standing = connect(&config, server.public).unwrap();
                while !done.load(Ordering::Relaxed) {
                    let answer = ask(&mut standing, "/healthz").unwrap();
                    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                    kept.fetch_add(1, Ordering::Relaxed);
                    // A client of its own every second time: no ticket shortens its handshake.
                    let fresh = client(&authority.pem, BOTH);
                    let config = if at % 2 == 0 { &config } else { &fresh };
                    let mut tls = connect(config, server.public).unwrap();
                    let answer = ask(&mut tls, "/healthz").unwrap();
                    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                    new.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
        }
        for (at, (certificate, key)) in pairs.iter().enumerate().skip(1) {
            // The new certificate beside the old key, and half a file, each with a reload.
            put(&pair.certificate, certificate, 0o644);
            server.signal("HUP");
            logged(&server, "was not reloaded", 2 * at - 1);
            fs::write(&pair.key, &key[..key.len() / 2]).unwrap();
            server.signal("HUP");
            logged(&server, "was not reloaded", 2 * at);
            assert_eq!(shown(&authority.pem, &server), first(&pairs[at - 1].0));
            put(&pair.key, key, 0o600);
            server.signal("HUP");
            logged(&server, "was reloaded", at);
            assert_eq!(shown(&authority.pem, &server), first(certificate));
        }
        done.store(true, Ordering::Relaxed);
    });
    let (kept, new) = (kept.into_inner(), new.into_inner());
    assert!(
        kept + new >= 200,
        "{kept} on kept connections, {new} on new ones"
    );
}

#[test]
fn the_desk_shows_the_certificate_that_was_put_there_last() {
    let world = world("");
    let open = SETTINGS.replace("desk_listen = \"\"", "desk_listen = \"127.0.0.1:0\"");
    world.write("server.toml", &open);
    let pair = Pair::of(&world);
    let authority = Authority::new("desk");
    let pairs = [0, 1].map(|_| {
        let key = new_key();
        (authority.sign(&key, -1, 90), key.serialize_pem())
    });
    pair.put(&pairs[0].0, &pairs[0].1);
    let server = world.serve();
    let desk = super::desk::desk(&server);
    assert_eq!(shown_at(&authority.pem, desk), first(&pairs[0].0));
    pair.put(&pairs[1].0, &pairs[1].1);
    server.signal("HUP");
    logged(&server, "was reloaded", 2);
    assert_eq!(shown_at(&authority.pem, desk), first(&pairs[1].0));
}

#[test]
fn the_end_of_a_certificate_is_told_from_thirty_days_before_it() {
    let world = world("");
    let pair = Pair::of(&world);
    let authority = Authority::new("end");
    let key = new_key();
    let chain = |days| authority.sign(&key, -1, days) + &authority.pem;
    let checked = || {
        let doctor = world.run(&["doctor", "--json"]);
        let doctor: Value = serde_json::from_slice(&doctor.stdout).unwrap();
        let checks = doctor["checks"].as_array().unwrap().clone();
        checks
            .into_iter()
            .find(|check| check["check"] == "certificate")
            .unwrap()
    };
    pair.put(&chain(60), &key.serialize_pem());
    assert_eq!(
        (&checked()["ok"], &checked()["warns"]),
        (&true.into(), &false.into())
    );
    let server = world.serve();
    let metric = |server: &Server| {
        let mut admin = TcpStream::connect(server.admin).unwrap();
        let metrics = ask(&mut admin, "/metrics").unwrap();
        let name = "sumun_tls_certificate_expires_timestamp_seconds{listener=\"public\"} ";
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix(name).map(str::to_owned));
        line.unwrap_or_else(|| panic!("{metrics}"))
            .parse::<i64>()
            .unwrap()
    };
    let now_s = wall().unix_s();
    let days = |ends_s: i64| (ends_s - now_s + DAY_S / 2) / DAY_S;
    assert_eq!(days(metric(&server)), 60);
    put(&pair.certificate, &chain(20), 0o644);
    server.signal("HUP");
    let told = logged(&server, "ends in 19 days", 1);
    assert!(told.contains("WARN") && told.contains("renew it"), "{told}");
    assert_eq!(days(metric(&server)), 20);
    let mut tls = connect(&client(&authority.pem, BOTH), server.public).unwrap();
    let ready = ask(&mut tls, "/readyz").unwrap();
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert!(
        ready.contains("certificate of the public listener ends in 19 days"),
        "{ready}"
    );
    drop(server);
    let found = checked();
    assert_eq!(
        (&found["ok"], &found["warns"]),
        (&true.into(), &true.into()),
        "{found}"
    );
    assert!(
        found["detail"]
            .as_str()
            .unwrap()
            .contains("ends in 19 days"),
        "{found}"
    );
    let server = world.serve();
    logged(&server, "ends in 19 days", 1);
    // The authority at the end of the chain is in the file and not sent.
    let mut tls = connect(&client(&authority.pem, BOTH), server.public).unwrap();
    ask(&mut tls, "/healthz").unwrap();
    assert_eq!(tls.conn.peer_certificates().unwrap().len(), 1);
    // A chain that clients can't follow is told as well, and served.
    let strange = Authority::new("strange");
    put(
        &pair.certificate,
        &(authority.sign(&key, -1, 60) + &strange.pem),
        0o644,
    );
    server.signal("HUP");
    logged(&server, "certificate 1 in", 1);
    put(&pair.certificate, &authority.sign(&key, -1, 60), 0o644);
    server.signal("HUP");
    logged(&server, "holds the server's certificate alone", 1);
}

#[test]
fn a_folder_has_an_authority_that_renews_and_another_s_certificate_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let world = World { folder };
    world.ok(&["init", "--name", "book.example.go.kr", "--name", "10.1.2.3"]);
    let names = [
        "book.example.go.kr",
        "10.1.2.3",
        "localhost",
        "127.0.0.1",
        "::1",
    ];
    let shown = world.ok(&["certs", "show"]);
    assert_eq!(shown["chain"][0]["names"], serde_json::json!(names));
    // 365 days in all, one of them before now.
    let days = shown["chain"][0]["days_left"].as_i64().unwrap();
    assert!((363..=364).contains(&days), "{days}");
    assert_eq!(shown["fault"], Value::Null);
    assert_eq!(shown["warnings"], serde_json::json!([]));
    let mode = |name: &str| fs::metadata(world.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode("certs/server.key"), mode("certs/authority.key")),
        (0o600, 0o600)
    );
    let path = |name: &str| world.path(name).display().to_string();
    openssl(&[
        "verify",
        "-CAfile",
        &path("certs/authority.pem"),
        &path("certs/server.pem"),
    ]);
    let said = |name: &str| text(&openssl(&["x509", "-in", &path(name), "-noout", "-text"]));
    let authority = said("certs/authority.pem");
    assert!(authority.contains("CA:TRUE, pathlen:0"), "{authority}");
    assert!(said("certs/server.pem").contains("TLS Web Server Authentication"));
    let key = fs::read(world.path("certs/server.key")).unwrap();
    // Renewed for the same names and the same key, then for others and a new one.
    let renewed = world.ok(&["certs", "renew"]);
    assert_eq!(renewed["names"], shown["chain"][0]["names"]);
    assert_ne!(renewed["sha256"], shown["chain"][0]["sha256"]);
    assert_eq!(fs::read(world.path("certs/server.key")).unwrap(), key);
    let renewed = world.ok(&["certs", "renew", "--name", "a.kr", "--new-key"]);
    assert_eq!(renewed["names"][0], "a.kr");
    assert_ne!(fs::read(world.path("certs/server.key")).unwrap(), key);
    assert_eq!(mode("certs/server.key"), 0o600);
    openssl(&[
        "verify",
        "-CAfile",
        &path("certs/authority.pem"),
        &path("certs/server.pem"),
    ]);
    // A request to a file and for a new key; neither is written over.
    let out = path("book.csr");
    let request = [
        "certs",
        "request",
        "--name",
        "a.kr",
        "--new-key",
        "--out",
        &out,
    ];
    let told = world.ok(&request);
    assert_eq!(told["key"], path("certs/server.key.new"));
    assert_eq!(mode("certs/server.key.new"), 0o600);
    openssl(&["req", "-in", &out, "-noout", "-verify"]);
    let again = world.run(&request);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        text(&again.stderr).contains("exists already"),
        "{}",
        text(&again.stderr)
    );
    let wrong = world.run(&["certs", "request", "--name", "https://a.kr"]);
    assert!(
        text(&wrong.stderr).contains("is no name"),
        "{}",
        text(&wrong.stderr)
    );
    // The agency's certificate is not replaced.
    let (other, own_key) = (Authority::new("agency"), new_key());
    Pair::of(&world).put(&other.sign(&own_key, -1, 90), &own_key.serialize_pem());
    let refused = world.run(&["certs", "renew"]);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    assert!(
        told.contains("CN=agency") && told.contains("certs request"),
        "{told}"
    );
}

#[test]
fn the_admin_listener_wants_a_certificate_of_its_authority() {
    let world = world("admin_client_ca = \"clients.pem\"\n");
    let (clients, strangers) = (Authority::new("clients"), Authority::new("strangers"));
    let missing = world.run(&["serve"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        text(&missing.stderr).contains("clients.pem"),
        "{}",
        text(&missing.stderr)
    );
    put(&world.path("clients.pem"), &clients.pem, 0o644);
    let server = world.serve();
    let trusted = fs::read_to_string(world.path("certs/authority.pem")).unwrap();
    let own = clients.client();
    let metrics = |own: Option<(String, String)>, version| {
        let config = client_with(&trusted, &[version], own);
        connect(&config, server.admin).and_then(|mut tls| ask(&mut tls, "/metrics"))
    };
    for version in BOTH {
        let answer = metrics(Some(own.clone()), *version).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let label = "expires_timestamp_seconds{listener=\"admin\"}";
        assert!(answer.contains(label), "{answer}");
        metrics(None, *version).unwrap_err();
        metrics(Some(strangers.client()), *version).unwrap_err();
    }
    // Not without TLS either.
    let mut plain = TcpStream::connect(server.admin).unwrap();
    let answer = ask(&mut plain, "/metrics").unwrap_or_default();
    assert!(!answer.contains("200 OK"), "{answer}");
    // Another authority: a reload is enough, and nobody comes back with a ticket.
    put(&world.path("clients.pem"), &strangers.pem, 0o644);
    server.signal("HUP");
    logged(&server, "was reloaded", 2);
    metrics(Some(own), BOTH[1]).unwrap_err();
    metrics(Some(strangers.client()), BOTH[1]).unwrap();
    put(&world.path("clients.pem"), "nothing", 0o644);
    server.signal("HUP");
    assert!(logged(&server, "was not reloaded", 1).contains("clients.pem"));
    metrics(Some(strangers.client()), BOTH[1]).unwrap();
}

#[test]
fn requests_without_tls_are_sent_on_to_it_and_nowhere_else() {
    let world =
        world("redirect_listen = \"127.0.0.1:0\"\nhosts = [\"book.example\", \"localhost\"]\n");
    let server = world.serve();
    let line = logged(&server, "are sent on to it", 1);
    let line: Value = serde_json::from_str(&line).unwrap();
    let address: SocketAddr = line["redirect"].as_str().unwrap().parse().unwrap();
    let send = |request: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        text(&answer)
    };
    let sent = send("GET /ko/a?b=1 HTTP/1.1\r\nHost: Book.example:80\r\n\r\n");
    assert!(sent.starts_with("HTTP/1.1 308 "), "{sent}");
    assert!(
        sent.contains("\r\nlocation: https://book.example/ko/a?b=1\r\n"),
        "{sent}"
    );
    assert!(sent.contains("\r\nconnection: close\r\n"), "{sent}");
    // RFC 6797, 7.2: not over plain HTTP.
    assert!(!sent.contains("strict-transport-security"), "{sent}");
    let form = "POST /x HTTP/1.0\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na=b";
    assert!(send(form).contains("\r\nlocation: https://localhost/x\r\n"));
    // Also what the public listener answers by itself.
    for path in [
        "/healthz",
        "/metrics",
        "/api/v1/campaigns/test-open/bookings",
    ] {
        let sent = send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert!(sent.starts_with("HTTP/1.1 308 "), "{sent}");
    }
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421"),
        (
            "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "421",
        ),
        ("GET / HTTP/1.0\r\n\r\n", "421"),
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        (
            "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
            "400",
        ),
        ("GET /\rx HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"),
        (
            "GET /a\nlocation:x HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "400",
        ),
        ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"),
    ] {
        let sent = send(request);
        assert!(
            sent.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request:?}: {sent}"
        );
        assert!(
            !sent.contains("location:") || status == "400",
            "{request:?}: {sent}"
        );
        assert!(!sent.contains("\r\nlocation:"), "{request:?}: {sent}");
    }
    let long = format!(
        "GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a".repeat(5000)
    );
    assert!(send(&long).starts_with("HTTP/1.1 414 "));
    // What is escaped stays escaped.
    let sent = send("GET /%0d%0alocation:x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(
        sent.contains("\r\nlocation: https://localhost/%0d%0alocation:x\r\n"),
        "{sent}"
    );
    assert_eq!(server.stop().code(), Some(0));
    world.write(
        "server.toml",
        &format!("{SETTINGS}redirect_listen = \"127.0.0.1:0\"\n"),
    );
    let refused = world.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("hosts"),
        "{}",
        text(&refused.stderr)
    );
}
