//! A browser's cookies, kept as the one header that they are sent in.

/// What an answer's `Set-Cookie` does to the cookies that a browser has: `name=value; name=value`,
/// the oldest first.
pub fn put(cookies: &str, set: &str) -> String {
    let (pair, attributes) = set.split_once(';').unwrap_or((set, ""));
    let pair = pair.trim();
    let name = pair.split('=').next().unwrap_or_default();
    let is_over = attributes
        .split(';')
        .any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0"));
    let is_same = |kept: &&str| kept.split('=').next() == Some(name);
    let mut all: Vec<&str> = cookies
        .split("; ")
        .filter(|kept| !kept.is_empty())
        .collect();
    match all.iter().position(is_same) {
        Some(at) if is_over => drop(all.remove(at)),
        Some(at) => all[at] = pair,
        None if is_over => {}
        None => all.push(pair),
    }
    all.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_added_replaced_in_place_and_thrown_away() {
        let place = put("", "place=a; Path=/; Secure; Max-Age=86400");
        assert_eq!(place, "place=a");
        let both = put(&place, "session=b; Path=/");
        assert_eq!(both, "place=a; session=b");
        assert_eq!(put(&both, "place=c; Max-Age=86400"), "place=c; session=b");
        assert_eq!(put(&both, "session=; Path=/; Max-Age=0"), "place=a");
        assert_eq!(put("", "session=; Max-Age=0"), "");
    }
}
