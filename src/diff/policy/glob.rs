//! Patterns with `*` for any characters and `?` for one, in linear space: policies come from strangers.

/// Does `pattern` match everything that `target` matches? `target` may itself hold `*`, which only a `*`
/// covers.
pub fn covers(pattern: &str, target: &str) -> bool {
    let target: Vec<char> = target.chars().collect();
    // `reached[j]`: the pattern so far can have consumed `target[..j]`.
    let mut reached = vec![false; target.len() + 1];
    reached[0] = true;
    for p in pattern.chars() {
        if p == '*' {
            let first = reached.iter().position(|r| *r).unwrap_or(reached.len());
            reached[first..].fill(true);
        } else {
            for j in (0..target.len()).rev() {
                let fits = p == target[j] || (p == '?' && target[j] != '*');
                reached[j + 1] = reached[j] && fits && (p != '*');
            }
            reached[0] = false;
        }
    }
    reached[target.len()]
}

/// Is there a text that both patterns match?
pub fn overlap(one: &str, other: &str) -> bool {
    let other: Vec<char> = other.chars().collect();
    // `reached[j]`: some text is matched by `one` so far and by `other[..j]`.
    let mut reached = vec![false; other.len() + 1];
    reached[0] = true;
    through_stars(&mut reached, &other);
    for a in one.chars() {
        let mut next = vec![false; other.len() + 1];
        if a == '*' {
            let first = reached.iter().position(|r| *r).unwrap_or(reached.len());
            next[first..].fill(true);
        } else {
            for j in (0..other.len()).filter(|j| reached[*j]) {
                match other[j] {
                    '*' => next[j] = true,
                    b if a == b || a == '?' || b == '?' => next[j + 1] = true,
                    _ => {}
                }
            }
            through_stars(&mut next, &other);
        }
        reached = next;
    }
    reached[other.len()]
}

/// A star may match nothing.
fn through_stars(reached: &mut [bool], pattern: &[char]) {
    for (j, c) in pattern.iter().enumerate() {
        if *c == '*' && reached[j] {
            reached[j + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wildmatch::WildMatch;

    use super::*;

    #[test]
    fn a_pattern_covers_what_it_matches_whole() {
        for (pattern, target) in
            [("*", ""), ("*", "a*"), ("a*", "a/b*"), ("a*c", "abc"), ("?", "a"), ("", ""), ("a**", "a")]
        {
            assert!(covers(pattern, target), "{pattern} {target}");
        }
        for (pattern, target) in
            [("a/b*", "a/*"), ("?", "*"), ("a", "*"), ("", "a"), ("a", ""), ("a*c", "ab")]
        {
            assert!(!covers(pattern, target), "{pattern} {target}");
        }
    }

    proptest! {
        #[test]
        fn covering_a_text_is_matching_it(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            prop_assert_eq!(covers(&pattern, &text), WildMatch::new(&pattern).matches(&text));
            prop_assert_eq!(overlap(&pattern, &text), covers(&pattern, &text));
        }

        #[test]
        fn overlap_has_no_direction_and_holds_where_one_covers(a in "[ab*?]{0,6}", b in "[ab*?]{0,6}") {
            prop_assert_eq!(overlap(&a, &b), overlap(&b, &a));
            prop_assert!(overlap(&a, &a));
            prop_assert!(!covers(&a, &b) || overlap(&a, &b));
        }

        #[test]
        fn a_text_that_both_match_is_an_overlap(a in "[ab*?]{0,6}", b in "[ab*?]{0,6}", text in "[ab]{0,6}") {
            prop_assert!(!(covers(&a, &text) && covers(&b, &text)) || overlap(&a, &b));
        }
    }
}
