//! Tables of the file: settings that are too much for one value. Each value knows its path, such as
//! `remote[0].tool[1].arguments.query`, so that a message can name it.

use crate::config::layers::ConfigError;

/// A table of the file. What was not taken when it is finished is a key that nobody knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    path: String,
    place: String,
    values: toml::Table,
}

impl Table {
    /// The table at `path`, which stands in the file `place`.
    pub fn new(path: impl Into<String>, place: impl Into<String>, values: toml::Table) -> Self {
        Self { path: path.into(), place: place.into(), values }
    }

    /// An error of one of its keys.
    pub fn error(&self, key: &str, message: impl std::fmt::Display) -> ConfigError {
        ConfigError::new(self.at(key), format!("{message} (from {})", self.place))
    }

    /// An error of the table itself.
    pub fn own_error(&self, message: impl std::fmt::Display) -> ConfigError {
        ConfigError::new(self.path.clone(), format!("{message} (from {})", self.place))
    }

    /// Its keys that were not taken yet, in the order of the alphabet.
    pub fn keys(&self) -> Vec<String> {
        self.values.keys().cloned().collect()
    }

    /// Takes a text that is not empty, if there is one.
    pub fn text(&mut self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.values.remove(key) {
            None => Ok(None),
            Some(toml::Value::String(text)) => {
                let text = text.trim();
                Ok((!text.is_empty()).then(|| text.to_owned()))
            }
            Some(_) => Err(self.error(key, "it must be a text")),
        }
    }

    /// Takes a text that must be there.
    pub fn required(&mut self, key: &str) -> Result<String, ConfigError> {
        self.text(key)?.ok_or_else(|| self.error(key, "it is missing"))
    }

    /// Takes a text that must be there, and reads it with `parse`.
    pub fn read<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let text = self.required(key)?;
        parse(&text).map_err(|message| self.error(key, message))
    }

    /// Takes a text and reads it with `parse`; without one, reads `default`.
    pub fn read_or<T>(
        &mut self,
        key: &str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let text = self.text(key)?.unwrap_or_else(|| default.to_owned());
        parse(&text).map_err(|message| self.error(key, message))
    }

    /// Takes a list of texts, which may be empty ones; an empty list when there is none.
    pub fn texts(&mut self, key: &str) -> Result<Vec<String>, ConfigError> {
        let Some(value) = self.values.remove(key) else { return Ok(Vec::new()) };
        let complain = || self.error(key, "it must be a list of texts");
        let toml::Value::Array(items) = value else { return Err(complain()) };
        let text = |item| match item {
            toml::Value::String(text) => Ok(text),
            _ => Err(complain()),
        };
        items.into_iter().map(text).collect()
    }

    /// Takes `true` or `false`, if it is there.
    pub fn switch(&mut self, key: &str) -> Result<Option<bool>, ConfigError> {
        match self.values.remove(key) {
            None => Ok(None),
            Some(toml::Value::Boolean(switch)) => Ok(Some(switch)),
            Some(_) => Err(self.error(key, "it must be true or false")),
        }
    }

    /// Takes a whole number from `min` to `max`, if it is there.
    pub fn number(
        &mut self,
        key: &str,
        min: usize,
        max: usize,
    ) -> Result<Option<usize>, ConfigError> {
        let Some(value) = self.values.remove(key) else { return Ok(None) };
        let number = value.as_integer().and_then(|number| usize::try_from(number).ok());
        match number.filter(|number| (min..=max).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(self.error(key, format!("it must be a whole number from {min} to {max}"))),
        }
    }

    /// Takes whatever is there, as JSON writes it.
    pub fn json(&mut self, key: &str) -> Result<Option<serde_json::Value>, ConfigError> {
        let Some(value) = self.values.remove(key) else { return Ok(None) };
        let json = json_of(value);
        json.map(Some).ok_or_else(|| self.error(key, "JSON has no such value"))
    }

    /// Takes a table, or an array of tables, `[[key]]`; nothing when there is none.
    pub fn tables(&mut self, key: &str) -> Result<Vec<Self>, ConfigError> {
        let path = self.at(key);
        match self.values.remove(key) {
            None => Ok(Vec::new()),
            Some(toml::Value::Table(table)) => Ok(vec![Self::new(path, &self.place, table)]),
            Some(toml::Value::Array(items)) => many(&path, &self.place, items)
                .ok_or_else(|| self.error(key, "it must be a table or several")),
            Some(_) => Err(self.error(key, "it must be a table")),
        }
    }

    /// Takes one table; an empty one when there is none.
    pub fn table(&mut self, key: &str) -> Result<Self, ConfigError> {
        let path = self.at(key);
        match self.values.remove(key) {
            None => Ok(Self::new(path, &self.place, toml::Table::new())),
            Some(toml::Value::Table(table)) => Ok(Self::new(path, &self.place, table)),
            Some(_) => Err(self.error(key, "it must be a table")),
        }
    }

    /// Ends the reading: what nobody took is a mistake in its name.
    pub fn finish(self) -> Result<(), ConfigError> {
        match self.values.keys().next() {
            Some(key) => Err(self.error(key, "there is no such setting")),
            None => Ok(()),
        }
    }

    fn at(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }
}

/// The tables of an array, numbered from 0 in their paths; nothing when one is no table.
pub fn many(path: &str, place: &str, items: Vec<toml::Value>) -> Option<Vec<Table>> {
    let table = |(number, item)| match item {
        toml::Value::Table(table) => Some(Table::new(format!("{path}[{number}]"), place, table)),
        _ => None,
    };
    items.into_iter().enumerate().map(table).collect()
}

fn json_of(value: toml::Value) -> Option<serde_json::Value> {
    match value {
        toml::Value::String(text) => Some(text.into()),
        toml::Value::Integer(number) => Some(number.into()),
        toml::Value::Float(number) => serde_json::Number::from_f64(number).map(Into::into),
        toml::Value::Boolean(switch) => Some(switch.into()),
        toml::Value::Array(items) => {
            items.into_iter().map(json_of).collect::<Option<Vec<_>>>().map(Into::into)
        }
        toml::Value::Table(table) => {
            let pair = |(name, value)| Some((name, json_of(value)?));
            let pairs = table.into_iter().map(pair);
            pairs.collect::<Option<serde_json::Map<_, _>>>().map(Into::into)
        }
        toml::Value::Datetime(_) => None,
    }
}
