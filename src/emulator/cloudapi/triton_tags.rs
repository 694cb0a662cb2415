//! What the tags that the platform gives a meaning may hold, beyond their type.

/// Refuses a text that cannot be the value of this tag, and says why.
pub(crate) fn check(name: &str, value: &str) -> Result<(), String> {
    match name {
        "triton.cns.services" => value.split(',').try_for_each(service),
        "triton.cns.reverse_ptr" => host(value),
        "triton.cmon.groups" => groups(value),
        _ => Ok(()),
    }
}

/// `label[:port](:key=value)*`.
fn service(text: &str) -> Result<(), String> {
    let mut parts = text.split(':');
    let label = parts.next().unwrap_or_default();
    if !is_label(label) {
        return Err(format!("\"{label}\" is no name of a service"));
    }
    for (at, part) in parts.enumerate() {
        match part.split_once('=') {
            None if at == 0 => port(part)?,
            Some(("port", value)) => port(value)?,
            Some(("priority" | "weight", value)) if number(value).is_some() => {}
            _ => return Err(format!("\"{part}\" is no port, priority or weight")),
        }
    }
    Ok(())
}

fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

fn port(text: &str) -> Result<(), String> {
    match number(text) {
        Some(1..) => Ok(()),
        _ => Err(format!("\"{text}\" is no port from 1 to 65535")),
    }
}

/// Letters, digits and hyphens, with dots between; or `_name._tcp`.
fn is_label(label: &str) -> bool {
    let protocol = label.strip_suffix("._tcp").or_else(|| label.strip_suffix("._udp"));
    let label = match protocol {
        Some(name) => name.strip_prefix('_').unwrap_or_default(),
        None => label,
    };
    label.len() <= 63 && label.split('.').all(is_word)
}

/// Letters, digits, and hyphens between them.
fn is_word(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= 63
        && !word.starts_with('-')
        && !word.ends_with('-')
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn host(value: &str) -> Result<(), String> {
    let name = value.strip_suffix('.').unwrap_or(value);
    if value.len() <= 255 && name.split('.').all(is_word) {
        return Ok(());
    }
    Err("it must be a DNS name of at most 255 characters".to_owned())
}

fn groups(value: &str) -> Result<(), String> {
    let groups: Vec<&str> = value.split(',').collect();
    if groups.len() > 100 {
        return Err("there are more than 100 groups".to_owned());
    }
    for (at, group) in groups.iter().enumerate() {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if group.is_empty() || group.len() > 100 || !group.bytes().all(fits) {
            return Err(format!("\"{group}\" is no name of a group"));
        }
        if groups.iter().take(at).any(|other| other == group) {
            return Err(format!("group \"{group}\" is there twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_have_a_label_a_port_and_keys() {
        for good in ["web", "web:80", "web:80:priority=1:weight=65535,api", "a.b-c", "_sip._tcp:5060", "web:port=80"] {
            assert_eq!(check("triton.cns.services", good), Ok(()), "{good}");
        }
        let long = "x".repeat(64);
        for bad in
            ["", "web,", "-web", "web:0", "web:65536", "web:80:80", "web:weight=x", "web:+80", "a b", &long, "_x"]
        {
            assert!(check("triton.cns.services", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_and_groups_have_their_limits() {
        assert_eq!(check("triton.cns.reverse_ptr", "www.example.com"), Ok(()));
        for bad in ["", "a..b", "a_b.c", &format!("{}.com", "x".repeat(64)), &"a.".repeat(128)] {
            assert!(check("triton.cns.reverse_ptr", bad).is_err(), "{bad}");
        }
        assert_eq!(check("triton.cmon.groups", "a,b_c,d-1"), Ok(()));
        let many = (0..101).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        for bad in ["", "a,", "a,a", "a b", &"x".repeat(101), &many] {
            assert!(check("triton.cmon.groups", bad).is_err(), "{bad}");
        }
        assert_eq!(check("triton.network.public", "anything"), Ok(()));
    }
}
