//! Keys as parts of a JSON pointer (RFC 6901), which is how documents, fields and reports name a place.

/// A key as one part of a pointer.
pub fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The key that a part of a pointer stands for.
pub fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// A pointer as people read it, with dots: `topics.alerts.key`.
pub fn dotted(pointer: &str) -> String {
    unescaped(&pointer.trim_start_matches('/').replace('/', "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_dots() {
        assert_eq!(dotted("/groups/~1aws~1trail/retentionDays"), "groups./aws/trail.retentionDays");
    }

    #[test]
    fn a_key_comes_back_whatever_is_in_it() {
        for (key, part) in [("plain", "plain"), ("a/b", "a~1b"), ("~1", "~01"), ("~0/", "~00~1"), ("", "")] {
            assert_eq!(escaped(key), part);
            assert_eq!(unescaped(part), key);
        }
    }
}
