//! Just enough of Rust's grammar: comments and text set apart, paths, functions, modules.
//!
//! Never here: rules.

/// One Rust file, read once.
pub struct Source {
    /// Its place below the repository's root, with `/`.
    pub path: String,
    /// As it stands.
    pub text: String,
    /// The same lines, with comments and the insides of literals blanked.
    pub code: String,
    /// The same lines, with comments alone blanked.
    pub uncommented: String,
    /// What `code` is made of.
    tokens: Vec<Token>,
}

/// A word or a mark of the code.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    line: usize,
    text: String,
}

/// A name with its qualifiers, from a `use` or from the middle of the code.
#[derive(Debug, PartialEq, Eq)]
pub struct Path {
    /// Where it stands, from 1.
    pub line: usize,
    /// `crate`, `store`, `grants`.
    pub segments: Vec<String>,
    /// How many inline modules surround it.
    pub inside: usize,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Where its `fn` stands, from 1.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// From the line of `fn` to the line of the closing brace.
    pub lines: usize,
}

/// A module in a file of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// The value of `#[path]`, if one is given.
    pub file: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Literal,
    Comment,
}

impl Source {
    /// Reads `text`, which stands at `path`.
    pub fn new(path: &str, text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let kinds = kinds(&chars);
        let code = keep(&chars, &kinds, |kind| kind == Kind::Code);
        let uncommented = keep(&chars, &kinds, |kind| kind != Kind::Comment);
        let tokens = tokens(&code);
        Self { path: path.to_owned(), text: text.to_owned(), code, uncommented, tokens }
    }

