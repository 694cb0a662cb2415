//! The ssh-agent client against a real agent and against liars, and the search for a key.
#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sdc::auth::{
    Agent, Algorithm, Ask, Found, Key, KeyKind, PrivateKey, PublicKey, RsaHash, Search, Signer, find, look,
    no_passphrase,
};
use sdc::error::{Error, Kind};
use secrecy::SecretString;
use tempfile::TempDir;

const PASSPHRASE: &str = "horse";

fn run(program: &str, words: &str, directory: &Path, socket: Option<&Path>) {
    let words = words.split_whitespace().map(|word| word.replace("NONE", ""));
    let mut command = Command::new(program);
    command.args(words).current_dir(directory);
    if let Some(socket) = socket {
        command.env("SSH_AUTH_SOCK", socket);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A directory of keys, as `~/.ssh` is.
struct Keys(TempDir);

impl Keys {
    fn new() -> Self {
        Keys(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn make(&self, name: &str, words: &str) -> PublicKey {
        run("ssh-keygen", &format!("-q -f {name} {words}"), self.0.path(), None);
        self.public(name)
    }

    fn public(&self, name: &str) -> PublicKey {
        PublicKey::from_line(&std::fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap()).unwrap()
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    fn search(&self) -> Search {
        Search { ssh_dir: Some(self.0.path().to_owned()), ..Search::default() }
    }

    fn search_for(&self, id: impl Into<String>) -> Search {
        Search { key_id: Some(id.into()), ..self.search() }
    }
}

/// A real ssh-agent, ended by its id.
struct RealAgent {
    child: Child,
    directory: TempDir,
}

impl RealAgent {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(directory.path().join("socket"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let agent = RealAgent { child, directory };
        for _ in 0..500 {
            if UnixStream::connect(agent.socket()).is_ok() {
                return agent;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the agent does not listen");
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    fn add(&self, keys: &Keys, name: &str) {
        run("ssh-add", &format!("-q {name}"), keys.0.path(), Some(&self.socket()));
    }
}

impl Drop for RealAgent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn says(error: &Error, words: &str) {
    let all = format!("{error}\n{:?}", error.hints());
    assert!(all.contains(words), "`{words}` is not in: {all}");
}

const DATA: &[u8] = b"date: Thu, 05 Jan 2017 21:31:40 GMT";

#[test]
fn a_real_agent_signs_with_every_kind_but_p384() {
    let (keys, agent) = (Keys::new(), RealAgent::start());
    for (name, words) in [
        ("rsa", "-t rsa -b 2048 -N NONE"),
        ("p256", "-t ecdsa -b 256 -N NONE"),
        ("p384", "-t ecdsa -b 384 -N NONE"),
        ("p521", "-t ecdsa -b 521 -N NONE"),
        ("ed", "-t ed25519 -N NONE"),
    ] {
        keys.make(name, words);
        agent.add(&keys, name);
    }
    let client = Agent::new(agent.socket());
    let listed = client.keys().unwrap();
    let kinds: Vec<KeyKind> = listed.iter().map(PublicKey::kind).collect();
    assert_eq!(kinds, [KeyKind::Rsa { bits: 2048 }, KeyKind::P256, KeyKind::P384, KeyKind::P521, KeyKind::Ed25519]);
    for public in &listed {
        for hash in [RsaHash::Sha1, RsaHash::Sha256, RsaHash::Sha512] {
            let algorithm = Algorithm::for_key(public.kind(), hash).unwrap();
            // Leading zeros come and go, so once is not enough.
            for _ in 0..10 {
                match client.sign(public, algorithm, DATA) {
                    Ok(signature) => assert!(public.verify(algorithm, DATA, &signature)),
                    Err(error) => {
                        assert_eq!(public.kind(), KeyKind::P384, "{error}");
                        says(&error, "needs its file");
                    }
                }
            }
        }
    }
    let algorithm = Algorithm::Ed25519Sha512;
    assert_eq!(client.sign(&listed[0], algorithm, DATA).unwrap_err().kind(), Kind::Other);
}

#[test]
fn the_same_key_signs_the_same_from_its_file_and_from_the_agent() {
    let (keys, agent) = (Keys::new(), RealAgent::start());
    let public = keys.make("rsa", "-t rsa -b 2048 -N NONE");
    agent.add(&keys, "rsa");
    let header = |key: Key| {
        let signer = Signer::new("acme", key, &public.md5()).unwrap();
        signer.authorization("GET", "/acme/machines", "Thu, 05 Jan 2017 21:31:40 GMT").unwrap()
    };
    let file = Key::File(PrivateKey::read(&keys.path("rsa"), &mut no_passphrase).unwrap());
    assert_eq!(header(file), header(Key::Agent(Agent::new(agent.socket()).key(public.clone()))));
}

#[test]
fn an_agent_without_the_key_refuses_and_a_certificate_is_not_taken_for_it() {
    let (keys, agent) = (Keys::new(), RealAgent::start());
    let public = keys.make("one", "-t ed25519 -N NONE");
    keys.make("ca", "-t ed25519 -N NONE");
    run("ssh-keygen", "-q -s ca -I jill one.pub", keys.0.path(), None);
    let client = Agent::new(agent.socket());
    assert!(client.keys().unwrap().is_empty());
    let error = client.sign(&public, Algorithm::Ed25519Sha512, DATA).unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    says(&error, "refused to sign");

    // ssh-add adds the certificate beside the key.
    agent.add(&keys, "one");
    let kinds: Vec<KeyKind> = client.keys().unwrap().iter().map(PublicKey::kind).collect();
    assert_eq!(kinds, [KeyKind::Ed25519, KeyKind::Certificate]);
    let found = find(&Search { agent_socket: Some(agent.socket()), ..Search::default() }, &mut no_passphrase).unwrap();
    assert_eq!((found.wire_name, found.origin.as_str()), (public.md5(), "agent"));
}

/// Answers every connection by these bytes, and then hangs up; or never, when there are none.
fn liar(directory: &Path, reply: Option<Vec<u8>>) -> Agent {
    let socket = directory.join("liar");
    let _ = std::fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut length = [0; 4];
            if stream.read_exact(&mut length).is_err() {
                continue;
            }
            let mut request = vec![0; u32::from_be_bytes(length) as usize];
            let _ = stream.read_exact(&mut request);
            match &reply {
                Some(reply) => drop(stream.write_all(reply)),
                None => open.push(stream),
            }
        }
    });
    let mut agent = Agent::new(socket);
    agent.list_timeout = Duration::from_secs(5);
    agent.sign_timeout = Duration::from_secs(5);
    agent
}

fn message(body: &[u8]) -> Vec<u8> {
    let mut all = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    all.extend(body);
    all
}

fn string(bytes: &[u8]) -> Vec<u8> {
    message(bytes)
}

fn signature(name: &str, bytes: &[u8]) -> Vec<u8> {
    let inner = [string(name.as_bytes()), string(bytes)].concat();
    message(&[vec![14], string(&inner)].concat())
}

#[test]
fn every_way_an_agent_can_fail_has_its_own_words() {
    let place = tempfile::tempdir().unwrap();
    let listing = |reply: &[u8]| {
        let error = liar(place.path(), Some(reply.to_vec())).keys().unwrap_err();
        assert_eq!(error.kind(), Kind::Auth);
        says(&error, "liar");
        error
    };
    says(&listing(&message(&[5])), "refused to list");
    says(&listing(&message(&[30])), "refused to list");
    says(&listing(&message(&[6])), "does not answer like an ssh-agent");
    says(&listing(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "impossible length");
    says(&listing(&[0, 0, 0, 0]), "impossible length");
    says(&listing(&[0xff; 12]), "impossible length");
    says(&listing(&message(&[12, 0xff, 0xff, 0xff, 0xff])), "impossible number");
    says(&listing(&message(&[12, 0, 0, 0, 2])), "cut short");
    says(&listing(&message(&[12, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0])), "cut short");
    says(&listing(&message(&[12])), "impossible number");
    says(&listing(&[0, 0, 1, 0, 12, 0]), "broke off");
    says(&listing(&[]), "broke off");

    let absent = Agent::new(place.path().join("absent")).keys().unwrap_err();
    says(&absent, "there is no ssh-agent socket");
    let left = place.path().join("left");
    drop(UnixListener::bind(&left).unwrap());
    says(&Agent::new(&left).keys().unwrap_err(), "no ssh-agent listens at");
    let file = place.path().join("file");
    std::fs::write(&file, "").unwrap();
    says(&Agent::new(&file).keys().unwrap_err(), "no ssh-agent listens at");
}

#[test]
fn an_agent_that_hangs_is_given_up() {
    let place = tempfile::tempdir().unwrap();
    let mut agent = liar(place.path(), None);
    agent.list_timeout = Duration::from_millis(50);
    agent.sign_timeout = Duration::from_millis(50);
    says(&agent.keys().unwrap_err(), "did not list its keys within 0.05 s");
    let keys = Keys::new();
    let public = keys.make("key", "-t ed25519 -N NONE");
    says(&agent.sign(&public, Algorithm::Ed25519Sha512, DATA).unwrap_err(), "did not sign within");
}

#[test]
fn a_signature_by_another_algorithm_or_of_no_worth_is_refused() {
    let (keys, place) = (Keys::new(), tempfile::tempdir().unwrap());
    let rsa = keys.make("rsa", "-t rsa -b 2048 -N NONE");
    let p256 = keys.make("p256", "-t ecdsa -b 256 -N NONE");
    let key = PrivateKey::read(&keys.path("rsa"), &mut no_passphrase).unwrap();
    let good = key.sign(Algorithm::RsaSha256, DATA).unwrap();
    let sign =
        |public: &PublicKey, algorithm, reply: Vec<u8>| liar(place.path(), Some(reply)).sign(public, algorithm, DATA);

    assert_eq!(sign(&rsa, Algorithm::RsaSha256, signature("rsa-sha2-256", &good)).unwrap(), good);
    let old = sign(&rsa, Algorithm::RsaSha256, signature("ssh-rsa", &good)).unwrap_err();
    says(&old, "signed by ssh-rsa where rsa-sha2-256 was asked for");
    for bad in [&good[..255], &[good.as_slice(), &[0]].concat(), &[0; 256], &[]] {
        let error = sign(&rsa, Algorithm::RsaSha256, signature("rsa-sha2-256", bad)).unwrap_err();
        says(&error, "not valid");
    }
    for bad in [&[][..], &[0, 0, 0, 0], &[0, 0, 0, 1, 0x80, 0, 0, 0, 1, 1], &[0xff; 8], &[0; 64]] {
        let error = sign(&p256, Algorithm::EcdsaSha256, signature("ecdsa-sha2-nistp256", bad)).unwrap_err();
        says(&error, "not valid");
    }
    says(&sign(&rsa, Algorithm::RsaSha256, message(&[14, 0, 0, 0, 9, 1])).unwrap_err(), "cut short");
    says(&sign(&rsa, Algorithm::RsaSha256, message(&[5])).unwrap_err(), "refused to sign");
}

#[test]
fn a_short_rsa_signature_of_an_agent_is_padded() {
    let (keys, place) = (Keys::new(), tempfile::tempdir().unwrap());
    let public = keys.make("rsa", "-t rsa -b 1024 -N NONE");
    let key = PrivateKey::read(&keys.path("rsa"), &mut no_passphrase).unwrap();
    // One in 256 begins with a zero byte.
    let (data, whole) = (0..10_000_u32)
        .map(|number| (number.to_string(), key.sign(Algorithm::RsaSha256, number.to_string().as_bytes()).unwrap()))
        .find(|(_, signature)| signature[0] == 0)
        .unwrap();
    let agent = liar(place.path(), Some(signature("rsa-sha2-256", &whole[1..])));
    assert_eq!(agent.sign(&public, Algorithm::RsaSha256, data.as_bytes()).unwrap(), whole);
}

fn no_asking(_: Ask) -> sdc::Result<Option<SecretString>> {
    panic!("a passphrase was asked for")
}

fn with_passphrase(_: Ask) -> sdc::Result<Option<SecretString>> {
    Ok(Some(PASSPHRASE.into()))
}

fn signs(found: &Found) {
    let public = found.key.public();
    let algorithm = Algorithm::for_key(public.kind(), RsaHash::Sha256).unwrap();
    assert!(public.verify(algorithm, DATA, &found.key.sign(algorithm, DATA).unwrap()));
}

#[test]
fn a_key_is_found_by_whatever_it_is_called() {
    let keys = Keys::new();
    let public = keys.make("work", "-t ed25519 -N NONE -C jill@work");
    keys.make("other", "-t ed25519 -N NONE -C jill@other");
    keys.make("locked", "-t ed25519 -a 1 -N horse");
    std::fs::write(keys.path("known_hosts"), "junk").unwrap();
    std::fs::write(keys.path("config"), "Host *").unwrap();
    let (md5, sha256) = (public.md5(), public.sha256());
    let path = keys.path("work").display().to_string();
    for id in [
        md5.clone(),
        format!("MD5:{md5}"),
        md5.to_uppercase(),
        md5.replace(':', ""),
        sha256.clone(),
        format!("{sha256}="),
        path.clone(),
        format!("{path}.pub"),
    ] {
        let found = find(&keys.search_for(&id), &mut no_asking).unwrap();
        assert_eq!(found.wire_name, md5, "{id}");
        assert_eq!(found.origin, format!("file {path}"));
        assert_eq!(found.key.public().blob(), public.blob());
        signs(&found);
    }
    // What a file or comment is called here need not be the key's name there.
    for name in ["work", "jill@work"] {
        let found = find(&keys.search_for(name), &mut no_asking).unwrap();
        assert_eq!((found.wire_name.as_str(), found.key.public().blob()), (md5.as_str(), public.blob()));
    }
}

#[test]
fn a_key_without_its_pub_file_is_found_too() {
    let keys = Keys::new();
    for words in
        ["-t ed25519 -N NONE", "-t rsa -b 2048 -m PEM -N NONE", "-t ecdsa -m PKCS8 -N NONE", "-t ed25519 -a 1 -N horse"]
    {
        let public = keys.make("odd.name", words);
        keys.remove("odd.name.pub");
        let found = find(&keys.search_for(public.md5()), &mut with_passphrase).unwrap();
        assert_eq!(found.key.public().blob(), public.blob());
        keys.remove("odd.name");
    }
}

#[test]
fn a_locked_file_that_does_not_say_which_key_it_is_is_opened_last() {
    let keys = Keys::new();
    let public = keys.make("a", "-t rsa -b 2048 -m PEM -N horse");
    keys.remove("a.pub");
    let other = keys.make("b", "-t ed25519 -N NONE");
    // Not while another fits.
    assert_eq!(find(&keys.search_for(other.md5()), &mut no_asking).unwrap().wire_name, other.md5());
    let mut asked = Vec::new();
    let mut ask = |ask: Ask| {
        asked.push(ask.file);
        Ok(Some(SecretString::from(PASSPHRASE)))
    };
    assert_eq!(find(&keys.search_for(public.md5()), &mut ask).unwrap().wire_name, public.md5());
    assert_eq!(asked, [keys.path("a").display().to_string()]);
    // With a .pub file that says otherwise it is not asked about.
    keys.make("c", "-t rsa -b 2048 -m PEM -N horse");
    keys.remove("a");
    let error = find(&keys.search_for(public.md5()), &mut no_asking).unwrap_err();
    says(&error, "was not found");
    // An interruption ends the search.
    keys.remove("c.pub");
    let error = find(&keys.search_for(public.md5()), &mut |_| Err(Error::new(Kind::Interrupted, "stop"))).unwrap_err();
    assert_eq!(error.kind(), Kind::Interrupted);
}

#[test]
fn a_pub_file_left_over_from_another_key_deceives_nobody() {
    let keys = Keys::new();
    let old = keys.make("old", "-t ed25519 -N NONE");
    let new = keys.make("new", "-t ed25519 -N NONE");
    std::fs::copy(keys.path("old.pub"), keys.path("new.pub")).unwrap();
    keys.remove("old");
    says(&find(&keys.search_for(old.md5()), &mut no_asking).unwrap_err(), "cannot be used");
    assert_eq!(find(&keys.search_for(new.md5()), &mut no_asking).unwrap().wire_name, new.md5());
}

#[test]
fn the_agent_comes_before_the_directory_and_the_named_file_before_both() {
    let (keys, agent) = (Keys::new(), RealAgent::start());
    let public = keys.make("key", "-t rsa -b 2048 -N NONE -C jill@work");
    agent.add(&keys, "key");
    let search = |id: &str| Search { agent_socket: Some(agent.socket()), ..keys.search_for(id) };
    for id in [public.md5(), public.sha256(), keys.path("key.pub").display().to_string()] {
        let found = find(&search(&id), &mut no_asking).unwrap();
        assert_eq!((found.origin.as_str(), found.wire_name.as_str()), ("agent", public.md5().as_str()));
        signs(&found);
    }
    let named = find(&search("jill@work"), &mut no_asking).unwrap();
    assert_eq!((named.origin.as_str(), named.wire_name.as_str()), ("agent", public.md5().as_str()));
    // The file's name leads to the agent too, which needs no passphrase.
    assert_eq!(find(&search("key"), &mut no_asking).unwrap().origin, "agent");
    let file = Search { key_file: Some(keys.path("key")), ..search(&public.md5()) };
    assert_eq!(find(&file, &mut no_asking).unwrap().origin, format!("file {}", keys.path("key").display()));

    // A named file is signed with whatever the server calls it.
    let named = Search { key_id: Some("laptop".into()), ..file.clone() };
    assert_eq!(find(&named, &mut no_asking).unwrap().wire_name, "laptop");
    // But not against a fingerprint that says otherwise.
    let other = Search { key_id: Some("00".repeat(16)), ..file };
    let error = find(&other, &mut no_asking).unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    says(&error, &public.md5());
    says(&error, &public.sha256());
}

#[test]
fn a_p384_key_in_the_agent_is_used_from_its_file_or_said_to_need_it() {
    let (keys, agent) = (Keys::new(), RealAgent::start());
    let public = keys.make("key", "-t ecdsa -b 384 -N NONE");
    agent.add(&keys, "key");
    let search = Search { agent_socket: Some(agent.socket()), ..keys.search_for(public.md5()) };
    let found = find(&search, &mut no_asking).unwrap();
    assert!(found.origin.starts_with("file "));
    assert!(found.notes[0].contains("SHA-384"), "{:?}", found.notes);
    signs(&found);
    let without = Search { ssh_dir: None, ..search.clone() };
    let error = find(&without, &mut no_asking).unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    says(&error, "needs its file");
    // Without an id it is the only one, in its file.
    let only = Search { key_id: None, ..search };
    assert!(find(&only, &mut no_asking).unwrap().origin.starts_with("file "));
}

#[test]
fn without_an_id_the_only_key_is_taken_and_several_are_listed() {
    let (keys, agent) = (Keys::new(), RealAgent::start());
    let none = find(&keys.search(), &mut no_asking).unwrap_err();
    assert_eq!(none.kind(), Kind::Auth);
    says(&none, "no key to sign with");
    says(&none, "SSH_AUTH_SOCK is not set");
    says(&none, "ssh-keygen -t ed25519");

    let one = keys.make("one", "-t ed25519 -N NONE -C first");
    let found = find(&keys.search(), &mut no_asking).unwrap();
    assert_eq!((found.wire_name, found.origin), (one.md5(), format!("file {}", keys.path("one").display())));
    // The same key in the agent is still one key, and needs no file.
    agent.add(&keys, "one");
    let both = Search { agent_socket: Some(agent.socket()), ..keys.search() };
    assert_eq!(find(&both, &mut no_asking).unwrap().origin, "agent");
    // Public keys of others are no candidates.
    keys.make("gone", "-t ed25519 -N NONE");
    keys.remove("gone");
    assert!(find(&both, &mut no_asking).is_ok());

    let two = keys.make("two", "-t ecdsa -a 1 -N horse -C second");
    let error = find(&both, &mut no_asking).unwrap_err();
    assert_eq!(error.kind(), Kind::Ambiguous);
    for words in
        [one.md5(), two.md5(), "Ed25519".into(), "ECDSA P-256".into(), "there are 2 keys".into(), "--key-id".into()]
    {
        says(&error, &words);
    }
    // A file alone says enough.
    let file = Search { key_file: Some(keys.path("two")), ..both };
    assert_eq!(find(&file, &mut with_passphrase).unwrap().wire_name, two.md5());
}

#[test]
fn two_keys_of_one_name_are_ambiguous() {
    let (keys, agent) = (Keys::new(), RealAgent::start());
    let public = [keys.make("a", "-t ed25519 -N NONE -C same"), keys.make("b", "-t ed25519 -N NONE -C same")];
    let in_directory = find(&keys.search_for("same"), &mut no_asking).unwrap_err();
    agent.add(&keys, "a");
    agent.add(&keys, "b");
    let search = Search { agent_socket: Some(agent.socket()), ..Search::default() };
    let in_agent = find(&Search { key_id: Some("same".into()), ..search }, &mut no_asking).unwrap_err();
    for error in [in_directory, in_agent] {
        assert_eq!(error.kind(), Kind::Ambiguous);
        public.iter().for_each(|key| says(&error, &key.md5()));
    }
}

#[test]
fn when_nothing_fits_every_place_and_key_is_told() {
    let (keys, agent) = (Keys::new(), RealAgent::start());
    let held = keys.make("held", "-t rsa -b 2048 -N NONE -C jill@agent");
    agent.add(&keys, "held");
    let lying = keys.make("here", "-t ed25519 -a 1 -N horse -C jill@file");
    keys.make("shut", "-t rsa -b 2048 -m PEM -N horse");
    keys.remove("shut.pub");
    std::fs::write(keys.path("notes.txt"), "hello").unwrap();
    let search = Search { agent_socket: Some(agent.socket()), ..keys.search_for("00".repeat(16)) };
    let error = find(&search, &mut no_passphrase).unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    for words in [
        "the private key for 00:00:",
        &held.md5(),
        "RSA 2048",
        "jill@agent",
        &agent.socket().display().to_string(),
        &lying.md5(),
        &keys.path("here").display().to_string(),
        &keys.0.path().display().to_string(),
        "encrypted, and without a .pub file",
        "notes.txt  (is not a key",
        "ssh-keygen -l -E md5",
        "--key-file",
    ] {
        says(&error, words);
    }
}

#[test]
fn looking_tells_of_all_places_and_asks_for_nothing() {
    let (keys, agent) = (Keys::new(), RealAgent::start());
    let public = keys.make("key", "-t ed25519 -N NONE -C jill");
    agent.add(&keys, "key");
    let search = Search {
        agent_socket: Some(agent.socket()),
        key_file: Some(keys.path("absent")),
        ..keys.search_for(public.sha256())
    };
    let report = look(&search);
    let outcomes: Vec<&str> = report.places.iter().map(|place| place.outcome.as_str()).collect();
    assert_eq!(outcomes.len(), 3, "{report}");
    assert!(outcomes[0].contains("there is no file"), "{report}");
    assert_eq!(&outcomes[1..], ["1 key", "1 key"]);
    assert!(report.places[1..].iter().all(|place| place.keys[0].wanted && place.keys[0].trouble.is_none()));
    let broken =
        Search { agent_socket: Some(keys.path("absent")), ssh_dir: Some(keys.path("absent")), ..Search::default() };
    let report = look(&broken);
    assert!(report.places[0].outcome.contains("there is no ssh-agent socket"), "{report}");
    assert!(report.places[1].outcome.contains("no such directory"), "{report}");
    // That there is no directory is no trouble; a socket without an agent is.
    assert_eq!(report.places.iter().map(|place| place.failed).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_place_that_cannot_be_looked_into_is_told_from_an_empty_one() {
    let (keys, place) = (Keys::new(), tempfile::tempdir().unwrap());
    keys.make("key", "-t ed25519 -N NONE");
    let failed = |search: &Search| look(search).places.iter().map(|place| place.failed).collect::<Vec<_>>();
    assert_eq!(failed(&keys.search()), [false, false]);
    let hanging = liar(place.path(), None);
    let agent = Search {
        agent_socket: Some(hanging.socket().to_owned()),
        agent_timeout: Some(Duration::from_millis(50)),
        ..keys.search()
    };
    assert_eq!(failed(&agent), [true, false]);
    assert_eq!(failed(&Search { ssh_dir: Some(keys.path("key")), ..Search::default() }), [false, true]);
    assert_eq!(failed(&Search { key_file: Some(keys.path("key")), ..Search::default() }), [false, false, false]);
    assert_eq!(failed(&Search { key_file: Some(keys.path("key.pub")), ..Search::default() }), [true, false, false]);
}

#[test]
fn a_file_and_a_key_id_that_contradict_each_other_are_called_by_their_origins() {
    let keys = Keys::new();
    keys.make("key", "-t ed25519 -N NONE");
    let search = |from: &str| Search {
        key_file: Some(keys.path("key")),
        key_file_from: Some("SDC_KEY_FILE".into()),
        key_id_from: Some(from.into()),
        ..keys.search_for("00".repeat(16))
    };
    let error = find(&search("TRITON_KEY_ID"), &mut no_asking).unwrap_err();
    says(&error, "(SDC_KEY_FILE) is ");
    says(&error, "(TRITON_KEY_ID)");
    assert_eq!(
        error.hints(),
        ["unset TRITON_KEY_ID to use this file's key", "unset SDC_KEY_FILE to look for the other key"]
    );
    let error = find(&search("profile prod (/p/prod.json)"), &mut no_asking).unwrap_err();
    assert_eq!(error.hints()[0], "give the file with --key-file to use this file's key");
    let error = find(&search("--key-id"), &mut no_asking).unwrap_err();
    assert_eq!(error.hints()[0], "leave --key-id out to use this file's key");
}

#[test]
fn an_agent_that_fails_does_not_hide_a_key_in_the_directory() {
    let (keys, place) = (Keys::new(), tempfile::tempdir().unwrap());
    let public = keys.make("key", "-t ed25519 -N NONE");
    let hanging = liar(place.path(), None);
    let search = Search {
        agent_socket: Some(hanging.socket().to_owned()),
        agent_timeout: Some(Duration::from_millis(50)),
        ..keys.search_for(public.md5())
    };
    let found = find(&search, &mut no_asking).unwrap();
    assert!(found.notes[0].contains("did not list its keys"), "{:?}", found.notes);
}

#[test]
fn a_wrong_passphrase_for_the_right_file_is_the_error() {
    let keys = Keys::new();
    let public = keys.make("key", "-t ed25519 -a 1 -N horse");
    let error = find(&keys.search_for(public.md5()), &mut |_| Ok(Some("cow".into()))).unwrap_err();
    says(&error, "wrong passphrase for");
}

#[test]
fn pipes_sockets_and_odd_names_in_the_directory_are_passed_by() {
    let keys = Keys::new();
    let public = keys.make("key", "-t ed25519 -N NONE");
    run("mkfifo", "pipe pipe.pub", keys.0.path(), None);
    let _listener = UnixListener::bind(keys.path("socket")).unwrap();
    std::os::unix::fs::symlink(keys.path("nowhere"), keys.path("link")).unwrap();
    std::os::unix::fs::symlink(keys.0.path(), keys.path("loop")).unwrap();
    std::fs::write(keys.path("large"), vec![0; 200_000]).unwrap();
    assert_eq!(find(&keys.search(), &mut no_asking).unwrap().wire_name, public.md5());
}

#[test]
fn a_key_id_that_is_none_is_a_usage_error() {
    let keys = Keys::new();
    for (id, kind) in [("", Kind::Usage), ("MD5:zz", Kind::Usage), ("a\"b", Kind::Usage), ("/no/such/file", Kind::Auth)]
    {
        assert_eq!(find(&keys.search_for(id), &mut no_asking).unwrap_err().kind(), kind, "{id}");
    }
}

#[test]
fn an_agent_that_takes_no_more_connections_is_given_up() {
    let keys = Keys::new();
    keys.make("key", "-t ed25519 -N NONE");
    let socket = keys.path("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    // Nobody accepts: the queue fills up, and then a connection waits for ever.
    let waiting = std::thread::spawn({
        let socket = socket.clone();
        move || {
            (0..5000)
                .map_while(|_| {
                    let stream = UnixStream::connect(&socket).ok()?;
                    stream.set_nonblocking(true).ok()?;
                    Some(stream)
                })
                .collect::<Vec<_>>()
        }
    });
    std::thread::sleep(Duration::from_millis(500));
    let mut agent = sdc::auth::Agent::new(socket);
    agent.list_timeout = Duration::from_millis(300);
    let begun = std::time::Instant::now();
    let error = agent.keys().unwrap_err();
    assert!(error.to_string().contains("did not list"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(waiting);
}
