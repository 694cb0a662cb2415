//! Amounts of memory and disk.

use crate::error::{Error, Result};

/// MiB from `2048`, `2048M`, `2G`, `1.5G`, `1T`.
///
/// # Errors
/// A usage error for anything else.
pub fn mebibytes(text: &str) -> Result<u64> {
    let upper = text.to_ascii_uppercase();
    let unit = |letter: &str| {
        let bare = upper.strip_suffix("IB").or_else(|| upper.strip_suffix('B')).unwrap_or(&upper);
        bare.strip_suffix(letter).map(str::to_owned)
    };
    let (digits, unit) = match (unit("M"), unit("G"), unit("T")) {
        (Some(digits), ..) => (digits, 1),
        (_, Some(digits), _) => (digits, 1024),
        (.., Some(digits)) => (digits, 1024 * 1024),
        _ => (upper, 1),
    };
    let whole = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    // Of `1.5G` the part behind the point is that of a larger unit, and comes out whole.
    let parts = || {
        let (before, behind) = digits.split_once('.').filter(|(before, behind)| {
            let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            number(before) && number(behind) && behind.len() <= 6
        })?;
        let scale = 10u64.pow(u32::try_from(behind.len()).ok()?);
        let part = behind.parse::<u64>().ok()?.checked_mul(unit)?;
        let whole = before.parse::<u64>().ok()?.checked_mul(unit)?;
        part.is_multiple_of(scale).then_some(whole.checked_add(part / scale)?)
    };
    whole
        .or_else(parts)
        .ok_or_else(|| Error::usage(format!("'{text}' is not an amount of MiB")).hint("512, 512M, 1.5G, 1T"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_mebibytes_unless_they_have_a_unit() {
        for (typed, size) in [
            ("512", 512),
            ("512M", 512),
            ("2G", 2048),
            ("2GiB", 2048),
            ("1.5G", 1536),
            ("0.25g", 256),
            ("1T", 1_048_576),
        ] {
            assert_eq!(mebibytes(typed).unwrap(), size, "{typed}");
        }
        for typed in [
            "",
            "G",
            "-1",
            "1.5",
            "0.1G",
            "1.5M",
            ".5G",
            "1.G",
            "1.5.5G",
            "1e3",
            "1K",
            "512B",
            "2GIBIB",
            "99999999999999999999T",
        ] {
            assert!(mebibytes(typed).is_err(), "{typed}");
        }
    }
}
