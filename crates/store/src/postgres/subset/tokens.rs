//! Just enough of Rust's tokens to read constants out of sources.

/// A token. Comments, white space and characters are left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// A name, a number, or a lifetime with its quote.
    Word(String),
    /// A text as the program has it.
    Text(String),
    Mark(char),
}

impl Token {
    pub fn is(&self, mark: char) -> bool {
        *self == Token::Mark(mark)
    }
}

/// The tokens of a source.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let is_word = |mark: char| mark.is_alphanumeric() || mark == '_';
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some((text, length)) = text(rest) {
            tokens.push(Token::Text(text));
            length
        } else if first == '\'' {
            let (word, length) = character_or_lifetime(rest);
            tokens.extend(word.map(Token::Word));
            length
        } else if is_word(first) {
            let end = rest.find(|mark| !is_word(mark)).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            end
        } else {
            tokens.push(Token::Mark(first));
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The text that begins here, and how long it is in the source.
fn text(source: &str) -> Option<(String, usize)> {
    for raw in ["r##\"", "r#\"", "r\""] {
        if let Some(rest) = source.strip_prefix(raw) {
            let end = format!("\"{}", "#".repeat(raw.len() - 2));
            let length = rest.find(&end)?;
            return Some((rest[..length].to_owned(), raw.len() + length + end.len()));
        }
    }
    let rest = source.strip_prefix('"')?;
    let mut text = String::new();
    let mut marks = rest.char_indices().peekable();
    while let Some((place, mark)) = marks.next() {
        match mark {
            '"' => return Some((text, place + 2)),
            '\\' => match marks.next()?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                // The rest of the line and the beginning of the next are left out.
                '\n' => while marks.next_if(|(_, mark)| mark.is_whitespace()).is_some() {},
                other => text.push(other),
            },
            mark => text.push(mark),
        }
    }
    None
}

/// `'a'` and `'\n'` are characters, `'a` is a lifetime.
fn character_or_lifetime(source: &str) -> (Option<String>, usize) {
    let rest = &source[1..];
    let first = rest.chars().next().map_or(0, char::len_utf8);
    if rest.starts_with('\\') {
        let end = rest[2..].find('\'').map_or(rest.len(), |end| end + 3);
        return (None, 1 + end);
    }
    if rest[first..].starts_with('\'') {
        return (None, 1 + first + 1);
    }
    let is_word = |mark: char| mark.is_alphanumeric() || mark == '_';
    let end = rest.find(|mark| !is_word(mark)).unwrap_or(rest.len());
    (Some(source[..=end].to_owned()), 1 + end)
}

/// What is between the bracket that begins here and the one that ends it.
pub(super) fn group(tokens: &[Token]) -> Option<&[Token]> {
    let begins = |token: &Token| ['(', '[', '{'].iter().any(|mark| token.is(*mark));
    let ends = |token: &Token| [')', ']', '}'].iter().any(|mark| token.is(*mark));
    tokens.first().filter(|token| begins(token))?;
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate() {
        depth += usize::from(begins(token));
        depth -= usize::from(ends(token));
        if depth == 0 {
            return Some(&tokens[1..place]);
        }
    }
    None
}

/// Arguments: what is between commas that are in no bracket.
pub(super) fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let (mut begin, mut place) = (0, 0);
    while place < tokens.len() {
        match group(&tokens[place..]) {
            Some(inner) => place += inner.len() + 2,
            None => {
                if tokens[place].is(',') {
                    parts.push(&tokens[begin..place]);
                    begin = place + 1;
                }
                place += 1;
            }
        }
    }
    parts.push(&tokens[begin..]);
    parts.retain(|part| !part.is_empty());
    parts
}
