//! Key files as `ssh-keygen` and `openssl` write them: read here, and their signatures verified there.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use sdc::auth::{Algorithm, Ask, KeyId, KeyKind, PrivateKey, PublicKey, RsaHash, no_passphrase};
use sdc::error::{Error, Kind};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;

const PASSPHRASE: &str = "correct horse é";

struct Dir(TempDir);

impl Dir {
    fn new() -> Self {
        Dir(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// Runs words in the directory; `PASS` stands for the passphrase, which may have spaces.
    fn run(&self, words: &str) -> Vec<u8> {
        let mut words = words.split_whitespace().map(|word| word.replace("PASS", PASSPHRASE).replace("NONE", ""));
        let output = Command::new(words.next().unwrap()).args(words).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn ssh_keygen(&self, words: &str) -> PathBuf {
        self.run(&format!("ssh-keygen -q -C jill@host -f key {words}"));
        self.path("key")
    }

    fn openssl(&self, words: &str) -> PathBuf {
        let (tool, options) = words.split_once(' ').unwrap();
        self.run(&format!("openssl {tool} -out key {options}"));
        self.path("key")
    }
}

fn with_passphrase(_: Ask) -> sdc::Result<Option<SecretString>> {
    Ok(Some(PASSPHRASE.into()))
}

fn refused(path: &Path) -> Error {
    let error = PrivateKey::read(path, &mut with_passphrase).unwrap_err();
    assert_eq!(error.kind(), Kind::Auth, "{error}");
    assert!(error.message().contains(path.to_str().unwrap()), "{error} does not name the file");
    error
}

fn says(error: &Error, words: &str) {
    let all = format!("{error} {:?}", error.hints());
    assert!(all.contains(words), "`{words}` is not in: {all}");
}

/// The public half as openssl reads it.
fn public_pem(dir: &Dir, public: &PublicKey) -> String {
    if public.kind() == KeyKind::Ed25519 {
        let mut der = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".to_vec();
        der.extend_from_slice(&public.blob()[public.blob().len() - 32..]);
        return format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der));
    }
    dir.write("ours.pub", public.openssh_line());
    String::from_utf8(dir.run("ssh-keygen -e -m PKCS8 -f ours.pub")).unwrap()
}

/// Signs by every algorithm for this key, and has openssl verify.
fn verified_by_openssl(dir: &Dir, key: &PrivateKey) {
    dir.write("ours.pem", public_pem(dir, key.public()));
    let data = b"date: Thu, 05 Jan 2017 21:31:40 GMT\n(request-target): get /acme/machines";
    dir.write("data", data);
    let mut hashes = vec![RsaHash::Sha256];
    if matches!(key.public().kind(), KeyKind::Rsa { .. }) {
        hashes.extend([RsaHash::Sha1, RsaHash::Sha512]);
    }
    for hash in hashes {
        let algorithm = Algorithm::for_key(key.public().kind(), hash).unwrap();
        let signature = key.sign(algorithm, data).unwrap();
        assert!(key.public().verify(algorithm, data, &signature));
        dir.write("signature", &signature);
        let words = match algorithm.as_str() {
            "ed25519-sha512" => {
                "openssl pkeyutl -verify -rawin -pubin -inkey ours.pem -in data -sigfile signature".into()
            }
            other => {
                let digest = other.rsplit('-').next().unwrap();
                format!("openssl dgst -{digest} -verify ours.pem -signature signature data")
            }
        };
        dir.run(&words);
    }
}

/// A file of ssh-keygen's, with its `.pub` beside it.
fn works_with_ssh(dir: &Dir, path: &Path) -> PrivateKey {
    let key = PrivateKey::read(path, &mut with_passphrase).unwrap();
    let public = PublicKey::from_line(&std::fs::read_to_string(path.with_extension("pub")).unwrap()).unwrap();
    assert_eq!(key.public().blob(), public.blob());
    assert_eq!(public.comment(), "jill@host");
    for (hash, ours) in [("md5", format!("MD5:{}", public.md5())), ("sha256", public.sha256())] {
        let line = String::from_utf8(dir.run(&format!("ssh-keygen -l -E {hash} -f key.pub"))).unwrap();
        assert_eq!(line.split(' ').nth(1).unwrap(), ours);
    }
    verified_by_openssl(dir, &key);
    read_by_ssh(dir, &key);
    key
}

/// What is written for ssh is read there, and is the same key.
fn read_by_ssh(dir: &Dir, key: &PrivateKey) {
    use std::os::unix::fs::PermissionsExt;
    let copy = dir.write("copy", key.to_openssh().unwrap().expose_secret());
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o600)).unwrap();
    let line = String::from_utf8(dir.run("ssh-keygen -y -P NONE -f copy")).unwrap();
    assert_eq!(PublicKey::from_line(&line).unwrap().blob(), key.public().blob());
    let again = PrivateKey::read(&copy, &mut no_passphrase).unwrap();
    assert_eq!(again.file_for_ssh(), Some(&*copy));
}

