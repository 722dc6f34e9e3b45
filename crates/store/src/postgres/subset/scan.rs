//! Finds every text with SQL in the sources of the engine, so that no list of them is needed.
//!
//! Constants are put together as the compiler does it: texts, other constants, `sql!`, and macros of
//! the same file. A text that begins with a verb of SQL is a statement, wherever it stands; one that
//! does not is a part of others, or no SQL at all.

use std::collections::BTreeMap;
use std::path::Path;

use super::tokens::{Token, group, split, tokens};

const VERBS: &[&str] = &[
    "ALTER",
    "ANALYZE",
    "BEGIN",
    "CALL",
    "COMMIT",
    "COPY",
    "CREATE",
    "DELETE",
    "DO",
    "DROP",
    "EXECUTE",
    "INSERT",
    "LISTEN",
    "LOCK",
    "MERGE",
    "NOTIFY",
    "PREPARE",
    "ROLLBACK",
    "SAVEPOINT",
    "SELECT",
    "SET",
    "SHOW",
    "START",
    "TRUNCATE",
    "UNLISTEN",
    "UPDATE",
    "VACUUM",
    "VALUES",
    "WITH",
];

/// A statement, and where it is from.
#[derive(Debug)]
pub(super) struct Found {
    /// `file: NAME`, or `file: a text`.
    pub place: String,
    pub sql: String,
}

/// A macro with one arm.
struct Macro {
    parameters: Vec<String>,
    body: Vec<Token>,
}

/// The sources, by file.
#[derive(Default)]
pub(super) struct Sources {
    constants: BTreeMap<(String, String), Vec<Token>>,
    macros: BTreeMap<(String, String), Macro>,
    /// Outside of constants and macros: texts, and calls of `sql!`.
    others: Vec<(String, Vec<Token>)>,
}

impl Sources {
    /// Those of the engine, without tests. The steps of migration are looked at by themselves.
    pub fn of_the_engine() -> Sources {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/postgres");
        let mut sources = Sources::default();
        sources.read(&folder, "");
        sources
    }

    fn read(&mut self, folder: &Path, prefix: &str) {
        for entry in std::fs::read_dir(folder).expect("the sources").flatten() {
            let name = entry.file_name().into_string().expect("names are UTF-8");
            let path = format!("{prefix}{name}");
            if entry.path().is_dir() {
                if !["subset", "testing", "tests"].contains(&name.as_str()) {
                    self.read(&entry.path(), &format!("{path}/"));
                }
            } else if !["tests.rs", "subset.rs", "schema.rs"].contains(&name.as_str()) {
                let text = std::fs::read_to_string(entry.path()).expect("the source");
                // Tests may ask what they like, and stand at the end.
                let end = text.find("\n#[cfg(test)]\nmod tests {");
                self.add(&path, &text[..end.unwrap_or(text.len())]);
            }
        }
    }

    pub fn add(&mut self, file: &str, source: &str) {
        let mut rest = tokens(source);
        while !rest.is_empty() {
            let item = self
                .constant(file, &rest)
                .or_else(|| self.a_macro(file, &rest));
            let used = item.unwrap_or_else(|| {
                let used = call_of_sql(&rest).unwrap_or(1);
                if used > 1 || matches!(rest[0], Token::Text(_)) {
                    self.others.push((file.to_owned(), rest[..used].to_vec()));
                }
                used
            });
            rest.drain(..used);
        }
    }

    /// `const NAME: &str = …;` at the beginning; how many tokens it is.
    fn constant(&mut self, file: &str, rest: &[Token]) -> Option<usize> {
        let [Token::Word(word), Token::Word(name), after @ ..] = rest else {
            return None;
        };
        let begin = after.iter().position(|token| token.is('='))?;
        let is_text = after[..begin].iter().all(|token| match token {
            Token::Mark(mark) => [':', '&'].contains(mark),
            Token::Word(word) => word == "str" || word == "'static",
            Token::Text(_) => false,
        });
        if word != "const" || !is_text {
            return None;
        }
        let value = &after[begin + 1..];
        let end = value.iter().position(|token| token.is(';'))?;
        let key = (file.to_owned(), name.clone());
        self.constants.insert(key, value[..end].to_vec());
        Some(2 + begin + 1 + end + 1)
    }

    /// `macro_rules! name { (…) => { … } }` at the beginning.
    fn a_macro(&mut self, file: &str, rest: &[Token]) -> Option<usize> {
        let [
            Token::Word(word),
            Token::Mark('!'),
            Token::Word(name),
            after @ ..,
        ] = rest
        else {
            return None;
        };
        if word != "macro_rules" {
            return None;
        }
        let rules = group(after)?;
        let pattern = group(rules)?;
        let parameters = pattern.windows(2).filter_map(|pair| match pair {
            [Token::Mark('$'), Token::Word(name)] => Some(name.clone()),
            _ => None,
        });
        let body = &rules[pattern.len() + 2..];
        let begin = body.iter().position(|token| token.is('{'))?;
        let known = Macro {
            parameters: parameters.collect(),
            body: group(&body[begin..])?.to_vec(),
        };
        self.macros.insert((file.to_owned(), name.clone()), known);
        Some(3 + rules.len() + 2)
    }

