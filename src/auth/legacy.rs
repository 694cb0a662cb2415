//! Opens PEM files that were encrypted in OpenSSL's first way (`Proc-Type`, `DEK-Info`): a key from
//! MD5, then CBC. Weak by today's measure, yet what `ssh-keygen -m PEM` still writes.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut as _, KeyIvInit as _};
use md5::{Digest as _, Md5};
use secrecy::zeroize::Zeroizing;

/// One cipher and its initial vector.
pub(super) struct Lock {
    cipher: Cipher,
    vector: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
}

impl Lock {
    /// Reads `AES-128-CBC,0123…`. Gives back the cipher's name when it is one we do not open.
    pub(super) fn parse(dek_info: &str) -> Result<Self, String> {
        let (name, hex) = dek_info.split_once(',').unwrap_or((dek_info, ""));
        let (cipher, size) = match name.trim() {
            "AES-128-CBC" => (Cipher::Aes128, 16),
            "AES-192-CBC" => (Cipher::Aes192, 16),
            "AES-256-CBC" => (Cipher::Aes256, 16),
            "DES-EDE3-CBC" => (Cipher::TripleDes, 8),
            other => return Err(other.to_owned()),
        };
        let hex = hex.trim();
        let pairs = (0..hex.len()).step_by(2);
        let vector: Option<Vec<u8>> =
            pairs.map(|at| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok())).collect();
        match vector {
            Some(vector) if vector.len() == size => Ok(Lock { cipher, vector }),
            _ => Err(format!("{} with a damaged initial vector", name.trim())),
        }
    }

    /// `None` when the padding shows that the passphrase is another. One wrong passphrase in 256
    /// passes this, so what comes out must be looked at too.
    pub(super) fn open(&self, data: &[u8], passphrase: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let key = self.key(passphrase)?;
        let (key, vector) = (key.as_slice(), self.vector.as_slice());
        let mut buffer = Zeroizing::new(data.to_vec());
        let length = match self.cipher {
            Cipher::Aes128 => cbc::Decryptor::<aes::Aes128>::new_from_slices(key, vector)
                .ok()?
                .decrypt_padded_mut::<Pkcs7>(&mut buffer),
            Cipher::Aes192 => cbc::Decryptor::<aes::Aes192>::new_from_slices(key, vector)
                .ok()?
                .decrypt_padded_mut::<Pkcs7>(&mut buffer),
            Cipher::Aes256 => cbc::Decryptor::<aes::Aes256>::new_from_slices(key, vector)
                .ok()?
                .decrypt_padded_mut::<Pkcs7>(&mut buffer),
            Cipher::TripleDes => cbc::Decryptor::<des::TdesEde3>::new_from_slices(key, vector)
                .ok()?
                .decrypt_padded_mut::<Pkcs7>(&mut buffer),
        }
        .ok()?
        .len();
        buffer.truncate(length);
        Some(buffer)
    }

    /// OpenSSL's `EVP_BytesToKey` with MD5, one round, and half the vector for salt.
    fn key(&self, passphrase: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let size = match self.cipher {
            Cipher::Aes128 => 16,
            Cipher::Aes192 | Cipher::TripleDes => 24,
            Cipher::Aes256 => 32,
        };
        let salt = self.vector.get(..8)?;
        let mut key = Zeroizing::new(Vec::with_capacity(size + 16));
        while key.len() < size {
            let mut hash = Md5::new();
            let whole = key.len() / 16 * 16;
            hash.update(key.get(whole.saturating_sub(16)..whole)?);
            hash.update(passphrase);
            hash.update(salt);
            key.extend_from_slice(&hash.finalize());
        }
        key.truncate(size);
        Some(key)
    }
}
