//! Where values come from: flag over environment over file over default.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::config::keys::{self, KEYS, Key, Shape};
use crate::config::own_files;
use crate::config::tables::{self, Table};

/// The file that is read when it is there and `config` names none.
const DEFAULT_FILE: &str = "gatehouse.toml";

/// Variables with our prefix that are not settings: the test suite's, and those that Kubernetes
/// makes for a service called "gatehouse".
const FOREIGN_PREFIXES: [&str; 2] = ["GATEHOUSE_TEST_", "GATEHOUSE_REQUIRE_DOCKER"];

/// About a setting that is too much for a flag.
const ONLY_IN_THE_FILE: &str = "it can be given only in the file";

/// Why the configuration does not stand. It names the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The setting, as written in the file.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl ConfigError {
    /// An error of one setting.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

impl std::error::Error for ConfigError {}

/// A value before it is read.
#[derive(Clone, Debug, PartialEq)]
enum Raw {
    One(String),
    Many(Vec<String>),
    Tables(Vec<Table>),
}

/// What a process was given: flags and environment as pairs, and where it stands.
#[derive(Clone, Default)]
pub struct Given {
    /// Flags by setting name.
    pub flags: BTreeMap<String, String>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
}

impl Given {
    /// What this process was given.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_process(flags: BTreeMap<String, String>) -> Self {
        let readable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let environment = std::env::vars_os().filter_map(readable).collect();
        Self { flags, environment, folder: PathBuf::new() }
    }
}

/// The merged values, each with the place it came from.
pub struct Layers {
    values: BTreeMap<&'static str, (Raw, String)>,
    /// Settings that name a file with a secret which everybody on the machine may read.
    pub exposed_files: Vec<String>,
}

impl Layers {
    /// Merges all layers; an unknown key stops here.
    pub fn merge(given: &Given) -> Result<Self, ConfigError> {
        let mut values = BTreeMap::new();
        let from_environment = read_environment(&given.environment)?;
        let mut from_flags = Vec::new();
        for (name, value) in &given.flags {
            let key = keys::find(name)
                .ok_or_else(|| ConfigError::new(name.clone(), "there is no such setting"))?;
            if key.shape == Shape::Tables {
                return Err(ConfigError::new(key.name, ONLY_IN_THE_FILE));
            }
            if says_something(key, value) {
                from_flags.push((key, value.clone()));
            }
        }
        let named = from_flags.iter().chain(&from_environment);
        let named = named.filter(|(key, _)| key.name == "config").map(|(_, v)| v.clone()).next();
        for (key, raw, place) in read_file(&given.folder, named.as_deref())? {
            values.insert(key.name, (raw, place));
        }
        for (key, value) in from_environment {
            values.insert(key.name, (Raw::One(value), key.variable()));
        }
        for (key, value) in from_flags {
            values.insert(key.name, (Raw::One(value), format!("--{}", key.flag())));
        }
        let mut layers = Self { values, exposed_files: Vec::new() };
        layers.read_own_files(&given.folder)?;
        Ok(layers)
    }

    /// Takes the secrets that stand in files of their own.
    fn read_own_files(&mut self, folder: &Path) -> Result<(), ConfigError> {
        for key in KEYS.iter().filter(|key| key.is_secret()) {
            let name = own_files::name_of(key);
            let Some(path) = self.text(&name)? else { continue };
            if self.is_set(key.name) {
                return Err(self.error(&name, format!("{} is given as well", key.name)));
            }
            let read = own_files::read(&folder.join(path)).map_err(|m| self.error(&name, m))?;
            if read.is_exposed {
                self.exposed_files.push(name.clone());
            }
            self.values.insert(key.name, (Raw::One(read.text), name));
        }
        Ok(())
    }

    /// Whether somebody set it.
    pub fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// An error of `name` that says where its value came from.
    pub fn error(&self, name: &str, message: impl fmt::Display) -> ConfigError {
        match self.values.get(name) {
            Some((_, place)) => ConfigError::new(name, format!("{message} (from {place})")),
            None => ConfigError::new(name, message.to_string()),
        }
    }

    /// The text of a setting, if it was set and is not empty.
    pub fn text(&self, name: &str) -> Result<Option<String>, ConfigError> {
        match self.values.get(name) {
            None => Ok(None),
            Some((Raw::One(text), _)) if text.trim().is_empty() => Ok(None),
            Some((Raw::One(text), _)) => Ok(Some(text.trim().to_owned())),
            Some((Raw::Many(_) | Raw::Tables(_), _)) => {
                Err(self.error(name, "it takes one value, not a list"))
            }
        }
    }

    /// The items of a list setting.
    pub fn items(&self, name: &str) -> Option<Vec<String>> {
        let (raw, _) = self.values.get(name)?;
        let items = match raw {
            Raw::One(text) => text.split(',').map(|item| item.trim().to_owned()).collect(),
            Raw::Many(items) => items.clone(),
            Raw::Tables(_) => Vec::new(),
        };
        Some(items.into_iter().filter(|item: &String| !item.is_empty()).collect())
    }

    /// The tables of a setting that stands in the file as `[[name]]`.
    pub fn tables(&self, name: &str) -> &[Table] {
        match self.values.get(name) {
            Some((Raw::Tables(tables), _)) => tables,
            Some((Raw::One(_) | Raw::Many(_), _)) | None => &[],
        }
    }

    /// Reads a setting with `parse`, or `default` when it is not set.
    pub fn read<T>(
        &self,
        name: &str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let text = self.text(name)?.unwrap_or_else(|| default.to_owned());
        parse(&text).map_err(|message| self.error(name, self.presentable(name, message)))
    }