    /// Every statement.
    ///
    /// # Panics
    /// When a constant is put together in a way that is not known here.
    pub fn statements(&self) -> Vec<Found> {
        let mut all = Vec::new();
        let constants = self.constants.iter();
        let constants = constants.map(|((file, name), value)| (file, name.as_str(), value));
        let others = self.others.iter();
        let others = others.map(|(file, value)| (file, "a text", value));
        for (file, name, value) in constants.chain(others) {
            let sql = self.value(file, value);
            let sql = sql.unwrap_or_else(|| panic!("{file}: {name} cannot be read: {value:?}"));
            all.push((format!("{file}: {name}"), sql));
        }
        let found = all.into_iter().filter(|(_, sql)| begins_with_verb(sql));
        found.map(|(place, sql)| Found { place, sql }).collect()
    }

    fn value(&self, file: &str, tokens: &[Token]) -> Option<String> {
        match tokens {
            [Token::Text(text)] => Some(text.clone()),
            [Token::Word(name), Token::Mark('!'), arguments @ ..] => {
                let arguments = split(group(arguments)?);
                self.call(file, name, &arguments)
            }
            // `module::NAME` or `NAME`.
            [path @ .., Token::Word(name)] => {
                let module = path.iter().rev().find_map(|token| match token {
                    Token::Word(word) => Some(word.as_str()),
                    _ => None,
                });
                let (file, value) = self.find(file, module, name)?;
                self.value(file, value)
            }
            _ => None,
        }
    }

    fn call(&self, file: &str, name: &str, arguments: &[&[Token]]) -> Option<String> {
        if name == "sql" || name == "concat" {
            let parts = arguments.iter().map(|part| self.value(file, part));
            return parts.collect();
        }
        let known = self.macros.get(&(file.to_owned(), name.to_owned()))?;
        let mut body = Vec::new();
        let mut rest = known.body.as_slice();
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            match (first, after.first()) {
                (Token::Mark('$'), Some(Token::Word(name))) => {
                    let place = known.parameters.iter().position(|known| known == name)?;
                    body.extend_from_slice(arguments.get(place)?);
                    rest = &after[1..];
                }
                _ => body.push(first.clone()),
            }
        }
        self.value(file, &body)
    }

    /// A constant of this name: in the file, in the module that is named, or the only one.
    fn find(&self, file: &str, module: Option<&str>, name: &str) -> Option<(&str, &[Token])> {
        let of_name = || {
            self.constants
                .iter()
                .filter(|((_, known), _)| known == name)
        };
        let is_module = |file: &str| {
            let stem = file.trim_end_matches(".rs").trim_end_matches("/mod");
            module.is_some_and(|module| stem.rsplit('/').next() == Some(module))
        };
        let here = of_name().find(|((known, _), _)| known == file && module.is_none());
        let there = || of_name().find(|((known, _), _)| is_module(known));
        let found = here.or_else(there).or_else(|| match of_name().count() {
            1 => of_name().next(),
            _ => None,
        });
        found.map(|((file, _), value)| (file.as_str(), value.as_slice()))
    }
}

/// `sql!(…)` at the beginning; how many tokens it is.
fn call_of_sql(rest: &[Token]) -> Option<usize> {
    let [Token::Word(name), Token::Mark('!'), after @ ..] = rest else {
        return None;
    };
    (name == "sql")
        .then(|| group(after))?
        .map(|parts| parts.len() + 4)
}

fn begins_with_verb(text: &str) -> bool {
    let text = text.trim_start();
    let word: String = text.chars().take_while(char::is_ascii_alphabetic).collect();
    let after = text[word.len()..].chars().next();
    let is_word = after.is_none_or(|mark| mark.is_whitespace() || mark == ';' || mark == '(');
    VERBS.contains(&word.as_str()) && is_word
}

#[test]
fn statements_are_found_wherever_they_are() {
    let mut sources = Sources::default();
    sources.add(
        "rows.rs",
        r#"pub(crate) const NAMES: &str = "a.id, \"b\"";"#,
    );
    let source = r##"
        const ONE: &str = "SELECT 1";
        const PART: &str = "FROM t";
        const COLUMNS: &'static str = sql!(rows::NAMES, ", c");
        // const NONE: &str = "SELECT a comment";
        macro_rules! page_sql {
            ($which:expr, $order:expr) => {
                sql!("SELECT ", COLUMNS, " ", $which, " ORDER BY ", $order)
            };
        }
        pub(crate) const TWO: &str = page_sql!(sql!(PART, " AS a"), "a.id");
        const THREE: &str = "UPDATE t \
            SET a = ';'";
        fn ask<'a>(client: &'a Client) { client.query("COMMIT"); say("SELECTED it"); char('"');
            client.query(sql!("SELECT ", rows::NAMES), &[]) }
    "##;
    sources.add("reads/pages.rs", source);
    let found = sources.statements();
    let found: Vec<_> = found
        .iter()
        .map(|found| (&*found.place, &*found.sql))
        .collect();
    let page = "SELECT a.id, \"b\", c FROM t AS a ORDER BY a.id";
    assert_eq!(
        found,
        [
            ("reads/pages.rs: ONE", "SELECT 1"),
            ("reads/pages.rs: THREE", "UPDATE t SET a = ';'"),
            ("reads/pages.rs: TWO", page),
            ("reads/pages.rs: a text", "COMMIT"),
            ("reads/pages.rs: a text", "SELECT a.id, \"b\""),
        ]
    );
}