    /// The words of the code with their lines.
    pub fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        self.tokens.iter().filter(|token| is_word(token)).map(|t| (t.line, t.text.as_str()))
    }

    /// Every path, those of `use` trees written out.
    pub fn paths(&self) -> Vec<Path> {
        let mut found = Vec::new();
        // The brace depths at which inline modules were opened.
        let mut modules: Vec<usize> = Vec::new();
        let mut depth = 0;
        let mut at = 0;
        while at < self.tokens.len() {
            let inside = modules.len();
            match self.text_at(at) {
                "mod" if self.text_at(at + 2) == "{" => {
                    depth += 1;
                    modules.push(depth);
                    at += 3;
                }
                // `use<'a>` in a type is no import.
                "use" if self.text_at(at + 1) != "<" => {
                    at = self.use_tree(at + 1, Vec::new(), inside, &mut found);
                }
                "{" => {
                    depth += 1;
                    at += 1;
                }
                "}" => {
                    if modules.last() == Some(&depth) {
                        modules.pop();
                    }
                    depth -= 1;
                    at += 1;
                }
                "." => at += 2, // a field or a method
                _ if is_word(&self.tokens[at]) => {
                    let line = self.tokens[at].line;
                    let mut segments = vec![self.text_at(at).to_owned()];
                    at += 1;
                    while self.text_at(at) == "::" && self.is_word_at(at + 1) {
                        segments.push(self.text_at(at + 1).to_owned());
                        at += 2;
                    }
                    found.push(Path { line, segments, inside });
                }
                _ => at += 1,
            }
        }
        found
    }

    fn use_tree(
        &self,
        mut at: usize,
        mut segments: Vec<String>,
        inside: usize,
        found: &mut Vec<Path>,
    ) -> usize {
        let line = self.tokens.get(at).map_or(0, |token| token.line);
        loop {
            match self.text_at(at) {
                "::" => at += 1,
                "as" => at += 2,
                "{" => {
                    at += 1;
                    while !matches!(self.text_at(at), "}" | "") {
                        at = self.use_tree(at, segments.clone(), inside, found);
                        at += usize::from(self.text_at(at) == ",");
                    }
                    return at + 1;
                }
                "," | "}" | ";" | "" => {
                    found.push(Path { line, segments, inside });
                    return at;
                }
                segment => {
                    segments.push(segment.to_owned());
                    at += 1;
                }
            }
        }
    }

    /// Every function that has a body.
    pub fn functions(&self) -> Vec<Function> {
        let starts = self.tokens.iter().enumerate().filter(|(_, token)| token.text == "fn");
        starts.filter_map(|(at, _)| self.function(at)).collect()
    }

    fn function(&self, at: usize) -> Option<Function> {
        let name = self.tokens.get(at + 1).filter(|token| is_word(token))?;
        let mut nesting = 0;
        let mut braces = 0;
        for token in &self.tokens[at + 2..] {
            match token.text.as_str() {
                "(" | "[" => nesting += 1,
                ")" | "]" => nesting -= 1,
                ";" if braces == 0 && nesting == 0 => return None,
                "{" => braces += 1,
                "}" => {
                    braces -= 1;
                    if braces == 0 {
                        let line = self.tokens[at].line;
                        let lines = token.line - line + 1;
                        return Some(Function { line, name: name.text.clone(), lines });
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The modules this file says have files of their own.
    pub fn modules(&self) -> Vec<Module> {
        let lines: Vec<&str> = self.uncommented.lines().collect();
        let mut found = Vec::new();
        for at in 0..self.tokens.len() {
            if self.text_at(at) == "mod" && self.is_word_at(at + 1) && self.text_at(at + 2) == ";" {
                let line = self.tokens[at].line;
                let above = line.checked_sub(2).and_then(|at| lines.get(at)).copied();
                let file = above.and_then(|line| line.trim().strip_prefix("#[path = \""));
                let file = file.and_then(|rest| rest.strip_suffix("\"]")).map(str::to_owned);
                found.push(Module { name: self.text_at(at + 1).to_owned(), file });
            }
        }
        found
    }

    /// The names that follow the word `keyword`: `struct`, `enum`.
    pub fn named_by(&self, keyword: &str) -> Vec<(usize, &str)> {
        let at = |at: &usize| self.text_at(*at) == keyword && self.is_word_at(*at + 1);
        let found = (0..self.tokens.len()).filter(at);
        found.map(|at| (self.tokens[at].line, self.text_at(at + 1))).collect()
    }

    fn text_at(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn is_word_at(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(is_word)
    }
}

fn is_word(token: &Token) -> bool {
    token.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn keep(chars: &[char], kinds: &[Kind], wanted: impl Fn(Kind) -> bool) -> String {
    let blanked = chars.iter().zip(kinds);
    blanked.map(|(c, kind)| if *c == '\n' || wanted(*kind) { *c } else { ' ' }).collect()
}

fn kinds(chars: &[char]) -> Vec<Kind> {
    let mut kinds = vec![Kind::Code; chars.len()];
    let mut at = 0;
    while at < chars.len() {
        let (kind, end) = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => (Kind::Comment, end_of_line(chars, at)),
            '/' if chars.get(at + 1) == Some(&'*') => (Kind::Comment, end_of_block(chars, at)),
            '"' => (Kind::Literal, end_of_string(chars, at)),
            '\'' => (Kind::Literal, end_of_char(chars, at)),
            'r' | 'b' | 'c' if !follows_word(chars, at) => (Kind::Literal, end_of_raw(chars, at)),
            _ => (Kind::Code, at + 1),
        };
        let end = end.min(chars.len());
        kinds[at..end].fill(kind);
        at = end.max(at + 1);
    }
    kinds
}

fn follows_word(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_')
}

fn end_of_line(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |length| at + length)
}

/// Block comments nest.
fn end_of_block(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn end_of_string(chars: &[char], mut at: usize) -> usize {
    at += 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// A character, or one step when it is a lifetime.
fn end_of_char(chars: &[char], at: usize) -> usize {
    if chars.get(at + 1) == Some(&'\\') {
        let closing = chars.iter().skip(at + 3).position(|c| *c == '\'');
        return closing.map_or(chars.len(), |length| at + 3 + length + 1);
    }
    if chars.get(at + 2) == Some(&'\'') { at + 3 } else { at }
}

/// `r"…"`, `br#"…"#` and their kin; `at` itself when it is only a word.
fn end_of_raw(chars: &[char], at: usize) -> usize {
    let mut quote = at;
    while matches!(chars.get(quote), Some('r' | 'b' | 'c')) {
        quote += 1;
    }
    let is_raw = chars[at..quote].contains(&'r');
    let hashes = chars[quote..].iter().take_while(|c| **c == '#').count();
    if chars.get(quote + hashes) != Some(&'"') || (!is_raw && hashes > 0) || quote - at > 2 {
        return at;
    }
    if !is_raw {
        return end_of_string(chars, quote);
    }
    let mut end = quote + hashes + 1;
    while end < chars.len() {
        let closes = chars[end] == '"'
            && chars[end + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
        if closes {
            return end + 1 + hashes;
        }
        end += 1;
    }
    end
}

fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let chars: Vec<char> = line.chars().collect();
        let mut at = 0;
        while at < chars.len() {
            let start = at;
            if chars[at].is_alphanumeric() || chars[at] == '_' {
                while chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                    at += 1;
                }
            } else if chars[at] == ':' && chars.get(at + 1) == Some(&':') {
                at += 2;
            } else {
                at += 1;
            }
            if !chars[start].is_whitespace() {
                let text = chars[start..at].iter().collect();
                tokens.push(Token { line: number + 1, text });
            }
        }
    }
    tokens
}