    /// Reads a setting with `parse` when it is set.
    pub fn read_optional<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let value = parse(&text).map_err(|m| self.error(name, self.presentable(name, m)))?;
        Ok(Some(value))
    }

    /// Keeps a secret's text out of the message about it.
    fn presentable(&self, name: &str, message: String) -> String {
        let secret = keys::find(name).is_some_and(Key::is_secret);
        match self.text(name) {
            Ok(Some(text)) if secret => message.replace(&text, "…"),
            _ => message,
        }
    }
}

/// An empty value is none, and lets the next layer speak; an empty list is one with nothing in it.
fn says_something(key: &Key, value: &str) -> bool {
    key.shape == Shape::List || !value.trim().is_empty()
}

fn read_environment(
    environment: &[(String, String)],
) -> Result<Vec<(&'static Key, String)>, ConfigError> {
    let mut found = Vec::new();
    for (variable, value) in environment {
        if !variable.starts_with("GATEHOUSE_") || is_foreign(variable) {
            continue;
        }
        match KEYS.iter().find(|key| key.variable() == *variable) {
            Some(key) if key.shape == Shape::Tables => {
                return Err(ConfigError::new(key.name, ONLY_IN_THE_FILE));
            }
            Some(key) if says_something(key, value) => found.push((key, value.clone())),
            Some(_) => {}
            None => return Err(ConfigError::new(variable.clone(), unknown(variable))),
        }
    }
    Ok(found)
}

/// Kubernetes gives each pod variables like `GATEHOUSE_SERVICE_HOST` and `GATEHOUSE_PORT_8080_TCP`.
fn is_foreign(variable: &str) -> bool {
    let service_link = variable.contains("_SERVICE_HOST")
        || variable.contains("_SERVICE_PORT")
        || variable == "GATEHOUSE_PORT"
        || variable.contains("_PORT_");
    service_link || FOREIGN_PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

fn unknown(name: &str) -> String {
    let bare = name.trim_start_matches("GATEHOUSE_").to_ascii_lowercase();
    let nearest = KEYS
        .iter()
        .map(|key| (common_prefix(key.name, &bare), key.name))
        .max()
        .filter(|(shared, _)| *shared >= 4);
    match nearest {
        Some((_, near)) => format!("there is no such setting; did you mean {near}?"),
        None => "there is no such setting".into(),
    }
}

fn common_prefix(left: &str, right: &str) -> usize {
    left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count()
}

type FileValues = Vec<(&'static Key, Raw, String)>;

fn read_file(folder: &Path, named: Option<&str>) -> Result<FileValues, ConfigError> {
    let path = folder.join(named.unwrap_or(DEFAULT_FILE));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Vec::new());
        }
        Err(error) => {
            let message = format!("{} cannot be read: {error}", path.display());
            return Err(ConfigError::new("config", message));
        }
    };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // The parser's excerpt could show a secret that stands on the faulty line.
        let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        let message = format!("{} line {line}: {}", path.display(), error.message());
        ConfigError::new("config", message)
    })?;
    table
        .into_iter()
        .map(|(name, value)| {
            let key = keys::find(&name)
                .filter(|key| key.name != "config")
                .ok_or_else(|| ConfigError::new(name.clone(), unknown(&name)))?;
            let place = path.display().to_string();
            Ok((key, raw_of(key, value, &place)?, place))
        })
        .collect()
}

fn raw_of(key: &Key, value: toml::Value, place: &str) -> Result<Raw, ConfigError> {
    let complain = || ConfigError::new(key.name, "its value in the file has the wrong type");
    match (key.shape, value) {
        (Shape::List, toml::Value::Array(items)) => {
            let items = items.into_iter().map(|item| scalar(item).ok_or_else(complain));
            Ok(Raw::Many(items.collect::<Result<_, _>>()?))
        }
        (Shape::Map, toml::Value::Table(table)) => {
            let pair = |(name, value)| {
                scalar(value).map(|value| format!("{name}={value}")).ok_or_else(complain)
            };
            Ok(Raw::Many(table.into_iter().map(pair).collect::<Result<_, _>>()?))
        }
        (Shape::Table, toml::Value::Table(table)) => {
            let mut pairs = Vec::new();
            flatten("", table, &mut pairs).ok_or_else(complain)?;
            Ok(Raw::Many(pairs))
        }
        (Shape::Tables, toml::Value::Array(items)) => {
            let tables = tables::many(key.name, place, items).ok_or_else(complain)?;
            Ok(Raw::Tables(tables))
        }
        (Shape::Tables, _) => {
            let message = format!("write it as [[{}]] in the file", key.name);
            Err(ConfigError::new(key.name, message))
        }
        (_, value) => scalar(value).map(Raw::One).ok_or_else(complain),
    }
}

/// A table as pairs: what stands in an inner table has its name and a dot in front, and a list is
/// its key again and again. `None` when it holds something else, or a name that a pair cannot hold.
fn flatten(outer: &str, table: toml::Table, pairs: &mut Vec<String>) -> Option<()> {
    for (name, value) in table {
        if name.contains('=') {
            return None;
        }
        let name = format!("{outer}{name}");
        match value {
            toml::Value::Table(inner) => flatten(&format!("{name}."), inner, pairs)?,
            toml::Value::Array(items) => {
                for item in items {
                    pairs.push(format!("{name}={}", scalar(item)?));
                }
            }
            value => pairs.push(format!("{name}={}", scalar(value)?)),
        }
    }
    Some(())
}

fn scalar(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(switch) => Some(switch.to_string()),
        _ => None,
    }
}
