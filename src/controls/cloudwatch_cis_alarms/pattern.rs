//! Filter patterns for JSON events, compared by what they count (CloudWatch Logs User Guide, "Filter pattern syntax").

/// A pattern with its spaces, quotes, brackets and order taken out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// Property, operator, value; the value of `NOT EXISTS` is empty.
    Term(String, String, String),
    /// Sorted, without doubles, and none of them an `All`.
    All(Vec<Pattern>),
    /// The same for `Any`.
    Any(Vec<Pattern>),
}

/// `None` for what is no pattern for JSON events, or has something that this build does not know: such a pattern is
/// like no other.
pub fn canonical(text: &str) -> Option<Pattern> {
    let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let tokens = tokens(inside)?;
    let mut reader = Reader { tokens: &tokens, depth: 0 };
    let pattern = reader.any()?;
    reader.tokens.is_empty().then_some(pattern)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`.
    Compares(String),
    Word(String),
    Quoted(String),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '&' if rest.starts_with("&&") => (Token::And, 2),
            '|' if rest.starts_with("||") => (Token::Or, 2),
            '"' => {
                let inside = rest[1..].find('"')?;
                (Token::Quoted(rest[1..=inside].to_owned()), inside + 2)
            }
            '=' | '!' | '<' | '>' => {
                let length = if rest[1..].starts_with('=') { 2 } else { 1 };
                (Token::Compares(rest[..length].to_owned()), length)
            }
            '&' | '|' => return None,
            _ => {
                let ends = |c: char| c.is_whitespace() || "()&|=!<>\"".contains(c);
                let length = rest.find(ends).unwrap_or(rest.len());
                (Token::Word(rest[..length].to_owned()), length)
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

struct Reader<'t> {
    tokens: &'t [Token],
    depth: usize,
}

/// Patterns have 1,024 characters at most, so what is nested deeper than this is nobody's.
const DEEPEST: usize = 32;

impl Reader<'_> {
    fn next_is(&mut self, token: &Token) -> bool {
        let is = self.tokens.first() == Some(token);
        if is {
            self.tokens = &self.tokens[1..];
        }
        is
    }

    fn take(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    /// `&&` binds closer than `||`.
    fn any(&mut self) -> Option<Pattern> {
        let mut parts = vec![self.all()?];
        while self.next_is(&Token::Or) {
            parts.push(self.all()?);
        }
        Some(Pattern::any(parts))
    }

    fn all(&mut self) -> Option<Pattern> {
        let mut parts = vec![self.one()?];
        while self.next_is(&Token::And) {
            parts.push(self.one()?);
        }
        Some(Pattern::all(parts))
    }

    fn one(&mut self) -> Option<Pattern> {
        if self.next_is(&Token::Open) {
            self.depth += 1;
            let inside = (self.depth <= DEEPEST).then(|| self.any()).flatten()?;
            self.depth -= 1;
            return self.next_is(&Token::Close).then_some(inside);
        }
        let Some(Token::Word(property)) = self.take() else { return None };
        match self.take()? {
            Token::Compares(operator) if operator != "!" => match self.take()? {
                Token::Word(value) | Token::Quoted(value) => Some(Pattern::Term(property, operator, value)),
                _ => None,
            },
            Token::Word(word) => {
                let mut words = vec![word.to_uppercase()];
                while let Some(Token::Word(word)) = self.tokens.first() {
                    words.push(word.to_uppercase());
                    self.tokens = &self.tokens[1..];
                }
                let operator = words.join(" ");
                let known = ["EXISTS", "NOT EXISTS", "IS NULL", "IS TRUE", "IS FALSE"];
                known.contains(&operator.as_str()).then(|| Pattern::Term(property, operator, String::new()))
            }
            _ => None,
        }
    }
}

impl Pattern {
    /// What a property must not be, where the pattern says so anywhere.
    pub fn unequal_to(&self, property: &str) -> Option<&str> {
        match self {
            Self::Term(of, operator, value) if of == property && operator == "!=" => Some(value),
            Self::Term(..) => None,
            Self::All(parts) | Self::Any(parts) => parts.iter().find_map(|part| part.unequal_to(property)),
        }
    }

    fn all(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::All(inner) => inner,
            one => vec![one],
        });
        sorted(flat).map_or_else(|one| one, Self::All)
    }

    fn any(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::Any(inner) => inner,
            one => vec![one],
        });
        sorted(flat).map_or_else(|one| one, Self::Any)
    }
}

/// In order and without doubles; `Err` for the only one.
fn sorted(parts: impl Iterator<Item = Pattern>) -> Result<Vec<Pattern>, Pattern> {
    let mut parts: Vec<Pattern> = parts.collect();
    parts.sort();
    parts.dedup();
    match parts.len() {
        1 => Err(parts.swap_remove(0)),
        _ => Ok(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_quotes_brackets_and_order_mean_nothing() {
        let one = canonical(r#"{ ($.a = "x") && (($.b != y) || ($.c NOT EXISTS)) }"#).unwrap();
        for same in [
            r#"{($.c not exists||$.b!="y")&&$.a=x}"#,
            r#" { (($.a = x)) && ($.c NOT EXISTS || $.b != y || $.b != y) } "#,
        ] {
            assert_eq!(canonical(same).as_ref(), Some(&one), "{same}");
        }
        for other in [
            r#"{ ($.a = "x") && ($.b != y) || ($.c NOT EXISTS) }"#,
            r#"{ ($.a = "X") && (($.b != y) || ($.c NOT EXISTS)) }"#,
            r#"{ ($.a = "x") && (($.b = y) || ($.c NOT EXISTS)) }"#,
            r#"{ ($.a = "x") && (($.b != y) || ($.c EXISTS)) }"#,
        ] {
            assert_ne!(canonical(other).as_ref(), Some(&one), "{other}");
        }
    }

    #[test]
    fn values_in_quotes_keep_what_stands_in_them() {
        let term = |value: &str| Pattern::Term("$.m".into(), "=".into(), value.into());
        assert_eq!(canonical(r#"{$.m = "Failed (again) && more"}"#), Some(term("Failed (again) && more")));
        assert_eq!(canonical(r#"{$.m=*Unauthorized*}"#), Some(term("*Unauthorized*")));
        assert_eq!(canonical(r#"{$.m=""}"#), Some(term("")));
    }

    #[test]
    fn what_is_not_understood_is_like_nothing() {
        for text in [
            "",
            "ERROR",
            "{",
            "{}",
            "{ $.a }",
            "{ $.a = }",
            "{ ($.a = b }",
            "{ $.a = b) }",
            "{ $.a = b && }",
            "{ $.a = b | $.c = d }",
            "{ $.a = \"b }",
            "{ $.a SOMEHOW }",
            "{ = b }",
            "{ $.a ! b }",
            "[a, b]",
            "{ $.a = b } x",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
        let deep = format!("{{ {}$.a = b{} }}", "(".repeat(400), ")".repeat(400));
        assert_eq!(canonical(&deep), None);
    }
}