/// A file of openssl's.
fn works_with_openssl(dir: &Dir, path: &Path) -> PrivateKey {
    let key = PrivateKey::read(path, &mut with_passphrase).unwrap();
    dir.run_with_space(path);
    let theirs = std::fs::read_to_string(dir.path("theirs.pem")).unwrap();
    let bare = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    assert_eq!(bare(&public_pem(dir, key.public())), bare(&theirs));
    verified_by_openssl(dir, &key);
    read_by_ssh(dir, &key);
    key
}

impl Dir {
    /// The public half by openssl, whose passphrase has a space and so cannot go through `run`.
    fn run_with_space(&self, path: &Path) {
        let output = Command::new("openssl")
            .args(["pkey", "-pubout", "-out", "theirs.pem", "-passin", &format!("pass:{PASSPHRASE}"), "-in"])
            .arg(path)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn every_kind_that_ssh_keygen_makes_signs() {
    for words in ["-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521", "-t rsa -b 2048", "-t rsa"] {
        let dir = Dir::new();
        let path = dir.ssh_keygen(&format!("{words} -N NONE"));
        let key = works_with_ssh(&dir, &path);
        assert_eq!(key.public().comment(), "jill@host");
    }
}

/// OpenSSH leaves leading zeros of the secret number out: one P-521 key in two is shorter than the curve.
#[test]
fn ecdsa_keys_with_a_short_secret_sign() {
    for _ in 0..8 {
        let dir = Dir::new();
        let path = dir.ssh_keygen("-t ecdsa -b 521 -N NONE");
        works_with_ssh(&dir, &path);
    }
}

#[test]
fn every_kind_of_ssh_keygen_in_the_old_form_signs() {
    for words in ["-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521", "-t rsa -b 2048"] {
        for (form, passphrase) in [("PEM", "NONE"), ("PEM", "PASS"), ("PKCS8", "NONE"), ("PKCS8", "PASS")] {
            let dir = Dir::new();
            let path = dir.ssh_keygen(&format!("{words} -m {form} -N {passphrase}"));
            works_with_ssh(&dir, &path);
        }
    }
}

#[test]
fn every_cipher_of_ssh_keygen_opens() {
    let ciphers = [
        "aes256-ctr",
        "aes128-ctr",
        "aes256-cbc",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
        "3des-cbc",
    ];
    for cipher in ciphers {
        for kind in ["ed25519", "ecdsa", "rsa -b 2048"] {
            let dir = Dir::new();
            let path = dir.ssh_keygen(&format!("-t {kind} -a 1 -Z {cipher} -N PASS"));
            works_with_ssh(&dir, &path);
        }
    }
}

#[test]
fn every_kind_that_openssl_makes_signs() {
    for words in [
        "genrsa -traditional 2048",
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        "genpkey -algorithm ed25519",
        "ecparam -name prime256v1 -genkey",
        "ecparam -name secp384r1 -genkey",
        "ecparam -name secp521r1 -genkey",
        "ecparam -name secp521r1 -genkey -noout",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521",
    ] {
        let dir = Dir::new();
        let path = dir.openssl(words);
        works_with_openssl(&dir, &path);
    }
}

#[test]
fn rsa_of_uncommon_sizes_and_exponents_signs() {
    for (words, bits) in [
        ("genrsa -traditional 1024", 1024),
        ("genrsa -traditional 2056", 2056),
        ("genrsa -traditional -3 2048", 2048),
        ("genrsa -traditional 4224", 4224),
    ] {
        let dir = Dir::new();
        let path = dir.openssl(words);
        let key = works_with_openssl(&dir, &path);
        assert_eq!(key.public().kind(), KeyKind::Rsa { bits });
    }
}

#[test]
fn rsa_whose_primes_stand_in_the_other_order_signs() {
    let dir = Dir::new();
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    for primes in [[0, 1], [1, 0]] {
        let primes = primes.map(|at| key.primes()[at].clone()).to_vec();
        let ordered = rsa::RsaPrivateKey::from_components(key.n().clone(), key.e().clone(), key.d().clone(), primes);
        let pem = ordered.unwrap().to_pkcs1_pem(rsa::pkcs1::LineEnding::LF).unwrap();
        let path = dir.write("key", pem.as_bytes());
        works_with_openssl(&dir, &path);
    }
}

/// Encrypts `key` by openssl; the passphrase travels in a file, since it has a space.
fn encrypt(dir: &Dir, words: &str) -> PathBuf {
    dir.write("passphrase", PASSPHRASE);
    dir.run(&format!("openssl {words} -passout file:passphrase -in key -out locked"));
    dir.path("locked")
}

#[test]
fn every_old_encryption_of_openssl_opens() {
    for (kind, tool) in
        [("genrsa -traditional 2048", "rsa -traditional"), ("ecparam -name secp384r1 -genkey -noout", "ec")]
    {
        for cipher in ["aes128", "aes192", "aes256", "des3"] {
            let dir = Dir::new();
            dir.openssl(kind);
            let path = encrypt(&dir, &format!("{tool} -{cipher}"));
            assert!(std::fs::read_to_string(&path).unwrap().contains("DEK-Info"));
            works_with_openssl(&dir, &path);
        }
    }
}

#[test]
fn every_new_encryption_of_openssl_opens() {
    for kind in ["genpkey -algorithm ed25519", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"] {
        for scheme in [
            "-v2 aes256",
            "-v2 aes128",
            "-v2 aes192",
            "-v2 aes256 -v2prf hmacWithSHA1",
            "-v2 aes256 -v2prf hmacWithSHA512",
            "-v2 des3",
            "-scrypt",
        ] {
            let dir = Dir::new();
            dir.openssl(kind);
            let path = encrypt(&dir, &format!("pkcs8 -topk8 {scheme}"));
            works_with_openssl(&dir, &path);
        }
    }
    let dir = Dir::new();
    dir.openssl("genrsa 2048");
    let path = encrypt(&dir, "pkcs8 -topk8");
    works_with_openssl(&dir, &path);
}

#[test]
fn a_file_with_carriage_returns_a_mark_and_words_before_it_is_read() {
    let dir = Dir::new();
    let path = dir.openssl("genpkey -algorithm ed25519");
    let text = std::fs::read_to_string(&path).unwrap();
    let odd = dir.write("odd", format!("\u{feff}Bag Attributes\r\n    name: x\r\n{}", text.replace('\n', "\r\n")));
    let key = PrivateKey::read(&odd, &mut no_passphrase).unwrap();
    assert_eq!(key.public(), PrivateKey::read(&path, &mut no_passphrase).unwrap().public());
}

#[test]
fn a_wrong_passphrase_is_asked_for_three_times_and_then_said_to_be_wrong() {
    for words in ["-t ed25519 -a 1", "-t rsa -b 2048 -m PEM", "-t ecdsa -m PEM", "-t ecdsa -m PKCS8"] {
        let dir = Dir::new();
        let path = dir.ssh_keygen(&format!("{words} -N PASS"));
        let mut attempts = Vec::new();
        let error = PrivateKey::read(&path, &mut |ask: Ask| {
            assert_eq!(ask.file, path.to_str().unwrap());
            attempts.push(ask.attempt);
            Ok(Some("wrong horse".into()))
        })
        .unwrap_err();
        assert_eq!(attempts, [1, 2, 3]);
        says(&error, "wrong passphrase for");
        assert!(!format!("{error:?}").contains("horse"));

        // The right one at the last try is in time.
        let mut right_at_last =
            |ask: Ask| Ok(Some(SecretString::from(if ask.attempt == 3 { PASSPHRASE } else { "no" })));
        assert!(PrivateKey::read(&path, &mut right_at_last).is_ok());

        // Nobody to ask is another thing than a wrong answer.
        let none = PrivateKey::read(&path, &mut no_passphrase).unwrap_err();
        says(&none, "no passphrase");
        says(&none, "ssh-add");
        let once = &mut |ask: Ask| Ok((ask.attempt == 1).then(|| "no".into()));
        says(&PrivateKey::read(&path, once).unwrap_err(), "wrong passphrase");
    }
}

#[test]
fn an_interrupted_prompt_is_passed_on() {
    let dir = Dir::new();
    let path = dir.ssh_keygen("-t ed25519 -a 1 -N PASS");
    let error = PrivateKey::read(&path, &mut |_| Err(Error::new(Kind::Interrupted, "interrupted"))).unwrap_err();
    assert_eq!(error.kind(), Kind::Interrupted);
}

#[test]
fn an_unencrypted_file_asks_nobody() {
    let dir = Dir::new();
    let path = dir.ssh_keygen("-t ed25519 -N NONE");
    PrivateKey::read(&path, &mut |_| panic!("asked")).unwrap();
}

#[test]
fn a_file_cut_short_anywhere_is_refused_by_its_name() {
    for words in [
        "-t ed25519 -N NONE",
        "-t ed25519 -a 1 -N PASS",
        "-t rsa -b 2048 -m PEM -N NONE",
        "-t ecdsa -m PEM -N NONE",
        "-t ecdsa -m PKCS8 -N PASS",
    ] {
        let dir = Dir::new();
        let text = std::fs::read(dir.ssh_keygen(words)).unwrap();
        for length in (0..text.len() - 2).step_by(7) {
            let error = PrivateKey::parse(&text[..length], "short.pem", &mut no_passphrase).unwrap_err();
            says(&error, "short.pem");
            assert_eq!(error.kind(), Kind::Auth);
        }
        let error = PrivateKey::parse(&text[..text.len() / 2], "short.pem", &mut no_passphrase).unwrap_err();
        says(&error, "cut short");
        says(&error, "PRIVATE KEY");
    }
}

/// Lines of base64 cut out of the middle: the armour is whole, what it holds is not.
#[test]
fn a_file_with_a_line_missing_is_refused_as_damaged() {
    for words in [
        "-t ed25519 -N NONE",
        "-t rsa -b 2048 -m PEM -N NONE",
        "-t ecdsa -m PEM -N NONE",
        "-t rsa -b 2048 -m PKCS8 -N NONE",
    ] {
        let dir = Dir::new();
        let path = dir.ssh_keygen(words);
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.remove(1);
        let path = dir.write("key", lines.join("\n"));
        let error = refused(&path);
        says(&error, "damaged");
    }
}

#[test]
fn a_private_key_whose_halves_do_not_belong_together_is_refused() {
    let (one, two) = (Dir::new(), Dir::new());
    let [first, second] = [&one, &two].map(|dir| {
        let text = std::fs::read_to_string(dir.openssl("ecparam -name prime256v1 -genkey -noout")).unwrap();
        STANDARD.decode(text.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
    });
    // The last 64 bytes are the public point.
    let mixed = [&first[..first.len() - 64], &second[second.len() - 64..]].concat();
    let pem = format!("-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----\n", STANDARD.encode(mixed));
    says(&refused(&one.write("mixed", pem)), "damaged");
}

#[test]
fn what_is_no_private_key_is_called_what_it_is() {
    let dir = Dir::new();
    dir.ssh_keygen("-t ed25519 -N NONE");
    says(&refused(&dir.path("key.pub")), "public key");
    says(&refused(&dir.path("key.pub")), dir.path("key").to_str().unwrap());
    let rfc4716 = dir.run("ssh-keygen -e -m RFC4716 -f key.pub");
    says(&refused(&dir.write("rfc4716", rfc4716)), "public key");

    dir.run("ssh-keygen -q -s key -I jill key.pub");
    says(&refused(&dir.path("key-cert.pub")), "certificate");
    dir.run("openssl genpkey -algorithm ed25519 -out tls.key");
    dir.run("openssl req -x509 -key tls.key -subj /CN=x -out tls.crt");
    says(&refused(&dir.path("tls.crt")), "certificate");
    dir.run("openssl pkey -in tls.key -pubout -out tls.pub");
    says(&refused(&dir.path("tls.pub")), "public key");

    says(&refused(&dir.write("empty", "")), "empty");
    says(&refused(&dir.write("blank", " \n\t\n")), "empty");
    says(&refused(&dir.write("junk", [0x7f, b'E', b'L', b'F', 0xff, 0xfe, 0])), "binary");
    says(&refused(&dir.write("text", "hello\n")), "not a key");
    says(&refused(&dir.write("large", vec![b'a'; 64 * 1024 + 1])), "64 KiB");
    says(&refused(&dir.path("absent")), "no file");
    says(&refused(&dir.path("")), "directory");
    let ppk = refused(&dir.write("key.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n"));
    says(&ppk, "PuTTY");
    says(&ppk, "puttygen");
    says(&refused(&dir.write("ssh1", "SSH PRIVATE KEY FILE FORMAT 1.1\n\0\0")), "protocol 1");
    says(&refused(&dir.write("odd", "-----BEGIN AGE KEY-----\nAAAA\n-----END AGE KEY-----\n")), "AGE KEY");

    dir.run("openssl pkey -in tls.key -outform DER -out tls.der");
    let der = refused(&dir.path("tls.der"));
    says(&der, "DER");
    says(&der, "openssl pkey -inform DER");
}

#[test]
fn what_sdc_does_not_read_comes_with_the_command_that_mends_it() {
    let dir = Dir::new();
    dir.openssl("genrsa 2048");
    let pbes1 = refused(&encrypt(&dir, "pkcs8 -topk8 -v1 PBE-SHA1-3DES"));
    says(&pbes1, "PBES1");
    says(&pbes1, "ssh-keygen -p -f");

    for words in ["-t dsa -N NONE", "-t dsa -m PEM -N NONE", "-t dsa -m PKCS8 -N NONE"] {
        let dir = Dir::new();
        says(&refused(&dir.ssh_keygen(words)), "DSA");
    }
    for (words, what) in [
        ("genpkey -algorithm x25519", "X25519"),
        ("genpkey -algorithm ed448", "Ed448"),
        ("ecparam -name secp256k1 -genkey", "curve"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", "curve"),
        ("genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", "PSS"),
    ] {
        let dir = Dir::new();
        says(&refused(&dir.openssl(words)), what);
    }
    let camellia = Dir::new();
    camellia.openssl("genrsa -traditional 2048");
    says(&refused(&encrypt(&camellia, "rsa -traditional -camellia128")), "CAMELLIA-128-CBC");
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend(bytes);
}

/// An OpenSSH file with this public blob, and an inside of no meaning.
fn openssh_file(cipher: &str, kdf: &str, options: &[u8], public: &[u8]) -> String {
    let mut data = b"openssh-key-v1\0".to_vec();
    put(&mut data, cipher.as_bytes());
    put(&mut data, kdf.as_bytes());
    put(&mut data, options);
    data.extend(1_u32.to_be_bytes());
    put(&mut data, public);
    put(&mut data, &[0; 64]);
    format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n", STANDARD.encode(data))
}

#[test]
fn a_fido_key_is_called_one() {
    let mut public = Vec::new();
    put(&mut public, b"sk-ssh-ed25519@openssh.com");
    put(&mut public, &[1; 32]);
    put(&mut public, b"ssh:");
    says(&refused(&Dir::new().write("key", openssh_file("none", "none", b"", &public))), "FIDO");
}

#[test]
fn a_file_that_would_take_years_to_open_is_refused_before_asking() {
    let mut public = Vec::new();
    put(&mut public, b"ssh-ed25519");
    put(&mut public, &[1; 32]);
    let mut options = Vec::new();
    put(&mut options, &[0; 16]);
    options.extend(u32::MAX.to_be_bytes());
    let text = openssh_file("aes256-ctr", "bcrypt", &options, &public);
    let error = PrivateKey::parse(text.as_bytes(), "slow", &mut |_| panic!("asked")).unwrap_err();
    says(&error, "more work");

    let dir = Dir::new();
    dir.openssl("genpkey -algorithm ed25519");
    let path = encrypt(&dir, "pkcs8 -topk8 -iter 1000");
    let pem = std::fs::read_to_string(&path).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let mut der = STANDARD.decode(body).unwrap();
    // 1000 is 03 e8; nothing longer fits its place, so this is bent where it stands.
    let at = der.windows(4).position(|bytes| bytes == [2, 2, 3, 0xe8]).unwrap();
    der[at + 2] = 0xff;
    let bent = format!(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n{}\n-----END ENCRYPTED PRIVATE KEY-----\n",
        STANDARD.encode(der)
    );
    assert!(PrivateKey::parse(bent.as_bytes(), "bent", &mut |_| panic!("asked")).is_err());
}

#[test]
fn debug_shows_nothing_but_the_fingerprint() {
    let dir = Dir::new();
    let path = dir.ssh_keygen("-t rsa -b 2048 -m PEM -N NONE");
    let key = PrivateKey::read(&path, &mut no_passphrase).unwrap();
    assert_eq!(format!("{key:?}"), format!("PrivateKey {{ public: {:?}, .. }}", key.public().md5()));
}

const LINE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB jill@host";

#[test]
fn a_public_line_is_read_strictly() {
    let key = PublicKey::from_line(&format!("# mine\n\n{LINE}\n")).unwrap();
    assert_eq!((key.kind(), key.comment(), key.openssh_line().as_str()), (KeyKind::Ed25519, "jill@host", LINE));
    let hostile = PublicKey::from_line(&format!("{LINE}\u{1b}[31m")).unwrap();
    assert_eq!(hostile.comment(), "jill@host?[31m");
    for bad in [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 !!!!",
        &LINE.replacen("ssh-ed25519", "ssh-rsa", 1),
        &LINE.replace("EB jill", "EBAQ== jill"),
        &format!("ssh-rsa {}", "A".repeat(20_000)),
    ] {
        assert!(PublicKey::from_line(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_fingerprint_is_understood_in_every_way_people_write_it() {
    let key = PublicKey::from_line(LINE).unwrap();
    let (md5, sha256) = (key.md5(), key.sha256());
    for text in [
        md5.clone(),
        md5.to_uppercase(),
        format!("MD5:{md5}"),
        format!("md5:{md5}"),
        md5.replace(':', ""),
        format!("MD5:{}", md5.replace(':', "").to_uppercase()),
        format!(" {md5}\n"),
    ] {
        assert_eq!(KeyId::parse(&text).unwrap(), KeyId::Md5(md5.clone()), "{text}");
    }
    for text in [sha256.clone(), format!("{sha256}="), sha256.replace("SHA", "sha")] {
        assert_eq!(KeyId::parse(&text).unwrap(), KeyId::Sha256(sha256.clone()), "{text}");
    }
    assert!(KeyId::parse(&md5).unwrap().is_of(&key));
    assert!(KeyId::parse(&sha256).unwrap().is_of(&key));
    for text in ["my-key", "jill's laptop", "aa:bb", &md5[1..], &md5.replace(':', "-")] {
        assert_eq!(KeyId::parse(text).unwrap(), KeyId::Name(text.to_owned()));
    }
    for bad in ["", " ", "MD5:", "MD5:xx", "SHA256:", "SHA256:short", "a/b", "a\"b", "a\u{1b}b", "caf\u{e9}"] {
        assert_eq!(KeyId::parse(bad).unwrap_err().kind(), Kind::Usage, "{bad:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_key_id_makes_the_parser_panic(text in "(MD5:|md5:|SHA256:)?\\PC{0,60}") {
        let _ = KeyId::parse(&text);
    }

    #[test]
    fn a_key_id_once_understood_is_understood_the_same_again(text in "(MD5:)?([0-9a-fA-F]{2}:?){16}|[a-z -]{1,40}") {
        if let Ok(id) = KeyId::parse(&text) {
            prop_assert_eq!(KeyId::parse(&id.to_string()).unwrap(), id);
        }
    }

    #[test]
    fn a_public_key_is_read_back_from_its_own_line(comment in "[a-zé \u{1b}\t]{0,300}", seed in any::<[u8; 32]>()) {
        let blob = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &seed].concat();
        let key = PublicKey::from_blob(blob, &comment).unwrap();
        prop_assert!(!key.comment().contains(char::is_control));
        prop_assert_eq!(PublicKey::from_line(&key.openssh_line()).unwrap(), key);
    }

    #[test]
    fn a_public_key_of_an_unknown_kind_is_read_back_from_its_own_line_or_is_none(
        name in "[!-~é ]{0,3}[a-z0-9@.-]{0,100}", rest in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let length = u32::try_from(name.len()).unwrap().to_be_bytes();
        let blob = [&length[..], name.as_bytes(), &rest].concat();
        match PublicKey::from_blob(blob, "") {
            Ok(key) => prop_assert_eq!(PublicKey::from_line(&key.openssh_line()).unwrap(), key),
            Err(_) => prop_assert!(!name.starts_with(|first: char| first.is_ascii_alphanumeric()) || name.contains([' ', 'é']) || name.len() > 100 || name.starts_with("ssh-") || name.starts_with("ecdsa-")),
        }
    }

    #[test]
    fn no_text_makes_the_key_reader_panic(text in "\\PC{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = PrivateKey::parse(text.as_bytes(), "f", &mut no_passphrase);
        let _ = PrivateKey::parse(&bytes, "f", &mut with_passphrase);
        let _ = PublicKey::from_line(&text);
        let _ = PublicKey::from_blob(bytes, &text);
    }

    #[test]
    fn no_contents_of_a_block_make_the_key_reader_panic(
        label in prop::sample::select(vec!["RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"]),
        head in prop::sample::select(vec![&b""[..], b"openssh-key-v1\0", b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01", b"\x30\x82\x01\x00\x02\x01\x00", b"\x30\x77\x02\x01\x01\x04\x20"]),
        dek in prop::sample::select(vec!["", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n", "DEK-Info: DES-EDE3-CBC,é€\n\n", "DEK-Info: AES-256-CBC\n\n"]),
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let data = STANDARD.encode([head, &bytes].concat());
        let text = format!("-----BEGIN {label}-----\n{dek}{data}\n-----END {label}-----\n");
        let _ = PrivateKey::parse(text.as_bytes(), "f", &mut with_passphrase);
    }
}

/// One byte changed inside the armour of a good key: it may still be a key, but nothing may panic.
#[test]
fn no_changed_byte_makes_the_key_reader_panic() {
    for words in [
        "-t ed25519 -N NONE",
        "-t ecdsa -N NONE",
        "-t rsa -b 2048 -N NONE",
        "-t rsa -b 2048 -m PEM -N NONE",
        "-t ecdsa -m PEM -N NONE",
        "-t ecdsa -m PKCS8 -N PASS",
    ] {
        let dir = Dir::new();
        let text = std::fs::read_to_string(dir.ssh_keygen(words)).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        let (body, last) = rest.trim_end().rsplit_once('\n').unwrap();
        let data = STANDARD.decode(body.replace('\n', "")).unwrap();
        for at in (0..data.len()).step_by(data.len() / 60) {
            let mut changed = data.clone();
            changed[at] ^= 0x55;
            let text = format!("{first}\n{}\n{last}\n", STANDARD.encode(&changed));
            let _ = PrivateKey::parse(text.as_bytes(), "f", &mut no_passphrase);
        }
    }
}
